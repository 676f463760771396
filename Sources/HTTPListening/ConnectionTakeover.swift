package import NIOCore
package import NIOHTTP1
import Synchronization

/// Lets somebody else have connections whose first request asks for it, as for an upgrade to another protocol.
package struct ConnectionTakeover: Sendable {
    /// Connections taken over and still open.
    private final class Count: Sendable {
        let open = Mutex(0)
    }

    private let connectionsMax: Int
    private let limitName: String
    private let claims: @Sendable (HTTPRequestHead) -> Bool
    private let take: @Sendable (any Channel) throws -> Void
    private let count = Count()

    /// - Parameters:
    ///   - connectionsMax: connections taken over at once; a further one is answered 503.
    ///   - limitName: what that limit is called in the configuration.
    ///   - claims: whether a first request is for the other side, to be served or refused.
    ///   - take: gives the other side a connection. Its pipeline ends with `RequestCoders` and a `RequestExchangeHandler`, and a handler that
    ///     passes the request on. Called on the connection's event loop.
    package init(
        connectionsMax: Int, limitName: String, claims: @escaping @Sendable (HTTPRequestHead) -> Bool,
        take: @escaping @Sendable (any Channel) throws -> Void
    ) {
        self.connectionsMax = connectionsMax
        self.limitName = limitName
        self.claims = claims
        self.take = take
    }

    enum Decision: Equatable {
        case leave, taken
        case refuse(reason: String)
    }

    /// Decides over a connection by its first request, and gives it away if it is to.
    func decide(_ head: HTTPRequestHead, on channel: any Channel) -> Decision {
        guard claims(head) else { return .leave }
        let count = count
        let hasPlace = count.open.withLock { open in
            guard open < connectionsMax else { return false }
            open += 1
            return true
        }
        guard hasPlace else { return .refuse(reason: "\(connectionsMax) connections of this kind are open already (\(limitName))") }
        channel.closeFuture.whenComplete { _ in count.open.withLock { $0 -= 1 } }
        do {
            try take(channel)
            return .taken
        } catch {
            return .refuse(reason: "the connection cannot be served: \(error)")
        }
    }
}
