import MQTTCodec

/// Subscriptions of sessions that end: nothing is delivered by them from then on, and they leave the index a part in each turn.
///
/// A session may have very many of them, and many sessions may end at once. Shared ones go at once: others are to get what they would be
/// chosen for, and a session has no more than `sharedSubscriptionsPerClientMax`.
extension Shard {
    /// Filters of sessions that end which leave the index before the loop goes on.
    static let filtersPerTurn = 1_024

    /// What entering a filter in the index, removing it, or ending a session costs, in nodes of the index.
    static let changeVisits: UInt64 = 64

    /// What this shard has done for others to wait for, in nodes of the index.
    var work: UInt64 { index.visits &+ changes }

    /// Counts changes of the index, so that a client that asks for many of them waits for its next turn.
    func charge(_ count: Int = 1) { changes &+= UInt64(count) &* Self.changeVisits }

    /// Takes the subscriptions of a session that ends out of the index, or as many as there is time for now.
    func abandonSubscriptions(of session: Session) {
        let count = session.subscriptions.count
        if count == 0 { return }
        if count <= filterShare {
            filterShare -= count
            for filter in session.subscriptions.keys.sorted() { removeSubscription(of: session, filter: filter.text) }
            return openTurn()  // at its end there is time again
        }
        session.isAbandoned = true
        index.forgetRoutes()
        if session.sharedSubscriptions > 0 {
            let shared = session.subscriptions.filter { $0.value.share != nil }.keys.sorted()
            for filter in shared { removeSubscription(of: session, filter: filter.text) }
        }
        abandoned.append(session)
        workLater()
    }

    /// Goes on with it.
    func continueAbandoning() {
        filterShare = Self.filtersPerTurn
        while filterShare > 0, let session = abandoned.first {
            // No more than the names of this turn's part are gathered, or that alone would hold the loop up.
            let filters = Array(session.subscriptions.keys.prefix(filterShare))
            for filter in filters { removeSubscription(of: session, filter: filter.text) }
            filterShare -= filters.count
            if session.subscriptions.isEmpty { abandoned.removeFirst() }
        }
    }
}
