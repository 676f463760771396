import Documents

/// Why a call that was to look at buses, rules or topic rules, or to change them, did nothing.
///
/// Codes and texts are those of the services.
package struct ControlError: Error, Equatable, Sendable {
    package enum Code: String, Sendable {
        case validation = "ValidationException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceAlreadyExists = "ResourceAlreadyExistsException"
        case limitExceeded = "LimitExceededException"
        /// The rule is a template's.
        case managedRule = "ManagedRuleException"
        case invalidEventPattern = "InvalidEventPatternException"
        // AWS IoT's own.
        case sqlParse = "SqlParseException"
        case invalidRequest = "InvalidRequestException"
        /// The topic rule is a template's.
        case conflictingUpdate = "ConflictingResourceUpdateException"
        /// Also for a topic rule that does not exist.
        case unauthorized = "UnauthorizedException"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What the readers of templates refuse; where it stands is known to the caller.
    init(_ code: Code, _ error: DocumentError) {
        self.init(code, error.problems.map(\.message).joined(separator: "; "))
    }

    static func noBus(_ name: String) -> ControlError { .init(.resourceNotFound, "Event bus \(name) does not exist.") }

    static func noRule(_ name: String, onBus bus: String) -> ControlError {
        .init(.resourceNotFound, "Rule \(name) does not exist on EventBus \(bus).")
    }

    static func noTopicRule(_ name: String) -> ControlError { .init(.unauthorized, "Access to topic rule '\(name)' was denied") }

    static let tooMany = ControlError(.limitExceeded, "The requested resource exceeds the maximum number allowed.")

    /// A template's rule must be what its template says, also after the next reload.
    static func ofTemplate(_ what: String, at location: SourceLocation, _ code: Code) -> ControlError {
        .init(code, "\(what) is declared at \(location), and changed only there.")
    }
}
