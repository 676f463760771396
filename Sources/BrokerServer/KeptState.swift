package import BrokerCore

/// What outlives the process, and what it had kept when this one began.
package struct KeptState: Sendable {
    let store: any SessionStore
    let durability: Durability
    let retained: RetainedStore
    /// Let go of when shards have taken it over.
    var state: RestoredState
    /// Writes what was handed over and ends; blocks until then.
    let close: @Sendable () -> Void

    /// - Parameters:
    ///   - store: Takes what shards change, once the broker has been made.
    ///   - durability: When answers leave.
    ///   - retained: With what was kept.
    ///   - state: What was kept of sessions.
    ///   - close: Called once, off the event loops, when no client is left.
    package init(
        store: any SessionStore, durability: Durability, retained: RetainedStore, state: RestoredState,
        close: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.durability = durability
        self.retained = retained
        self.state = state
        self.close = close
    }
}
