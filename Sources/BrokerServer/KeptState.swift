package import BrokerCore

/// What outlives the process, and what it had kept when this one began.
package struct KeptState: Sendable {
    let store: any SessionStore
    let durability: Durability
    let retained: RetainedStore
    private let sessions: [RestoredSession]
    /// Writes what was handed over and ends; blocks until then.
    let close: @Sendable () -> Void

    /// - Parameters:
    ///   - store: Takes what shards change, once the broker has been made.
    ///   - durability: When answers leave.
    ///   - retained: With what was kept.
    ///   - sessions: Those that were kept.
    ///   - close: Called once, off the event loops, when no client is left.
    package init(
        store: any SessionStore, durability: Durability, retained: RetainedStore, sessions: [RestoredSession],
        close: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.durability = durability
        self.retained = retained
        self.sessions = sessions
        self.close = close
    }

    /// The sessions of each of so many shards, all entered in the directory: each where it was, if there are as many as then.
    func sessions(byShardOf count: Int, enteredIn directory: SessionDirectory) -> [[RestoredSession]] {
        var parts: [[RestoredSession]] = Array(repeating: [], count: count)
        for var session in sessions {
            session.record.cell = ShardID(session.record.cell.index % count)
            parts[session.record.cell.index].append(session)
            let record = session.record
            directory.restore(record.clientID, for: record.cell, principal: record.principal, epoch: record.epoch)
        }
        return parts
    }
}
