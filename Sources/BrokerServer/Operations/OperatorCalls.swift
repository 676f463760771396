package import BrokerCore
import MQTTCodec
import NIOCore
import Synchronization

extension Broker: OperatorAccess {
    /// Steps that wait for one reader of ``trace(_:seconds:linesPerSecond:)``; further ones are skipped and counted.
    package static let traceStepsMax = 1_000

    // MARK: Clients

    package func clients() async -> [ClientSummary] { await clients(ClientQuery()) }

    package func clients(_ query: ClientQuery) async -> [ClientSummary] {
        query.select(await gather { $0.clients(query) })
    }

    package func client(_ clientID: String) async -> (summary: ClientSummary, subscriptions: [SubscriptionSummary])? {
        let parts = await collect { driver in
            driver.bringUpToDate()
            return (driver.shard.client(clientID), driver.shard.subscriptions(of: clientID) ?? [])
        }
        // While a session moves, the shard that is about to forget it has one, too.
        let found = parts.compactMap { part in part.0.map { (summary: $0, subscriptions: part.1) } }
        return found.first { $0.summary.connected } ?? found.first
    }

    package func kick(_ clientID: String, endingSession: Bool) async -> KickOutcome? {
        let parts = await collect { driver in driver.kick(clientID, endingSession: endingSession) }
        let outcomes = parts.compactMap(\.self)
        if outcomes.isEmpty { return nil }
        return KickOutcome(
            wasConnected: outcomes.contains(where: \.wasConnected), sessionRemoved: outcomes.contains(where: \.sessionRemoved))
    }

    // MARK: Subscriptions

    package func subscriptions(_ query: SubscriptionQuery) async -> [SubscriptionSummary] {
        let limit = max(0, query.limit)
        if let clientID = query.clientID {
            let parts = await collect { $0.shard.subscriptions(of: clientID) ?? [] }
            return Self.ordered(
                parts.joined().filter { summary in query.filter.map { ExactText($0) == ExactText(summary.filter) } ?? true }, limit)
        }
        if let filter = query.filter {
            return Self.ordered(await collect { $0.shard.subscribers(to: filter, limit: limit) }.flatMap(\.self), limit)
        }
        return Self.ordered(await gather { $0.subscriptions(limit: limit) }, limit)
    }

    package func recipients(of topic: String, limit: Int) async -> [SubscriptionSummary] {
        let limit = max(0, limit)
        return Self.ordered(await collect { $0.shard.recipients(of: topic, limit: limit) }.flatMap(\.self), limit)
    }

    private static func ordered(_ rows: [SubscriptionSummary], _ limit: Int) -> [SubscriptionSummary] {
        let sorted = rows.sorted {
            let (left, right) = (ExactText($0.clientID), ExactText($1.clientID))
            return left == right ? ExactText($0.filter) < ExactText($1.filter) : left < right
        }
        return Array(sorted.prefix(limit))
    }

    /// As `collect`, for what takes the shards several turns.
    private func gather<Row: Sendable>(
        _ question: @escaping @Sendable (ShardDriver) -> EventLoopFuture<[Row]>
    ) async -> [Row] {
        if isDraining { return [] }
        let futures = shards.map { shard in shard.eventLoop.flatSubmit { question(shard.value) } }
        var rows: [Row] = []
        for future in futures { rows += (try? await future.get()) ?? [] }
        return rows
    }

    // MARK: Traces

    package func trace(_ clientID: String, seconds: Int, linesPerSecond: Int) -> AsyncStream<TracedStep> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TracedStep.self, bufferingPolicy: .bufferingOldest(Self.traceStepsMax))
        if isDraining {
            continuation.finish()
            return stream
        }
        let id = lastReader.wrappingAdd(1, ordering: .relaxed).newValue
        let endsAt = Instant.now.advanced(bySeconds: Double(seconds))
        let shards = shards
        for shard in shards {
            shard.eventLoop.execute {
                shard.value.addTrace(
                    id, of: clientID, endsAt: endsAt, linesPerSecond: linesPerSecond, LiveReader(continuation: continuation))
            }
        }
        let end = shards[0].eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { continuation.finish() }
        continuation.onTermination = { _ in
            end.cancel()
            for shard in shards { shard.eventLoop.execute { shard.value.removeTrace(id) } }
        }
        return stream
    }
}
