package import Documents

/// Why a call that was to look at what rules are made of, or at archives and replays, or to change them, did nothing.
///
/// Codes and texts are those of the services.
package struct ControlError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case validation = "ValidationException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceAlreadyExists = "ResourceAlreadyExistsException"
        case limitExceeded = "LimitExceededException"
        /// The rule is a template's.
        case managedRule = "ManagedRuleException"
        case invalidEventPattern = "InvalidEventPatternException"
        /// What a replay does now does not allow it.
        case illegalStatus = "IllegalStatusException"
        case policyLengthExceeded = "PolicyLengthExceededException"
        // AWS IoT's own.
        case sqlParse = "SqlParseException"
        case invalidRequest = "InvalidRequestException"
        /// The topic rule is a template's.
        case conflictingUpdate = "ConflictingResourceUpdateException"
        /// Also for a topic rule that does not exist.
        case unauthorized = "UnauthorizedException"
        /// The disk takes nothing.
        case serviceUnavailable = "ServiceUnavailableException"
        /// The thing has another version than the one that was expected.
        case versionConflict = "VersionConflictException"
        /// Something is still attached.
        case deleteConflict = "DeleteConflictException"
        case malformedPolicy = "MalformedPolicyException"
        case versionsLimitExceeded = "VersionsLimitExceededException"
        /// Its status does not allow what was asked for.
        case certificateState = "CertificateStateException"
        case certificateValidation = "CertificateValidationException"
    }

    package let code: Code
    package let message: String
    package var description: String { message }

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// What the readers of templates refuse; where it stands is known to the caller.
    package init(_ code: Code, _ error: DocumentError) {
        self.init(code, error.problems.map(\.message).joined(separator: "; "))
    }

    static func noBus(_ name: String) -> ControlError { .init(.resourceNotFound, "Event bus \(name) does not exist.") }

    static func noRule(_ name: String, onBus bus: String) -> ControlError {
        .init(.resourceNotFound, "Rule \(name) does not exist on EventBus \(bus).")
    }

    static func noTopicRule(_ name: String) -> ControlError { .init(.unauthorized, "Access to topic rule '\(name)' was denied") }
    static func noArchive(_ name: String) -> ControlError { .init(.resourceNotFound, "Archive \(name) does not exist.") }
    static func noReplay(_ name: String) -> ControlError { .init(.resourceNotFound, "Replay \(name) does not exist.") }

    static func noConnection(_ name: String) -> ControlError {
        .init(.resourceNotFound, "Failed to describe the connection(s). Connection '\(name)' does not exist.")
    }

    static func noDestination(_ name: String) -> ControlError {
        .init(.resourceNotFound, "Failed to describe the api-destination(s). An api-destination '\(name)' does not exist.")
    }

    static func invalid(_ parameter: String, _ value: String, _ reason: String) -> ControlError {
        .init(.validation, "Parameter \(parameter) is not valid. Reason: `\(value)` \(reason).")
    }

    /// Whatever was asked for, it may be carried out later all the same.
    package static let notKept = ControlError(
        .serviceUnavailable, "The store of Crema cannot write now; its log says why. Try again later.")

    static let tooMany = ControlError(.limitExceeded, "The requested resource exceeds the maximum number allowed.")

    /// What a template declares must be what it says, also after the next reload.
    package static func ofTemplate(_ what: String, at location: SourceLocation, _ code: Code) -> ControlError {
        .init(code, "\(what) is declared at \(location), and changed only there.")
    }
}
