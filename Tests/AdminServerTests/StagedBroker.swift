import BrokerCore
import NIOCore
import Synchronization

/// A broker with prepared answers.
final class StagedBroker: OperatorAccess {
    private let staged = Mutex((statistics: BrokerStatistics(), clients: [ClientSummary](), topics: [TopicSummary]()))
    private let tails = Mutex<[String: AsyncStream<TailedMessage>.Continuation]>([:])
    private let opened = AsyncStream<String>.makeStream()
    private let closed = AsyncStream<String>.makeStream()

    init(statistics: BrokerStatistics = BrokerStatistics(), clients: [ClientSummary] = [], topics: [TopicSummary] = []) {
        staged.withLock { $0 = (statistics, clients, topics) }
    }

    func stage(_ statistics: BrokerStatistics) { staged.withLock { $0.statistics = statistics } }

    func admitsPublish() -> Bool { operators.withLock { $0.hasRoom } }
    var now: Instant { Instant(nanoseconds: 0) }
    func problem(ofTopic topic: String) -> String? { topic.utf8.count > 100 ? "a topic longer than 100 bytes (topicBytesMax)" : nil }
    func retainedMessage(on topic: String) async -> RetainedSummary? { nil }
    func retainedMessages(
        from first: String, limit: Int, where isWanted: @Sendable (String) -> Bool
    ) async -> (rows: [RetainedSummary], next: String?) { ([], nil) }

    func publish(_ messages: [Message]) async -> PublishOutcome {
        operators.withLock { operators in
            if operators.outcome != .refused { operators.published += messages }
            return operators.outcome
        }
    }

    func statistics() async -> BrokerStatistics {
        note("statistics")
        return staged.withLock { $0.statistics }
    }

    func clients() async -> [ClientSummary] { staged.withLock { $0.clients } }

    func topics(matching filter: String, limit: Int) async -> [TopicSummary] {
        staged.withLock { Array($0.topics.filter { filter == "#" || $0.topic == filter }.prefix(limit)) }
    }

    // MARK: OperatorAccess

    /// What a test prepares for operators, and what they did.
    struct Staging {
        var subscriptions: [SubscriptionSummary] = []
        var branches: [TopicBranch] = []
        var retained: [RetainedSummary] = []
        var hasRoom = true
        var outcome = PublishOutcome.kept
        var asked: [String] = []
        var published: [Message] = []
    }

    let operators = Mutex(Staging())

    private func note(_ call: String) { operators.withLock { $0.asked.append(call) } }

    func clients(_ query: ClientQuery) async -> [ClientSummary] {
        note("\(query.search ?? "") \(query.state?.rawValue ?? "") \(query.order.rawValue) \(query.limit)")
        return query.select(staged.withLock { $0.clients })
    }

    func client(_ clientID: String) async -> (summary: ClientSummary, subscriptions: [SubscriptionSummary])? {
        let found = staged.withLock { $0.clients.first { $0.clientID == clientID } }
        return found.map { ($0, operators.withLock { $0.subscriptions }) }
    }

    func kick(_ clientID: String, endingSession: Bool) async -> KickOutcome? {
        note("kick \(clientID) \(endingSession)")
        guard staged.withLock({ $0.clients.contains { $0.clientID == clientID } }) else { return nil }
        return KickOutcome(wasConnected: true, sessionRemoved: endingSession)
    }

    func subscriptions(_ query: SubscriptionQuery) async -> [SubscriptionSummary] {
        note("client \(query.clientID ?? "") filter \(query.filter ?? "") topic \(query.topic ?? "") \(query.limit)")
        return operators.withLock { $0.subscriptions }
    }

    func topics(_ query: TopicQuery) async -> [TopicSummary] {
        note("topics \(query.filter) \(query.search ?? "") \(query.order.rawValue)")
        return await topics(matching: query.filter, limit: query.limit)
    }

    func topicLevel(under parent: String?, search: String?, limit: Int) async -> [TopicBranch] {
        note("under \(parent ?? "") \(search ?? "") \(limit)")
        return Array(operators.withLock { $0.branches }.prefix(limit))
    }

    func retainedMessages(_ query: RetainedQuery, limit: Int) async -> (rows: [RetainedSummary], matched: Int) {
        note("retained \(query.filter) \(query.olderThanSeconds ?? 0) \(limit)")
        let all = operators.withLock { $0.retained }
        return (Array(all.prefix(limit)), all.count)
    }

    func removeRetained(_ query: RetainedQuery) async -> RetainedRemoval {
        note("remove \(query.filter) \(query.olderThanSeconds ?? 0)")
        return RetainedRemoval(matched: 2, removed: 2, topics: ["a", "b"])
    }

    func tail(_ filter: String, every: Int) -> AsyncStream<TailedMessage> {
        note("every \(every)")
        return tail(filter)
    }

    func trace(_ clientID: String, seconds: Int, linesPerSecond: Int) -> AsyncStream<TracedStep> {
        note("trace \(clientID) \(seconds) \(linesPerSecond)")
        let (stream, continuation) = AsyncStream<TracedStep>.makeStream()
        continuation.yield(
            TracedStep(
                at: Instant(nanoseconds: 0), direction: .received, name: "PUBLISH",
                detail: [
                    .init("topic", .text("t")), .init("qos", .number(1)), .init("retain", .flag(false)), .init("properties", .list(["x"])),
                ],
                skipped: 3))
        continuation.finish()
        return stream
    }

    func tail(_ filter: String) -> AsyncStream<TailedMessage> {
        let (stream, continuation) = AsyncStream<TailedMessage>.makeStream()
        continuation.onTermination = { [closed] _ in closed.continuation.yield(filter) }
        tails.withLock { $0[filter] = continuation }
        opened.continuation.yield(filter)
        return stream
    }

    /// Waits until a reader asks for a live copy; answers with its filter.
    func nextTailOpened() async -> String? {
        for await filter in opened.stream { return filter }
        return nil
    }

    /// Waits until a live copy's reader has gone; answers with its filter.
    func nextTailClosed() async -> String? {
        for await filter in closed.stream { return filter }
        return nil
    }

    func send(_ message: TailedMessage, to filter: String) {
        _ = tails.withLock { $0[filter]?.yield(message) }
    }

    func endTail(_ filter: String) {
        tails.withLock { $0[filter]?.finish() }
    }
}
