/// What happens to a subscriber that does not take its messages as fast as they come.
///
/// First the publishers that feed it wait for it, for a moment (`backPressureMillisecondsMax`). Then it counts as slow, until it has
/// caught up, and at its limits the listener's policy decides. Whatever is dropped is counted, by client and reason.
package enum SlowConsumerPolicy: String, Sendable, CaseIterable {
    /// What comes when there is no room goes to nobody.
    case dropNewest = "drop-newest"
    /// What has waited longest makes room.
    case dropOldest = "drop-oldest"
    /// The connection is closed, with 0x97 in MQTT 5; a session that is kept keeps its queue.
    case disconnect
}

/// What a listener says of its connections beside who may connect.
package struct ListenerTerms: Sendable, Equatable {
    package var slowConsumer: SlowConsumerPolicy
    package var dialect: Dialect
    /// Whether connects from this machine are limited like all others.
    package var limitLoopback: Bool

    package init(slowConsumer: SlowConsumerPolicy = .dropNewest, dialect: Dialect = .standard, limitLoopback: Bool = false) {
        self.slowConsumer = slowConsumer
        self.dialect = dialect
        self.limitLoopback = limitLoopback
    }

    /// Where a connection comes from, as far as its connects are limited.
    package func limited(_ network: PeerNetwork?) -> PeerNetwork? {
        guard let network, limitLoopback || !network.isLoopback else { return nil }
        return network
    }
}
