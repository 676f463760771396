/// How much JSON one document may hold.
///
/// Both limits refuse the document: nothing is cut short.
package struct JSONLimits: Sendable, Equatable {
    /// The longest text accepted, in bytes.
    ///
    /// EventBridge takes requests of up to 1 MiB.
    package var bytesMax: Int
    /// The deepest nesting of objects and arrays accepted.
    ///
    /// EventBridge reads 1,000 levels of `detail`.
    package var depthMax: Int

    package init(bytesMax: Int = 1_048_576, depthMax: Int = 1_000) {
        self.bytesMax = bytesMax
        self.depthMax = depthMax
    }
}

/// Why a text is not the JSON of RFC 8259, and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The text is longer than ``JSONLimits/bytesMax``.
        case tooLarge(bytesMax: Int)
        /// The text nests deeper than ``JSONLimits/depthMax``.
        case tooDeep(depthMax: Int)
        case unexpectedEnd
        case unexpectedByte(UInt8)
        /// A bare word that is none of `true`, `false`, `null`.
        case unrecognizedToken(String)
        case trailingBytes
        case invalidNumber
        case invalidEscape
        case invalidUTF8
        case controlCharacterInString
    }

    /// Bytes before the place where reading stopped.
    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    package var description: String {
        "\(text) at byte \(offset)"
    }

    private var text: String {
        switch reason {
        case .tooLarge(let bytesMax): "JSON text is longer than \(bytesMax) bytes"
        case .tooDeep(let depthMax): "JSON text nests deeper than \(depthMax) levels"
        case .unexpectedEnd: "JSON text ends too early"
        case .unexpectedByte(let byte): "unexpected \(JSONError.name(of: byte))"
        case .unrecognizedToken(let token): "unrecognized token '\(token)'"
        case .trailingBytes: "text after the JSON value"
        case .invalidNumber: "invalid number"
        case .invalidEscape: "invalid escape in a string"
        case .invalidUTF8: "invalid UTF-8 in a string"
        case .controlCharacterInString: "unescaped control character in a string"
        }
    }

    private static func name(of byte: UInt8) -> String {
        (0x21...0x7E).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
    }
}
