import Glibc

/// A block of Internet addresses as in `203.0.113.0/24`, `2001:db8::/32`, or one address.
struct AddressRange: Sendable, Equatable {
    /// 4 or 16.
    private let bytes: [UInt8]
    private let bits: Int

    /// `nil` for a text that is none, or whose address has bits beyond the block's length.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let bytes = Self.bytes(of: String(first)) else { return nil }
        self.bytes = bytes
        guard parts.count > 1 else {
            bits = bytes.count * 8
            return
        }
        guard let length = UInt8(parts[1]), String(length) == parts[1], Int(length) <= bytes.count * 8 else { return nil }
        bits = Int(length)
        for bit in bits..<(bytes.count * 8) where bytes[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 { return nil }
    }

    func contains(_ address: String) -> Bool {
        guard let other = Self.bytes(of: address), other.count == bytes.count else { return false }
        return (0..<bits).allSatisfy { bit in (bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0 }
    }

    /// An IPv4 address that is written as one of IPv6 (`::ffff:192.0.2.1`) is that IPv4 address.
    private static func bytes(of text: String) -> [UInt8]? {
        var version4 = in_addr()
        if unsafe inet_pton(AF_INET, text, &version4) == 1 { return unsafe withUnsafeBytes(of: &version4) { unsafe Array($0) } }
        var version6 = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &version6) == 1 else { return nil }
        let bytes = unsafe withUnsafeBytes(of: &version6) { unsafe Array($0) }
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
        return bytes.starts(with: mapped) ? Array(bytes.dropFirst(mapped.count)) : bytes
    }
}
