import NIOCore
package import NIOHTTP1

/// An answer that takes no request: a status of 4xx, and why.
package struct HTTPRefusal: Error, Equatable, Sendable {
    package var status: HTTPResponseStatus
    /// One sentence for whoever sent the request.
    package var reason: String
    /// Beside those that describe the answer itself.
    package var headers: HTTPHeaders

    package init(_ status: HTTPResponseStatus, _ reason: String, _ headers: HTTPHeaders = [:]) {
        self.status = status
        self.reason = reason
        self.headers = headers
    }

    /// The whole answer, which is the connection's last.
    package var answer: [HTTPServerResponsePart] {
        let body = ByteBuffer(string: reason + "\n")
        var headers = headers
        headers.add(name: "content-type", value: "text/plain; charset=utf-8")
        headers.add(name: "content-length", value: "\(body.readableBytes)")
        headers.add(name: "connection", value: "close")
        headers.add(name: "x-content-type-options", value: "nosniff")
        return [.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)), .body(.byteBuffer(body)), .end(nil)]
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
