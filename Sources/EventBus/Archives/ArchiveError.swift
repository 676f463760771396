/// Why a call on archives or replays was refused, in the service's words where it has some.
package struct ArchiveError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case validation = "ValidationException"
        case resourceNotFound = "ResourceNotFoundException"
        case resourceAlreadyExists = "ResourceAlreadyExistsException"
        case invalidEventPattern = "InvalidEventPatternException"
        case illegalStatus = "IllegalStatusException"
        case limitExceeded = "LimitExceededException"
    }

    package let code: Code
    package let message: String
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    static func invalid(_ parameter: String, _ value: String, _ reason: String) -> ArchiveError {
        ArchiveError(.validation, "Parameter \(parameter) is not valid. Reason: `\(value)` \(reason).")
    }

    static func unknownArchive(_ name: String) -> ArchiveError { ArchiveError(.resourceNotFound, "Archive \(name) does not exist.") }
    static func unknownReplay(_ name: String) -> ArchiveError { ArchiveError(.resourceNotFound, "Replay \(name) does not exist.") }
}
