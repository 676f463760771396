import EventBus
import HTTPListening
package import Hummingbird
import Queues

/// A request that fails as a whole, in the shape of the AWS JSON protocols: `{"__type": …, "message": …}`.
///
/// Failures of single entries are no errors here: they are part of an answer with status 200.
package struct ServiceError: Error, Equatable {
    /// The names that clients of all services switch over.
    package enum Code: String, Sendable {
        /// A member is missing, out of bounds, or not supported.
        case validation = "ValidationException"
        /// The body is not JSON, or a member has another type.
        case serialization = "SerializationException"
        case unknownOperation = "UnknownOperationException"
        case missingAuthenticationToken = "MissingAuthenticationTokenException"
        case incompleteSignature = "IncompleteSignatureException"
        case unrecognizedClient = "UnrecognizedClientException"
        case invalidSignature = "InvalidSignatureException"
        case accessDenied = "AccessDeniedException"

        /// What query protocols call what is wrong with the caller; nil for everything else.
        var olderName: String? {
            switch self {
            case .missingAuthenticationToken: "MissingAuthenticationToken"
            case .incompleteSignature: "IncompleteSignature"
            case .unrecognizedClient: "InvalidClientTokenId"
            case .invalidSignature: "SignatureDoesNotMatch"
            case .accessDenied: "AccessDenied"
            default: nil
            }
        }

        case unsupportedMediaType = "UnsupportedMediaTypeException"
        case requestTimeout = "RequestTimeoutException"
        /// More waits than there is room for; SDKs try again.
        case throttling = "ThrottlingException"
        /// The disk takes nothing.
        case serviceUnavailable = "ServiceUnavailableException"
    }

    /// The name that clients switch over.
    package let code: String
    package let message: String
    /// The status that goes with the name; AWS SDKs read the name first.
    package let status: HTTPResponse.Status
    /// What the log has in place of the message, where that says more.
    private(set) var logged: String?
    /// What stands before the name in `__type`; nil for nothing.
    private(set) var namespace: String?
    /// What a queue refused; nil for everything else.
    private(set) var queueError: QueueError?
    /// The name in the protocol that the service spoke before JSON, for the header `x-amzn-query-error`.
    private(set) var olderCode: String?

    init(_ code: Code, _ message: String, logged: String? = nil) {
        self.code = code.rawValue
        self.logged = logged
        self.message = message
        status =
            switch code {
            case .validation, .serialization, .unknownOperation, .throttling: .badRequest
            case .missingAuthenticationToken, .incompleteSignature, .unrecognizedClient, .invalidSignature, .accessDenied: .forbidden
            case .unsupportedMediaType: .unsupportedMediaType
            case .requestTimeout: .requestTimeout
            case .serviceUnavailable: .serviceUnavailable
            }
    }

    /// A refusal of EventBridge's or AWS IoT's; the former's status is always the same.
    init(_ error: ControlError, status: HTTPResponse.Status = .badRequest) {
        code = error.code.rawValue
        message = error.message
        self.status = error.code == .serviceUnavailable ? .serviceUnavailable : status
    }

    init(_ error: QueueError) {
        code = error.code.rawValue
        message = error.message
        status = error.code == .serviceUnavailable ? .serviceUnavailable : .badRequest
        queueError = error
        namespace = "com.amazonaws.sqs"
        olderCode = error.code.olderName
    }

    /// The error as a service says it whose clients still know the names of its older protocol.
    var withOlderName: ServiceError {
        var error = self
        if let name = Code(rawValue: code)?.olderName { error.olderCode = error.olderCode ?? name }
        return error
    }

    /// For the log.
    var reason: String { "\(code): \(logged ?? message)" }

    var type: String { namespace.map { "\($0)#\(code)" } ?? code }
}

extension ServiceError {
    /// A body that cannot be read, where its length is no matter of the service's own.
    init(_ error: BodyReadError) {
        self =
            switch error {
            case .tooLong(let limit): ServiceError(.validation, "The request body is longer than \(limit) bytes.")
            case .tooSlow(let seconds):
                ServiceError(.requestTimeout, "The request body did not arrive within \(seconds) seconds (httpBodySecondsMax).")
            case .encoded(let encoding): ServiceError(.unsupportedMediaType, "Content-Encoding \(encoding) is not supported by Crema.")
            case .malformed(let reason): ServiceError(.serialization, "The request body cannot be read: \(reason).")
            case .interrupted: ServiceError(.serialization, "The request body ended early.")
            }
    }
}
