import Rules

/// An address of the internet protocol, as bytes; an IPv4-mapped one is the IPv4 address.
package struct InternetAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16 of them.
    package let bytes: [UInt8]

    /// - Parameter bytes: as the system has them, 4 or 16; nil for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        let isMapped = bytes.count == 16 && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
        self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
    }

    /// Reads four decimal numbers, or hexadecimal groups; nil for anything else.
    package init?(_ text: String) {
        guard let bytes = AddressKey.bytes(ArraySlice(text.utf8)) else { return nil }
        self.init(bytes: bytes)
    }

    /// As a URL or a resolver takes it.
    package var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }

    /// What kind of address it is, where it is none that everybody reaches.
    package var reservation: String? {
        Self.reservations.first { $0.block.contains(self) }?.name ?? (bytes.count == 16 && bytes[0] & 0xE0 != 0x20 ? "reserved" : nil)
    }

    private static let reservations: [(block: AddressBlock, name: String)] = [
        ("0.0.0.0/8", "unspecified"), ("10.0.0.0/8", "private"), ("100.64.0.0/10", "shared"), ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"), ("172.16.0.0/12", "private"), ("192.0.0.0/24", "reserved"), ("192.0.2.0/24", "documentation"),
        ("192.88.99.0/24", "reserved"), ("192.168.0.0/16", "private"), ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"), ("203.0.113.0/24", "documentation"), ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"), ("::/128", "unspecified"), ("::1/128", "loopback"), ("fe80::/10", "link-local"),
        ("fc00::/7", "unique local"), ("ff00::/8", "multicast"), ("2001:db8::/32", "documentation"), ("3fff::/20", "documentation"),
        // What leads to IPv4 addresses of all kinds.
        ("64:ff9b::/96", "translated"), ("64:ff9b:1::/48", "translated"), ("2001::/32", "tunnelled"), ("2002::/16", "tunnelled"),
    ].compactMap { text, name in AddressBlock(text).map { ($0, name) } }
}

/// All addresses that begin with the same bits.
package struct AddressBlock: Sendable, Hashable {
    private let network: [UInt8]
    private let bits: Int

    /// Reads `10.0.0.0/8`, or one address alone; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = InternetAddress(String(parts[0])) else { return nil }
        let width = address.bytes.count * 8
        guard let bits = parts.count == 2 ? Int(parts[1]) : width, (0...width).contains(bits) else { return nil }
        network = AddressRange.masked(address.bytes, bits: bits)
        self.bits = bits
    }

    func contains(_ address: InternetAddress) -> Bool {
        address.bytes.count == network.count && AddressRange.masked(address.bytes, bits: bits) == network
    }
}
