/// What came in and went out through one listener since the broker's start.
package struct ListenerFigures: Sendable, Equatable {
    /// Connections that are open now, CONNECT or not; those in a TLS handshake are not among them.
    package var connected = 0
    /// Connections that reached the broker, after TLS where there is TLS.
    package var accepted: UInt64 = 0
    /// PUBLISH packets of clients.
    package var messagesReceived: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var handshakesCompleted: UInt64 = 0
    package var handshakesFailed: UInt64 = 0

    package init() {}

    package mutating func add(_ other: ListenerFigures) {
        connected += other.connected
        accepted &+= other.accepted
        messagesReceived &+= other.messagesReceived
        bytesReceived &+= other.bytesReceived
        bytesSent &+= other.bytesSent
        handshakesCompleted &+= other.handshakesCompleted
        handshakesFailed &+= other.handshakesFailed
    }
}

/// The figures of one listener on one shard, where its connections find them without a search.
///
/// Belongs to the shard.
package final class ListenerCounters {
    package var figures = ListenerFigures()

    package init() {}
}
