import HTTPListening
import Hummingbird

/// A request to the inspection API that is not answered with what it asked for.
enum InspectionError: Error, Equatable {
    case notFound
    /// `allowed` is what the call takes instead.
    case methodNotAllowed(allowed: String)
    case notJSON
    case foreignPage(String)
    /// Nothing that is shown opens the listener.
    case authenticationRequired
    /// Nothing was shown, or something that is not taken, for the reason given.
    case unauthorized(String?)
    case foreignHost(String)
    case invalidQuery(String)
    /// Why the body is not what the call takes.
    case invalidBody(String)
    case unread(BodyReadError)
    /// It is done, and the disk does not take it.
    case notKept
    /// There is nothing of that name; what was asked for.
    case noSuch(String)
    /// What was asked for cannot be done now, or not with this; why.
    case refused(String)
    case tooManyStreams(limit: Int, name: String)
    /// The broker has no room for it now; why.
    case noRoom(String)

    var status: HTTPResponse.Status {
        switch self {
        case .notFound, .noSuch: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notJSON: .unsupportedMediaType
        case .unauthorized: .unauthorized
        case .authenticationRequired, .foreignHost, .foreignPage: .forbidden
        case .invalidQuery, .invalidBody: .badRequest
        case .unread(.tooLong): .contentTooLarge
        case .unread(.encoded): .unsupportedMediaType
        case .unread: .badRequest
        case .notKept: .serviceUnavailable
        case .refused: .unprocessableContent
        case .tooManyStreams, .noRoom: .serviceUnavailable
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
            "this listener has no credentials for administrators, so only /livez and /readyz answer: give it an `adminToken` (a file with a "
                + "secret), or say `anonymous: true`"
        case .unauthorized(let reason):
            (reason.map { "the token is refused: \($0); " } ?? "")
                + "this listener answers administrators: set CREMA_ADMIN_TOKEN or CREMA_ADMIN_TOKEN_FILE, or send Authorization: Bearer TOKEN"
        case .foreignHost(let host):
            "this listener does not answer for the host '\(host)': a page elsewhere may be using its reader. Use an address, or name the host in "
                + "the listener's `hosts`"
        case .invalidQuery(let reason): reason
        case .invalidBody(let reason): "the body is not what this call takes: \(reason)"
        case .unread(.tooLong(let limit)): "the body is larger than \(limit) bytes (adminBodyBytesMax)"
        case .unread(.tooSlow(let seconds)): "the body did not come within \(seconds) seconds (adminIdleSecondsMax)"
        case .unread(.encoded(let coding)): "a body with the coding '\(coding)' is not read: send it as it is"
        case .unread(.malformed(let reason)): "the body breaks HTTP's rules: \(reason)"
        case .notKept: "it is done, and a crash would undo it: the disk takes nothing now"
        case .unread(.interrupted): "the connection ended before the body did"
        case .noSuch(let what): "there is no \(what)"
        case .refused(let reason): reason
        case .tooManyStreams(let limit, let name): "\(limit) live streams are open already (\(name))"
        case .noRoom(let reason): reason
        }
    }

    /// For the header `Allow`.
    var allowedMethod: String? { if case .methodNotAllowed(let allowed) = self { allowed } else { nil } }
}
