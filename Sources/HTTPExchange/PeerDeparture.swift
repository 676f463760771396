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

    /// Works on a request; `gone` is called once, on the connection's event loop, if the peer goes meanwhile, or was gone before.
    ///
    /// `gone` may still be on its way when this returns. On a connection without ``RequestExchangeHandler`` it is never called.
    package func watch<Value, Failure: Error>(
        gone: @escaping @Sendable () -> Void, during body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let watch = DepartureWatch(gone: gone)
        withHandler { $0.add(watch) }
        defer { withHandler { $0.remove(watch) } }
        return try await body()
    }

    private func withHandler(_ body: @escaping @Sendable (RequestExchangeHandler) -> Void) {
        guard let channel else { return }
        channel.eventLoop.execute {
            if let handler = try? channel.pipeline.syncOperations.handler(type: RequestExchangeHandler.self) { body(handler) }
        }
    }
}

/// Somebody who wants to know that the peer has gone.
final class DepartureWatch: Sendable {
    let gone: @Sendable () -> Void

    init(gone: @escaping @Sendable () -> Void) {
        self.gone = gone
    }
}
