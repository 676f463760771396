/// Why a statement or a substitution template is refused when its rule is created.
package struct SQLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Bytes of UTF-8 before the offending place, from 0.
    package let offset: Int
    package let message: String

    package var description: String { "\(message) (offset \(offset))" }

    static func unsupported(_ kind: String, _ name: String, at offset: Int) -> SQLError {
        SQLError(offset: offset, message: "\(kind) '\(name)' is not supported")
    }

    static func needsVersion2016(_ what: String, at offset: Int) -> SQLError {
        SQLError(offset: offset, message: "\(what) needs SQL version \(SQLVersion.v2016.rawValue)")
    }
}

/// Why a message that the rule wants has no result.
///
/// The rule fails for this message; it does not fire with less.
package enum SQLEvaluationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `SELECT *, …` of a payload that is no JSON object: there is nothing the further items could be added to.
    case payloadIsNoObject
    /// `SELECT VALUE` of an array in version 2015-10-08, which has no results of that kind.
    case valueIsArray
    /// The texts made for one message grew past ``SQLStatement/workBytesMax``, or the result past ``SQLStatement/resultBytesMax``.
    case tooLong(bytesMax: Int)
    /// A value made on the way nests deeper than JSON may.
    case tooDeep(depthMax: Int)
    /// More instructions than ``SQLStatement/stepsMax``.
    case tooManySteps(stepsMax: Int)
    /// The regular expressions took more steps than ``SQLStatement/regexStepsMax``.
    case regexTooSlow(stepsMax: Int)
    /// A pattern that was computed from the message asks for something that is not supported.
    case unsupported(String)

    package var description: String {
        switch self {
        case .payloadIsNoObject: "SELECT * with further items needs a payload that is a JSON object"
        case .valueIsArray: "SELECT VALUE of an array needs SQL version \(SQLVersion.v2016.rawValue)"
        case .tooLong(let bytesMax): "the result is longer than \(bytesMax) bytes"
        case .tooDeep(let depthMax): "the result nests deeper than \(depthMax) levels"
        case .tooManySteps(let stepsMax): "the statement takes more than \(stepsMax) steps for this message"
        case .regexTooSlow(let stepsMax): "the regular expressions take more than \(stepsMax) steps for this message"
        case .unsupported(let what): what
        }
    }
}
