/// What may stand in the parts of a request that templates and events fill.
enum HTTPText {
    /// The longest path and query, in bytes.
    static let targetBytesMax = 8_192
    /// The longest value of a header, in bytes.
    static let headerBytesMax = 8_192

    /// Headers that say how the message itself is to be read, or that are for others to set.
    private static let reservedNames: Set<String> = [
        "connection", "content-encoding", "content-length", "content-md5", "date", "expect", "forwarded", "host", "http2-settings",
        "keep-alive", "max-forwards", "origin", "proxy-authenticate", "proxy-authorization", "proxy-connection", "range", "referer", "te",
        "trailer", "transfer-encoding", "upgrade", "user-agent", "via",
    ]

    /// Why a header may not be set; nil where it may.
    static func refusal(ofHeader name: String) -> String? {
        let isToken = (1...512).contains(name.utf8.count) && name.utf8.allSatisfy { isNameByte($0) || "!#$%&'*+^`|~".utf8.contains($0) }
        guard isToken else { return "`\(name)` is not the name of a header" }
        return reservedNames.contains(name.lowercased()) ? "the header \(name) cannot be set" : nil
    }

    /// Whether a text may be the value of a header: visible characters, blanks and tabs, none of which begins another line.
    static func isHeaderValue(_ text: String) -> Bool {
        text.utf8.count <= headerBytesMax && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }

    /// A text as it may stand in a path or a query, whatever it holds.
    static func percentEncoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            if isNameByte(byte) || byte == UInt8(ascii: "~") {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Appends `name=value` pairs to a path that may have a query already.
    static func appendQuery(_ pairs: [(name: String, value: String)], to target: inout String) {
        for (name, value) in pairs {
            target += target.contains("?") ? "&" : "?"
            target += "\(percentEncoded(name))=\(percentEncoded(value))"
        }
    }
}
