/// Text for people out of bytes that a stranger chose.
enum PrintableText {
    /// Characters of one name that are shown; the rest is cut and marked, so that no certificate fills a log line.
    static let charactersMax = 512

    /// `bytes` as ASCII: everything else, control characters and the backslash as `\xNN`, so that no two names look alike.
    static func escaping(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        var count = 0
        for byte in bytes {
            if count == charactersMax {
                return text + "…"
            }
            count += 1
            if (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "\\x" + Hexadecimal.text(CollectionOfOne(byte))
            }
        }
        return text
    }
}

/// Bytes as upper-case hexadecimal digits, as the openssl program prints them.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>, separator: String = "") -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined(separator: separator)
    }
}
