import Hummingbird

/// A request to the inspection API that is not answered with what it asked for.
enum InspectionError: Error, Equatable {
    case notFound
    /// `allowed` is what the call takes instead.
    case methodNotAllowed(allowed: String)
    case notJSON
    case foreignPage(String)
    case authenticationRequired
    case foreignHost(String)
    case invalidQuery(String)
    case tooManyStreams(limit: Int)

    var status: HTTPResponse.Status {
        switch self {
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notJSON: .unsupportedMediaType
        case .authenticationRequired, .foreignHost, .foreignPage: .forbidden
        case .invalidQuery: .badRequest
        case .tooManyStreams: .serviceUnavailable
        }
    }

    var message: String {
        switch self {
        case .notFound: "not found"
        case .methodNotAllowed(let allowed): "only \(allowed) is supported"
        case .notJSON:
            "a request that changes something says `Content-Type: application/json`, which no web page elsewhere can make a browser send"
        case .foreignPage(let origin): "a page of '\(origin)' may not change anything here"
        case .authenticationRequired:
            "Crema cannot authenticate administrators yet; only a listener that says `anonymous: true` answers more than /livez and /readyz"
        case .foreignHost(let host):
            "this listener is bound to a loopback address and does not answer for the host '\(host)': a page elsewhere may be using its reader"
        case .invalidQuery(let reason): reason
        case .tooManyStreams(let limit): "\(limit) live streams are open already (tailStreamsMax)"
        }
    }

    /// For the header `Allow`.
    var allowedMethod: String? { if case .methodNotAllowed(let allowed) = self { allowed } else { nil } }
}
