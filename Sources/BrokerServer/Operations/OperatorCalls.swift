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
        let search = query.search.map { SearchedText($0) }
        var found: [ClientSummary] = []
        await lookAtSessions(
            beginning: { driver in
                driver.bringUpToDate()
                return [ClientSummary]()
            },
            each: { driver, session, rows in
                if let summary = driver.shard.summary(of: session, fitting: query, search) { rows.append(summary) }
            },
            take: { rows in
                found += rows
                // Put in order now and then, so that what is kept stays near the limit.
                if found.count / 2 > query.limit { found = query.select(Self.lastOfEach(found)) }
                return true
            })
        return query.select(Self.lastOfEach(found))
    }

    /// A client that came again while others were looked at is met in both of its sessions: the later one counts.
    private static func lastOfEach(_ rows: [ClientSummary]) -> [ClientSummary] {
        var places: [ExactText: Int] = [:]
        for (place, row) in rows.enumerated() { places[ExactText(row.clientID)] = place }
        return places.count == rows.count ? rows : places.values.sorted().map { rows[$0] }
    }

    package func client(_ clientID: String) async -> (summary: ClientSummary, subscriptions: [SubscriptionSummary])? {
        let parts = await collect { driver in
            driver.bringUpToDate()
            return (driver.shard.client(clientID), driver.shard.subscriptions(of: clientID, fitting: SubscriptionQuery()) ?? [])
        }
        // While a session moves, the shard that is about to forget it has one, too.
        let found = parts.compactMap { part in part.0.map { (summary: $0, subscriptions: Self.ordered(part.1, .max)) } }
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
        var query = query
        query.limit = max(0, query.limit)
        return Self.ordered(await unordered(query), query.limit)
    }

    /// At least as many as are wanted, where there are as many.
    private func unordered(_ query: SubscriptionQuery) async -> [SubscriptionSummary] {
        let limit = query.limit
        if let clientID = query.clientID {
            return await collect { $0.shard.subscriptions(of: clientID, fitting: query) ?? [] }.flatMap(\.self)
        }
        if let filter = query.filter {
            return await collect { $0.shard.subscribers(to: filter, getting: query.topic, limit: limit) }.flatMap(\.self)
        }
        if let topic = query.topic { return await collect { $0.shard.recipients(of: topic, limit: limit) }.flatMap(\.self) }
        var found: [SubscriptionSummary] = []
        await lookAtSessions(
            beginning: { _ in [SubscriptionSummary]() },
            each: { driver, session, rows in rows += driver.shard.subscriptions(of: session, limit: limit - rows.count) },
            take: { rows in
                found += rows
                return found.count < limit
            })
        return found
    }

    private static func ordered(_ rows: [SubscriptionSummary], _ limit: Int) -> [SubscriptionSummary] {
        let sorted = rows.sorted {
            let (left, right) = (ExactText($0.clientID), ExactText($1.clientID))
            return left == right ? ExactText($0.filter) < ExactText($1.filter) : left < right
        }
        return Array(sorted.prefix(limit))
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
