import HTTPListening
import Hummingbird
import Trust

/// Why a call of AWS IoT's data plane was refused, in that service's shape: `{"message": …, "traceId": …}`.
enum DataPlaneError: Error, Equatable {
    case invalid(String)
    case forbidden(String)
    /// The request is signed wrongly, or not at all.
    case signature(SignatureFailure)
    /// In AWS's words, and in those of the log.
    case accessDenied(String, reason: String)
    case notFound(topic: String)
    case unknownOperation(String)
    case tooLarge(limit: Int)
    case tooSlow(seconds: Int)
    case unsupportedEncoding(String)
    /// More waits than there is room for; SDKs try again.
    case throttled
    /// The disk takes nothing.
    case notKept

    /// The name that clients switch over.
    var code: String {
        switch self {
        case .invalid, .unsupportedEncoding, .tooSlow: "InvalidRequestException"
        // The name that the model of this service has, where others say AccessDeniedException.
        case .forbidden, .accessDenied: "ForbiddenException"
        case .signature(let failure): ServiceError(failure).code
        case .notFound: "ResourceNotFoundException"
        case .unknownOperation: "UnknownOperationException"
        case .tooLarge: "RequestEntityTooLargeException"
        case .throttled: "ThrottlingException"
        case .notKept: "ServiceUnavailableException"
        }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .invalid, .unsupportedEncoding, .unknownOperation: .badRequest
        case .forbidden, .signature, .accessDenied: .forbidden
        case .notFound: .notFound
        case .tooLarge: .contentTooLarge
        case .tooSlow: .requestTimeout
        case .throttled: .tooManyRequests
        case .notKept: .serviceUnavailable
        }
    }

    var message: String {
        switch self {
        case .invalid(let text), .forbidden(let text), .accessDenied(let text, _): text
        case .signature(let failure): failure.description
        case .notFound(let topic): "No message is retained on the topic '\(topic)'"
        case .unknownOperation(let call): "\(call) is no operation that Crema has of AWS IoT's data plane"
        case .tooLarge(let limit): "The payload is longer than \(limit) bytes (httpBodyBytesMax)"
        case .tooSlow(let seconds): "The payload did not arrive within \(seconds) seconds (httpBodySecondsMax)"
        case .unsupportedEncoding(let encoding): "Content-Encoding \(encoding) is not supported by Crema"
        case .throttled: "Too much waits to be published (publishBytesWaitingMax)"
        case .notKept: "The message was not kept: the disk takes nothing"
        }
    }

    /// What the log has.
    var reason: String {
        if case .accessDenied(_, let reason) = self { "\(code): \(reason)" } else { "\(code): \(message)" }
    }

    init(_ error: BodyReadError) {
        self =
            switch error {
            case .tooLong(let limit): .tooLarge(limit: limit)
            case .tooSlow(let seconds): .tooSlow(seconds: seconds)
            case .encoded(let encoding): .unsupportedEncoding(encoding)
            case .malformed(let reason): .invalid("The payload cannot be read: \(reason)")
            case .interrupted: .invalid("The payload ended early")
            }
    }
}
