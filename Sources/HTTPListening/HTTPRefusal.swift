package import NIOHTTP1

/// An answer that takes no request: a status of 4xx, and why.
package struct HTTPRefusal: Error, Equatable, Sendable {
    package var status: HTTPResponseStatus
    /// One sentence for whoever sent the request.
    package var reason: String

    package init(_ status: HTTPResponseStatus, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}

/// A request that was refused, as the log tells it.
package struct RefusedRequest: Sendable {
    /// `nil` for what could not be read as a request.
    package var method: String?
    /// As it came, with its query.
    package var target: String?
    package var status: Int
    package var reason: String
    /// `address:port`.
    package var peer: String

    package init(method: String?, target: String?, status: Int, reason: String, peer: String) {
        self.method = method
        self.target = target
        self.status = status
        self.reason = reason
        self.peer = peer
    }
}
