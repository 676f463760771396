extension Node {
    /// The value as compact JSON text.
    ///
    /// Keys keep their order, numbers their spelling where JSON has it.
    ///
    /// - Throws: where a part is unresolved, or is a number that JSON cannot say (`.inf`).
    package func json(_ what: String) throws(DocumentError) -> [UInt8] {
        var output: [UInt8] = []
        try appendJSON(to: &output, what: what)
        return output
    }

    // The depth is bounded by ``DocumentLimits/depthMax``, so recursion is safe here.
    private func appendJSON(to output: inout [UInt8], what: String) throws(DocumentError) {
        switch content {
        case .scalar(let scalar):
            try appendScalar(scalar, to: &output, what: what)
        case .sequence(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                try element.appendJSON(to: &output, what: what)
            }
            output.append(UInt8(ascii: "]"))
        case .mapping(let entries):
            output.append(UInt8(ascii: "{"))
            for (index, entry) in entries.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                appendJSONString(entry.key, to: &output)
                output.append(UInt8(ascii: ":"))
                try entry.value.appendJSON(to: &output, what: what)
            }
            output.append(UInt8(ascii: "}"))
        case .unresolved(let reason):
            throw DocumentError("\(what): \(reason)", at: location)
        }
    }

    private func appendScalar(_ scalar: Scalar, to output: inout [UInt8], what: String) throws(DocumentError) {
        switch scalar.kind {
        case .string: appendJSONString(scalar.text, to: &output)
        case .boolean: output += scalar.text.lowercased().utf8
        case .null: output += "null".utf8
        case .number:
            guard let number = CoreSchema.jsonNumber(scalar.text) else {
                throw DocumentError("\(what): JSON has no number `\(scalar.text)`; quote it if it is text", at: location)
            }
            output += number.utf8
        }
    }
}

/// Appends a JSON string literal: escapes what RFC 8259 section 7 demands and nothing more.
package func appendJSONString(_ text: String, to output: inout [UInt8]) {
    let hexadecimal = Array("0123456789abcdef".utf8)
    output.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
        case 0x0A: output += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case 0x0D: output += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
        case 0x09: output += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
        case 0..<0x20: output += Array("\\u00".utf8) + [hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 0x0F)]]
        default: output.append(byte)
        }
    }
    output.append(UInt8(ascii: "\""))
}
