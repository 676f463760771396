/// IP address literals in strings: the service compares two spellings of one address as equal.
package enum AddressKey {
    /// The 4 or 16 bytes of the address that `text` spells, or nil if it spells none.
    ///
    /// IPv6 is hexadecimal groups and `::` only, as the service reads it; an IPv4-mapped address is the IPv4 address.
    package static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? { address(text)?.bytes }

    /// The same as a number.
    static func address(_ text: ArraySlice<UInt8>) -> IPAddress? {
        // "::" is the shortest address, eight groups of four with seven colons the longest.
        guard (2...39).contains(text.count) else { return nil }
        return text.contains(colon) ? ipv6(text) : ipv4(text)
    }

    private static let colon = UInt8(ascii: ":")

    /// Whether an address literal may begin with the byte.
    static func mayBegin(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || JSONStringScanner.hexValue(byte) != nil
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> IPAddress? {
        var bits: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            if JSONParser.isDigit(byte), digits < 3 {
                part = part * 10 + UInt32(byte & 0x0F)
                digits += 1
            } else if byte == UInt8(ascii: "."), digits > 0, part <= 255, dots < 3 {
                bits = bits << 8 | part
                (part, digits, dots) = (0, 0, dots + 1)
            } else {
                return nil
            }
        }
        guard dots == 3, digits > 0, part <= 255 else { return nil }
        return IPAddress(isIPv4: true, bits: UInt128(bits << 8 | part))
    }

    private static func ipv6(_ text: ArraySlice<UInt8>) -> IPAddress? {
        var bits: UInt128 = 0
        var count = 0
        /// What stood before `::`, moved to the front in the end.
        var front: (bits: UInt128, count: Int)?
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == colon {
                let next = index + 1
                if next < text.endIndex, text[next] == colon {
                    guard front == nil else { return nil }
                    front = (bits, count)
                    bits = 0
                    index += 2
                    continue
                }
                // A single colon stands between two groups.
                guard count > 0, front?.count != count, next < text.endIndex else { return nil }
                index = next
            }
            var group: UInt32 = 0
            var digits = 0
            while index < text.endIndex, let digit = JSONStringScanner.hexValue(text[index]) {
                group = group << 4 | digit
                digits += 1
                index += 1
                guard digits <= 4 else { return nil }
            }
            guard digits > 0, count < 8 else { return nil }
            bits = bits << 16 | UInt128(group)
            count += 1
        }
        if let front {
            guard count < 8 else { return nil }
            if front.count > 0 { bits |= front.bits << UInt128(128 - 16 * front.count) }
        } else if count != 8 {
            return nil
        }
        let isMapped = bits >> 32 == 0xFFFF
        return IPAddress(isIPv4: isMapped, bits: isMapped ? bits & 0xFFFF_FFFF : bits)
    }
}
