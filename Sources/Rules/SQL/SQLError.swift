/// Why a statement or a substitution template is refused when its rule is created.
package struct SQLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes of UTF-8 before the offending place, from 0.
    package let offset: Int
    package let message: String

    package var description: String { "\(message) (offset \(offset))" }

    static func unsupported(_ kind: String, _ name: String, at offset: Int) -> SQLError {
        SQLError(offset: offset, message: "\(kind) '\(name)' is not supported yet")
    }
}

/// Why a message that the rule wants has no result.
///
/// The rule fails for this message; it does not fire with less.
package enum SQLEvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `SELECT *, …` of a payload that is no JSON object: there is nothing the further items could be added to.
    case payloadIsNoObject
    /// The texts made for one message grew past ``SQLStatement/workBytesMax``, or the result past ``SQLStatement/resultBytesMax``.
    case tooLong(bytesMax: Int)

    package var description: String {
        switch self {
        case .payloadIsNoObject: "SELECT * with further items needs a payload that is a JSON object"
        case .tooLong(let bytesMax): "the result is longer than \(bytesMax) bytes"
        }
    }
}
