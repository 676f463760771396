/// Why an event pattern is refused.
package struct EventPatternError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The service refuses it too.
        case invalid
        /// The service takes it, Crema does not: never accepted and ignored.
        case unsupported
    }

    package let kind: Kind
    /// For ``Kind/invalid`` the service's wording; for ``Kind/unsupported`` the path and the name of what is not supported.
    package let message: String

    package var description: String { message }

    static func invalid(_ reason: String) -> EventPatternError {
        EventPatternError(kind: .invalid, message: "Event pattern is not valid. Reason: \(reason)")
    }

    static func unsupported(_ what: String, at path: String) -> EventPatternError {
        EventPatternError(kind: .unsupported, message: "\(path): \(what)")
    }

    static func unsupported(operator name: String, at path: String) -> EventPatternError {
        unsupported("operator '\(name)' is not supported yet", at: path)
    }

    /// Words a syntax error as the service's own parser does where its wording is known.
    static func syntax(_ error: JSONError, in json: [UInt8]) -> EventPatternError {
        switch error.reason {
        case .unrecognizedToken(let token):
            let expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
            return .invalid("Unrecognized token '\(token)': was expecting \(expected)")
        case .unexpectedByte(let byte) where (0x20..<0x7F).contains(byte) && expectsKey(json, before: error.offset):
            let character = Character(Unicode.Scalar(byte))
            return .invalid("Unexpected character ('\(character)' (code \(byte))): was expecting double-quote to start field name")
        default:
            return .invalid("\(error)")
        }
    }

    private static func expectsKey(_ json: [UInt8], before offset: Int) -> Bool {
        let before = json.prefix(offset).last { $0 > 0x20 }
        return before == UInt8(ascii: "{")
    }
}
