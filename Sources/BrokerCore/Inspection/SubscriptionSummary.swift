import MQTTCodec

/// One subscription, with whose it is.
package struct SubscriptionSummary: Sendable, Equatable {
    package var clientID: String
    package var connected: Bool
    /// As the client gave it; a shared one with its group, `$share/GROUP/FILTER`.
    package var filter: String
    package var qos: Int
    package var noLocal: Bool
    package var retainAsPublished: Bool
    /// What it said of retained messages when it subscribed; `nil` where the store or another process knew it only.
    package var retainHandling: Int?
    /// 0 when there is none.
    package var subscriptionIdentifier: UInt32
    /// The group of a shared subscription.
    package var share: String?

    init(_ filter: String, _ options: SubscriptionOptions, of session: Session) {
        clientID = session.clientID
        connected = session.connection != nil
        self.filter = filter
        qos = Int(options.qos.rawValue)
        noLocal = options.noLocal
        retainAsPublished = options.retainAsPublished
        retainHandling = options.retainHandling.map { Int($0) }
        subscriptionIdentifier = options.identifier
        share = Self.group(of: filter)
    }

    package init(
        clientID: String, connected: Bool, filter: String, qos: Int, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: Int? = nil, subscriptionIdentifier: UInt32 = 0
    ) {
        self.clientID = clientID
        self.connected = connected
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
        self.subscriptionIdentifier = subscriptionIdentifier
        share = Self.group(of: filter)
    }

    private static func group(of filter: String) -> String? { (try? SharedFilter(parsing: filter))?.shareName }
}

/// Which subscriptions an operator asks for.
package struct SubscriptionQuery: Sendable, Equatable {
    /// Of this client only.
    package var clientID: String?
    /// Those with exactly this filter, shared or not.
    package var filter: String?
    /// Those that match the name of this topic.
    package var topic: String?
    /// Rows at the most.
    package var limit: Int

    package init(clientID: String? = nil, filter: String? = nil, topic: String? = nil, limit: Int = .max) {
        self.clientID = clientID
        self.filter = filter
        self.topic = topic
        self.limit = limit
    }
}
