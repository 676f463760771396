package import NIOCore
package import NIOHTTP1

/// What the gateway needs of whoever serves MQTT over WebSocket: a path, and somebody who takes the connections that ask for it.
package struct WebSocketPort: Sendable {
    let path: String
    let claims: @Sendable (HTTPRequestHead) -> Bool
    let take: @Sendable (any Channel) throws -> Void

    /// - Parameters:
    ///   - path: where it is served.
    ///   - claims: whether a connection's first request is for it.
    ///   - take: gives it a connection, on the connection's event loop.
    package init(
        path: String, claims: @escaping @Sendable (HTTPRequestHead) -> Bool, take: @escaping @Sendable (any Channel) throws -> Void
    ) {
        self.path = path
        self.claims = claims
        self.take = take
    }
}
