/// A client came, went, subscribed or unsubscribed: what AWS IoT publishes on `$aws/events/…`.
package struct LifecycleEvent: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case connected
        case disconnected(CloseReason)
        /// The filters that were granted.
        case subscribed([String])
        case unsubscribed([String])
    }

    package var kind: Kind
    package var clientID: String
    /// The place of the connection's CONNECT among all since the broker's start: the same from connect to disconnect, and larger for each
    /// later connection of a client.
    package var attempt: UInt64
    package var principal: String?
    /// `address:port`.
    package var peer: String

    package init(kind: Kind, clientID: String, attempt: UInt64, principal: String?, peer: String) {
        self.kind = kind
        self.clientID = clientID
        self.attempt = attempt
        self.principal = principal
        self.peer = peer
    }
}

extension Shard {
    /// Tells of a client that is or was connected, where somebody wants to know.
    ///
    /// Clients whose names have a wildcard in them have no such topics, as in AWS IoT.
    func reportLifecycle(_ kind: @autoclosure () -> LifecycleEvent.Kind, of connection: ClientConnection) {
        guard reportsLifecycle, let session = connection.session else { return }
        if session.clientID.utf8.contains(where: { $0 == UInt8(ascii: "#") || $0 == UInt8(ascii: "+") }) { return }
        transport.report(
            .lifecycle(
                LifecycleEvent(
                    kind: kind(), clientID: session.clientID, attempt: connection.attempt, principal: session.principal,
                    peer: connection.info.peer)))
    }
}
