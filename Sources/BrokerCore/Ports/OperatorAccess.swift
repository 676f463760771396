/// What operators may ask of the running broker beside its figures, and do to it, from any task.
///
/// Answers to questions come from what the shards keep anyway. Nothing here blocks an event loop: what looks at many sessions does it a part
/// at a time, what can be done elsewhere is done on the caller's thread.
package protocol OperatorAccess: BrokerAccess {
    /// Sessions that fit the query, in its order.
    func clients(_ query: ClientQuery) async -> [ClientSummary]

    /// One client with its subscriptions, ordered by filter; `nil` for one that has no session.
    func client(_ clientID: String) async -> (summary: ClientSummary, subscriptions: [SubscriptionSummary])?

    /// Closes a client's connection; see `Shard.kick`. `nil` for a client that has no session.
    func kick(_ clientID: String, endingSession: Bool) async -> KickOutcome?

    /// Subscriptions that fit the query, ordered by client and filter.
    ///
    /// By a topic: who gets a message on it, of shared subscriptions all members. With neither a client nor a filter nor a topic those of all
    /// sessions are looked at, until there are as many as the limit.
    func subscriptions(_ query: SubscriptionQuery) async -> [SubscriptionSummary]

    /// Topics that carried a message since start and fit the query.
    func topics(_ query: TopicQuery) async -> [TopicSummary]

    /// One level of the tree of topics, at most `limit` names in the order of their bytes.
    ///
    /// - Parameters:
    ///   - parent: the topic, or beginning of topics, below which; `nil` for the first level.
    ///   - search: only what leads to topics in which this text stands.
    ///   - limit: names at the most.
    /// - Returns: the names, with what is below them.
    func topicLevel(under parent: String?, search: String?, limit: Int) async -> [TopicBranch]

    /// Retained messages that fit the query, ordered by topic, at most `limit`; how many fit in all.
    func retainedMessages(_ query: RetainedQuery, limit: Int) async -> (rows: [RetainedSummary], matched: Int)

    /// Removes retained messages that fit the query, as a client's empty retained messages would: on disk, and for subscribers.
    ///
    /// One that is replaced while it is at it stays, unless that happens at the last moment.
    ///
    /// - Returns: how many fit, how many were removed, and the first topics.
    func removeRetained(_ query: RetainedQuery) async -> RetainedRemoval

    /// As ``BrokerAccess/tail(_:)``, of which each event loop shows the first and then one of so many; those between are not skipped.
    func tail(_ filter: String, every: Int) -> AsyncStream<TailedMessage>

    /// What happens between the broker and one client from now on, also one that connects later.
    ///
    /// Ends after `seconds`, or when the stream is cancelled. Bounded: what is more than `linesPerSecond`, or what a reader is too slow for,
    /// is counted in ``TracedStep/skipped``; the client never waits for it.
    func trace(_ clientID: String, seconds: Int, linesPerSecond: Int) -> AsyncStream<TracedStep>
}

/// Which topics an operator asks for.
package struct TopicQuery: Sendable, Equatable {
    package enum Order: String, Sendable, CaseIterable {
        case topic
        /// The most first.
        case messages
        /// The latest first.
        case lastSeen
    }

    package var filter: String
    /// Part of the topic's name; capital letters of ASCII count as small ones.
    package var search: String?
    package var order: Order
    /// Rows at the most.
    package var limit: Int

    package init(filter: String = "#", search: String? = nil, order: Order = .topic, limit: Int = .max) {
        self.filter = filter
        self.search = search
        self.order = order
        self.limit = limit
    }
}

/// Which retained messages an operator asks for.
package struct RetainedQuery: Sendable, Equatable {
    /// A topic filter; `$SYS/#` is of the broker's own messages, which are listed and never removed.
    package var filter: String
    /// Only those that were retained so long ago, at least.
    package var olderThanSeconds: Int?

    package init(filter: String, olderThanSeconds: Int? = nil) {
        self.filter = filter
        self.olderThanSeconds = olderThanSeconds
    }
}

/// What came of removing retained messages.
package struct RetainedRemoval: Sendable, Equatable {
    /// Topics that are named at the most.
    package static let topicsNamedMax = 100

    package var matched: Int
    package var removed: Int
    /// The first of them, in the order of their bytes.
    package var topics: [String]
    /// Whether a crash would not undo it.
    package var isKept = true

    package init(matched: Int, removed: Int, topics: [String]) {
        self.matched = matched
        self.removed = removed
        self.topics = topics
    }
}
