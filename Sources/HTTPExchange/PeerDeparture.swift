package import NIOCore

/// Tells when the peer of an HTTP connection goes while its request is worked on.
///
/// A peer that has closed its side is gone: one that still wants its answer keeps it open.
package struct PeerDeparture: Sendable {
    private let channel: (any Channel)?

    package init(of channel: any Channel) {
        self.channel = channel
    }

    private init() {
        channel = nil
    }

    /// Of nobody: for calls that wait for nothing.
    package static let never = PeerDeparture()

    /// Whether the peer has gone.
    ///
    /// Requests may be pipelined: the turn of one may come when nobody is there any more.
    package var isOver: Bool {
        get async {
            guard let channel else { return false }
            return (try? await channel.eventLoop.submit { Self.isOver(channel) }.get()) ?? true
        }
    }

    /// Works on a request; `gone` is called once, on the connection's event loop, if the peer goes meanwhile, or was gone before.
    ///
    /// `gone` may still be on its way when this returns. On a channel that is no socket's it is never called.
    package func watch<Value, Failure: Error>(
        gone: @escaping @Sendable () -> Void, during body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let watch = DepartureWatch(gone: gone)
        channel?.eventLoop.execute { [channel] in
            if let handler = Self.handler(channel) {
                handler.add(watch)
            } else if let channel, Self.isOver(channel) {
                watch.gone()
            }
        }
        defer { channel?.eventLoop.execute { [channel] in Self.handler(channel)?.remove(watch) } }
        return try await body()
    }

    /// To be called on the channel's event loop.
    private static func isOver(_ channel: any Channel) -> Bool {
        if let handler = handler(channel) { return handler.peerHasLeft }
        // The pipeline of a socket that was closed has no handlers any more; a test's channel has none from the beginning, and no parent.
        return channel.parent != nil && !channel.isActive
    }

    private static func handler(_ channel: (any Channel)?) -> RequestExchangeHandler? {
        try? channel?.pipeline.syncOperations.handler(type: RequestExchangeHandler.self)
    }
}

/// Somebody who wants to know that the peer has gone.
final class DepartureWatch: Sendable {
    let gone: @Sendable () -> Void

    init(gone: @escaping @Sendable () -> Void) {
        self.gone = gone
    }
}
