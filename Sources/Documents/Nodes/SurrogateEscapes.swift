/// Characters that the texts of JSON write as the two escapes of a surrogate pair, such as `\ud83d\ude00`.
enum SurrogateEscapes {
    private static let backslash = UInt8(ascii: "\\")

    /// The text with each pair as the character that it stands for; `nil` where there is none.
    static func joined(in text: String) -> String? {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var (start, index) = (0, 0)
        while index < bytes.count {
            guard bytes[index] == backslash else {
                index += 1
                continue
            }
            guard let high = unit(in: bytes, at: index), let low = unit(in: bytes, at: index + 6), (0xD800...0xDBFF).contains(high),
                (0xDC00...0xDFFF).contains(low), let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
            else {
                index += 2  // another escape: what it escapes may be a backslash
                continue
            }
            output += bytes[start..<index]
            output += Array(String(scalar).utf8)
            index += 12
            start = index
        }
        return start == 0 ? nil : String(decoding: output + bytes[start...], as: UTF8.self)
    }

    /// What an escape of four hexadecimal digits stands for.
    private static func unit(in bytes: [UInt8], at index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == backslash, bytes[index + 1] == UInt8(ascii: "u") else { return nil }
        return UInt32(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }
}
