import HTTPListening
import Hummingbird
import Trust

/// A request to an API route that did nothing, in API Gateway's shape: `{"message": …}`.
enum RouteError: Error, Equatable {
    case notFound
    /// A request for MQTT over WebSocket that does not ask for WebSocket, or not at once.
    case upgradeRequired
    case authenticationRequired
    /// The request is signed wrongly, or not at all.
    case signature(SignatureFailure)
    /// In AWS's words, and in those of the log.
    case accessDenied(String, reason: String)
    /// A token is missing or refused. The reason is for the log, the challenge for the caller.
    case unauthorized(reason: String, challenge: String)
    /// The token has none of the scopes.
    case insufficientScope([String])
    case malformedPath
    case malformedBody(String)
    case bodyTooLong(limit: Int)
    case bodyTooSlow(seconds: Int)
    case unsupportedEncoding(String)
    /// A mapping has no value in this request.
    case badRequest(String)
    /// No route of a REST API.
    case missingAuthenticationToken
    /// No template takes the request's media type, and nothing passes through.
    case unsupportedMediaType
    /// The route would call a service that Crema does not have.
    case notServed(String)
    /// Nobody can help it but the one who wrote the document; the log has the reason.
    case failed(String)
    /// The service refused what the route put or sent.
    case eventRefused(code: String, message: String)

    init(_ error: BodyReadError) {
        self =
            switch error {
            case .tooLong(let limit): .bodyTooLong(limit: limit)
            case .tooSlow(let seconds): .bodyTooSlow(seconds: seconds)
            case .encoded(let encoding): .unsupportedEncoding(encoding)
            case .malformed(let reason): .malformedBody(reason)
            case .interrupted: .malformedBody("it ended early")
            }
    }

    var status: HTTPResponse.Status {
        switch self {
        case .notFound: .notFound
        case .upgradeRequired: .upgradeRequired
        case .unauthorized: .unauthorized
        case .insufficientScope, .authenticationRequired, .missingAuthenticationToken, .signature, .accessDenied: .forbidden
        case .malformedPath, .malformedBody, .badRequest: .badRequest
        case .bodyTooLong: .contentTooLarge
        case .bodyTooSlow: .requestTimeout
        case .unsupportedEncoding, .unsupportedMediaType: .unsupportedMediaType
        case .notServed: .notImplemented
        case .failed: .internalServerError
        case .eventRefused(let code, _):
            switch code {
            case "ThrottlingException": .tooManyRequests
            case "InternalFailure", "InternalException": .internalServerError
            case "ServiceUnavailable", "ServiceUnavailableException": .serviceUnavailable
            default: .badRequest
            }
        }
    }

    var message: String {
        switch self {
        case .notFound: "Not Found"
        case .upgradeRequired: "MQTT over WebSocket is served here: the first request of a connection must ask for the upgrade"
        case .authenticationRequired:
            "This listener takes no request: it says neither `anonymous: true` nor `accessKeys: true`, and names no `tokens`."
        case .signature(let failure): failure.description
        case .accessDenied(let text, _): text
        case .unauthorized: "Unauthorized"
        case .insufficientScope: "Forbidden"
        case .malformedPath: "The request path is not valid percent-encoded UTF-8"
        case .malformedBody(let reason): "The request body cannot be read: \(reason)"
        case .bodyTooLong(let limit): "Request Too Long: a body may have \(limit) bytes (httpBodyBytesMax)"
        case .bodyTooSlow(let seconds): "The request body did not arrive within \(seconds) seconds (httpBodySecondsMax)"
        case .unsupportedEncoding(let encoding): "Content-Encoding \(encoding) is not supported"
        case .badRequest(let reason): reason
        case .missingAuthenticationToken: "Missing Authentication Token"
        case .unsupportedMediaType: "Unsupported Media Type"
        case .notServed(let service): "The integration \(service) is not supported by Crema"
        case .failed: "Internal server error"
        case .eventRefused(let code, let message): "\(code): \(message)"
        }
    }

    /// What the log has.
    var reason: String {
        switch self {
        case .failed(let reason), .unauthorized(let reason, _): reason
        case .accessDenied(_, let reason): reason
        case .insufficientScope(let scopes): "the token has none of the scopes \(scopes.joined(separator: ", "))"
        default: message
        }
    }

    /// The name that SDKs know it by; `nil` for most.
    var code: String? {
        switch self {
        case .missingAuthenticationToken: ServiceError.Code.missingAuthenticationToken.rawValue
        case .signature(let failure): ServiceError(failure).code
        case .accessDenied: ServiceError.Code.accessDenied.rawValue
        default: nil
        }
    }

    /// The value of `WWW-Authenticate`; `nil` for an answer without.
    var challenge: String? {
        switch self {
        case .unauthorized(_, let challenge): challenge
        case .insufficientScope(let scopes): BearerChallenge.insufficientScope(scopes)
        default: nil
        }
    }
}
