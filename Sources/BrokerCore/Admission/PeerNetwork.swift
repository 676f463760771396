package import NIOCore

/// Whose connects are counted together: an IPv4 address, or the /64 network of an IPv6 one, all of which one subscriber line has.
package struct PeerNetwork: Hashable, Sendable {
    private let prefix: UInt64
    private let isIPv4: Bool
    /// Whether it is this machine.
    package let isLoopback: Bool

    /// `nil` for an address that is not of the internet protocol, as of a Unix socket.
    package init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        self.init(text)
    }

    /// Reads an address as the system writes it; `nil` for anything else.
    package init?(_ text: String) {
        if let ipv4 = Self.ipv4(text[...]) {
            self.init(ipv4: ipv4)
        } else if let (high, low) = Self.ipv6(text[...]) {
            self.init(high: high, low: low)
        } else {
            return nil
        }
    }

    private init(prefix: UInt64, isIPv4: Bool, isLoopback: Bool) {
        self.prefix = prefix
        self.isIPv4 = isIPv4
        self.isLoopback = isLoopback
    }

    private init(ipv4: UInt32) {
        self.init(prefix: UInt64(ipv4), isIPv4: true, isLoopback: ipv4 >> 24 == 127)
    }

    private init(high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            // An IPv4 client of a listener on an IPv6 address counts as what it is.
            self.init(ipv4: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(prefix: high, isIPv4: false, isLoopback: high == 0 && low == 1)
        }
    }

    private static func ipv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part) else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    private static func ipv6(_ text: Substring) -> (high: UInt64, low: UInt64)? {
        guard let gap = text.utf8.indices.first(where: { text[$0...].hasPrefix("::") }) else {
            return groups(text).flatMap { $0.count == 8 ? joined($0) : nil }
        }
        let after = text.utf8.index(gap, offsetBy: 2)
        guard let front = groups(text[..<gap]), let back = groups(text[after...]), front.count + back.count < 8 else { return nil }
        return joined(front + Array(repeating: 0, count: 8 - front.count - back.count) + back)
    }

    /// Groups of 16 bits; the last two may be written as an IPv4 address.
    private static func groups(_ text: Substring) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        for part in text.split(separator: ":", omittingEmptySubsequences: false) {
            if let group = UInt16(part, radix: 16) {
                groups.append(group)
            } else if let ipv4 = ipv4(part) {
                groups += [UInt16(truncatingIfNeeded: ipv4 >> 16), UInt16(truncatingIfNeeded: ipv4)]
            } else {
                return nil
            }
        }
        return groups
    }

    private static func joined(_ groups: [UInt16]) -> (UInt64, UInt64) {
        let words = groups.map { UInt64($0) }
        return (words.prefix(4).reduce(0) { $0 << 16 | $1 }, words.suffix(4).reduce(0) { $0 << 16 | $1 })
    }
}
