/// IP address literals in strings: the service compares two spellings of one address as equal.
package enum AddressKey {
    /// The 4 or 16 bytes of the address that `text` spells, or nil if it spells none.
    ///
    /// IPv6 is hexadecimal groups and `::` only, as the service reads it; an IPv4-mapped address is the IPv4 address.
    package static func bytes(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        // "::" is the shortest address, eight groups of four with seven colons the longest.
        guard (2...39).contains(text.count) else { return nil }
        if text.contains(UInt8(ascii: ":")) { return ipv6(text) }
        return ipv4(text)
    }

    /// Whether an address literal may begin with the byte.
    static func mayBegin(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || JSONStringScanner.hexValue(byte) != nil
    }

    private static func ipv4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count <= 15, text.allSatisfy({ JSONParser.isDigit($0) || $0 == UInt8(ascii: ".") }) else { return nil }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count) else { return nil }
            let value = part.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
            guard let byte = UInt8(exactly: value) else { return nil }
            address.append(byte)
        }
        return address
    }

    private static func ipv6(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        guard text.allSatisfy({ $0 == colon || JSONStringScanner.hexValue($0) != nil }) else { return nil }
        var gap: Int?
        var groups: [UInt16] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == colon {
                let next = index + 1
                if next < text.endIndex, text[next] == colon {
                    guard gap == nil else { return nil }
                    gap = groups.count
                    index += 2
                    continue
                }
                // A single colon stands between two groups.
                guard !groups.isEmpty, gap != groups.count, next < text.endIndex else { return nil }
                index = next
            }
            var value: UInt32 = 0
            var digits = 0
            while index < text.endIndex, let digit = JSONStringScanner.hexValue(text[index]) {
                value = value << 4 | digit
                digits += 1
                index += 1
                guard digits <= 4 else { return nil }
            }
            guard digits > 0, let group = UInt16(exactly: value) else { return nil }
            groups.append(group)
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        if groups.prefix(5).allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            groups.removeFirst(6)
        }
        return groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }
}
