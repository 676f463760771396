import BrokerCore
import NIOCore

/// Looks at all sessions of one event loop a part at a time, so that clients are served in between.
extension ShardDriver {
    /// Sessions that are looked at before others have their turn.
    static let sessionsPerRound = 1_000

    /// The sessions that fit, in the query's order, as many as it wants.
    func clients(_ query: ClientQuery) -> EventLoopFuture<[ClientSummary]> {
        bringUpToDate()
        let search = query.search.map { SearchedText($0) }
        return gather { session, found in
            if let summary = self.shard.summary(of: session, fitting: query, search) { found.append(summary) }
            // Sorted now and then, so that what is kept stays near the limit.
            if found.count / 2 > query.limit { found = query.select(found) }
            return true
        }
    }

    /// Subscriptions of all sessions in no order, at most `limit`.
    func subscriptions(limit: Int) -> EventLoopFuture<[SubscriptionSummary]> {
        gather { session, found in
            found += self.shard.subscriptions(of: session, limit: limit - found.count)
            return found.count < limit
        }
    }

    private func gather<Row: Sendable>(_ look: @escaping (Session, inout [Row]) -> Bool) -> EventLoopFuture<[Row]> {
        let promise = eventLoop.makePromise(of: [Row].self)
        round(shard.sessionList[...], [], promise, look)
        return promise.futureResult
    }

    private func round<Row: Sendable>(
        _ sessions: ArraySlice<Session>, _ rows: [Row], _ promise: EventLoopPromise<[Row]>,
        _ look: @escaping (Session, inout [Row]) -> Bool
    ) {
        var found = rows
        for session in sessions.prefix(Self.sessionsPerRound) where !look(session, &found) { return promise.succeed(found) }
        let rest = sessions.dropFirst(Self.sessionsPerRound)
        if rest.isEmpty { return promise.succeed(found) }
        eventLoop.assumeIsolated().execute { self.round(rest, found, promise, look) }
    }
}
