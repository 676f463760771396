import MQTTCodec
import NIOCore

/// What operators ask a shard. Answers come from what the shard keeps anyway.
extension Shard {
    /// Shows one of every `every` messages that match.
    package func addTap(id: UInt64, filter: String, every: Int = 1) {
        taps.append(Tap(id: id, filter: filter, every: every))
        tapsVersion &+= 1
    }

    package func removeTap(id: UInt64) {
        taps.removeAll { $0.id == id }
        tapsVersion &+= 1
    }

    /// What counts against `routeRecipientsMax`.
    package var routeRecipients: Int { routes.weight }

    /// This shard's part, with a look at every session: for a few of them.
    package func statistics() -> BrokerStatistics {
        var result = countedStatistics()
        for session in sessions.all { count(session, in: &result) }
        return result
    }

    /// What a session adds to the figures; nothing when it has ended.
    package func count(_ session: Session, in result: inout BrokerStatistics) {
        guard sessions.holds(session) else { return }
        if session.connection != nil { result.clientsConnected += 1 } else { result.clientsOffline += 1 }
        result.messagesQueued += session.queue.count
        result.messagesInFlight += session.window.unfinished
        addQueue(of: session, to: &result)
    }

    /// This shard's part without what is found by looking at sessions: counters to be added up, and retained messages, which all shards
    /// share, as they are.
    package func countedStatistics() -> BrokerStatistics {
        var result = BrokerStatistics()
        result.clientsMaximum = counters.clientsMaximum
        result.connectionsAccepted = counters.connectionsAccepted
        result.connectionsRefused = counters.connectionsRefused
        result.connectionsClosed = counters.connectionsClosed
        result.subscriptions = index.subscriptionCount
        result.retainedMessages = retained.count
        result.retainedBytes = retained.bytes
        result.bytesReceived = counters.bytesReceived
        result.bytesSent = counters.bytesSent
        result.packetsReceived = counters.packetsReceived
        result.packetsSent = counters.packetsSent
        result.publishReceived = counters.publishReceived.indices.map { counters.publishReceived[$0] }
        result.publishSent = counters.publishSent.indices.map { counters.publishSent[$0] }
        result.subscriptionsRefused = counters.subscriptionsRefused
        result.topicsUntracked = topics.untracked
        result.publishersThrottled = counters.publishersThrottled
        result.messagesDropped = Dictionary(uniqueKeysWithValues: counters.dropped.map { ($0.key.rawValue, $0.value) })
        addMeasurements(to: &result)
        return result
    }

    package func clientSummaries() -> [ClientSummary] { sessions.all.map { summary(of: $0) } }

    /// The next of the topics that this shard accepted messages on, in the order in which it heard of them.
    package func topicSnapshots(on walk: inout TopicWalk) -> [TopicSnapshot] {
        topics.next(on: &walk).filter { $0.messages > 0 }.map { $0.snapshot(at: now) }
    }
}
