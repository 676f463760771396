/// What the functions of `$util` do.
extension VTLEvaluation {
    mutating func value(of utility: VTLUtility, _ argument: VTLValue) throws(VTLFailure) -> VTLValue {
        if argument.isNull { return .null }
        let text = try self.text(of: argument)
        switch utility {
        case .escapeJavaScript: return try made(VTLEscape.javaScript(text))
        case .urlEncode: return try made(VTLEscape.url(text))
        case .urlDecode:
            guard let decoded = VTLEscape.fromURL(text) else { throw .invalid("urlDecode: no percent-encoded text") }
            return try made(decoded)
        case .base64Encode: return try made(Base64.encode(text))
        case .base64Decode:
            guard let decoded = Base64.decode(text) else { throw .invalid("base64Decode: no Base64") }
            return try made(Array(String(decoding: decoded, as: UTF8.self).utf8))
        case .parseJson:
            do throws(JSONError) {
                return VTLValue(try JSONDocument(parsing: Array(text), limits: JSONLimits(bytesMax: VTLTemplate.workBytesMax)).root)
            } catch {
                throw .invalid("parseJson: \(error)")
            }
        }
    }

    private mutating func made(_ bytes: [UInt8]) throws(VTLFailure) -> VTLValue {
        try spend(bytes: bytes.count)
        return .text(bytes[...])
    }
}

/// Text in other spellings.
enum VTLEscape {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// As Java's library for text escapes ECMAScript: `'` becomes `\'`, which JSON does not know.
    static func javaScript(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        for unit in String(decoding: text, as: UTF8.self).utf16 {
            switch unit {
            case 0x22, 0x27, 0x2F, 0x5C: output += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: unit)]
            case 0x08: output += "\\b".utf8
            case 0x09: output += "\\t".utf8
            case 0x0A: output += "\\n".utf8
            case 0x0C: output += "\\f".utf8
            case 0x0D: output += "\\r".utf8
            case 0x20..<0x7F: output.append(UInt8(truncatingIfNeeded: unit))
            default:
                output += "\\u".utf8
                for shift in [UInt16(12), 8, 4, 0] { output.append(digits[Int(unit >> shift & 15)]) }
            }
        }
        return output
    }

    /// As forms are encoded.
    static func url(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        for byte in text {
            switch byte {
            case UInt8(ascii: " "): output.append(UInt8(ascii: "+"))
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "_"):
                output.append(byte)
            default: output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return output
    }

    /// Nil for a broken escape, and for what is not UTF-8.
    static func fromURL(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): output.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(JSONStringScanner.hexValue),
                    let low = rest.popFirst().flatMap(JSONStringScanner.hexValue)
                else { return nil }
                output.append(UInt8(truncatingIfNeeded: high << 4 | low))
            default: output.append(byte)
            }
        }
        return String(validating: output, as: UTF8.self) == nil ? nil : output
    }
}
