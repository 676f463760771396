import EventBus
package import Hummingbird

/// A request that fails as a whole, in the shape of the AWS JSON 1.1 protocol: `{"__type": …, "message": …}`.
///
/// Failures of single entries are no errors here: they are part of an answer with status 200.
package struct ServiceError: Error, Equatable {
    /// The names that clients switch over.
    package enum Code: String, Sendable {
        /// A member is missing, out of bounds, or not supported.
        case validation = "ValidationException"
        /// The body is not JSON, or a member has another type.
        case serialization = "SerializationException"
        case unknownOperation = "UnknownOperationException"
        case missingAuthenticationToken = "MissingAuthenticationTokenException"
        case unsupportedMediaType = "UnsupportedMediaTypeException"
        case requestTimeout = "RequestTimeoutException"
    }

    package let code: Code
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The status that goes with the name; AWS SDKs read the name first.
    package var status: HTTPResponse.Status {
        switch code {
        case .validation, .serialization, .unknownOperation: .badRequest
        case .missingAuthenticationToken: .forbidden
        case .unsupportedMediaType: .unsupportedMediaType
        case .requestTimeout: .requestTimeout
        }
    }
}

extension ServiceError {
    init(_ error: BodyReadError) {
        self =
            switch error {
            // The service measures entries, not bodies; a body this long cannot hold entries within its limit.
            case .tooLong: ServiceError(PutEventsError.tooLarge)
            case .tooSlow(let seconds):
                ServiceError(.requestTimeout, "The request body did not arrive within \(seconds) seconds (httpBodySecondsMax).")
            case .encoded(let encoding): ServiceError(.unsupportedMediaType, "Content-Encoding \(encoding) is not supported by Crema.")
            case .malformed(let reason): ServiceError(.serialization, "The request body cannot be read: \(reason).")
            case .interrupted: ServiceError(.serialization, "The request body ended early.")
            }
    }

    init(_ error: PutEventsError) {
        self.init(.validation, error.message)
    }
}
