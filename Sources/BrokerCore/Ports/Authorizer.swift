package import MQTTCodec

/// What is known of a connection before its CONNECT.
package struct ConnectionInfo: Sendable, Equatable {
    /// `address:port` of the peer.
    package var peer: String
    /// Name of the listener that accepted it, as in its start-up line.
    package var listener: String
    /// Whether the listener takes clients that prove nothing.
    package var allowsAnonymous: Bool
    /// The name that the client's certificate proved.
    package var principal: String?

    package init(peer: String, listener: String, allowsAnonymous: Bool, principal: String? = nil) {
        self.peer = peer
        self.listener = listener
        self.allowsAnonymous = allowsAnonymous
        self.principal = principal
    }
}

/// The answer to "who is this, and may they connect?".
package enum Authentication: Sendable, Equatable {
    /// `principal` is `nil` for an anonymous client.
    case accepted(principal: String?)
    case refused(ConnectReturnCode)
}

/// The one door: every connection, publish, subscription and delivery asks here.
package protocol Authorizer: Sendable {
    /// Whether every `allows…` answers true for everybody: then deliveries need not ask one by one.
    var isUnrestricted: Bool { get }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication
    func allowsPublish(to topic: String, by publisher: Publisher) -> Bool
    func allowsSubscribe(to filter: String, by subscriber: Publisher) -> Bool
    /// Asked at the time of delivery, live, retained, queued and resent alike.
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool
}

/// Takes clients that proved a principal, and others where the listener allows them; once in, a client may do everything.
package struct ListenerAuthorizer: Authorizer {
    package init() {}

    package var isUnrestricted: Bool { true }

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        if let principal = connection.principal { return .accepted(principal: principal) }
        return connection.allowsAnonymous ? .accepted(principal: nil) : .refused(.notAuthorized)
    }

    package func allowsPublish(to topic: String, by publisher: Publisher) -> Bool { true }
    package func allowsSubscribe(to filter: String, by subscriber: Publisher) -> Bool { true }
    package func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}
