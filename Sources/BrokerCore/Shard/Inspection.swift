import MQTTCodec
import NIOCore

/// Somebody who watches the messages that match a filter.
struct Tap {
    let id: UInt64
    let filter: String
}

/// What operators ask a shard. Answers come from what the shard keeps anyway.
extension Shard {
    package func addTap(id: UInt64, filter: String) { taps.append(Tap(id: id, filter: filter)) }

    package func removeTap(id: UInt64) { taps.removeAll { $0.id == id } }

    /// What counts against `routeRecipientsMax`.
    package var routeRecipients: Int { routes.weight }

    /// This shard's part: counters to be added up, and retained messages, which all shards share, as they are.
    package func statistics() -> BrokerStatistics {
        var result = BrokerStatistics()
        for session in sessions.values {
            if session.connection != nil { result.clientsConnected += 1 } else { result.clientsOffline += 1 }
            result.messagesQueued += session.queue.count
            result.messagesInFlight += session.window.unfinished
            addQueue(of: session, to: &result)
        }
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

    package func clientSummaries() -> [ClientSummary] {
        sessions.values.map { session in
            let connection = session.connection
            return ClientSummary(
                clientID: session.clientID, connected: connection != nil, principal: session.principal,
                userName: connection?.userName, peer: connection?.info.peer, listener: connection?.info.listener,
                protocolVersion: connection.map(\.version.name) ?? "", cleanSession: session.endsWithConnection,
                keepAliveSeconds: Int(connection?.keepAliveSeconds ?? 0),
                connectedSeconds: connection.map { now.seconds(since: $0.openedAt) } ?? 0,
                subscriptions: session.subscriptions.count, queued: session.queue.count, inFlight: session.window.unfinished,
                drops: Dictionary(uniqueKeysWithValues: session.drops.map { ($0.key.rawValue, $0.value) }),
                refusals: session.refusals.all)
        }
    }

    /// Topics that this shard accepted messages on, at most `limit` of those that match, in no order.
    package func topicSummaries(matching filter: String, limit: Int) -> [TopicSummary] {
        var found: [TopicSummary] = []
        for (topic, record) in topics.records where record.messages > 0 {
            let name = String(buffer: topic)
            guard Topics.matches(name: name, filter: filter) else { continue }
            found.append(
                TopicSummary(
                    topic: name, messages: record.messages, bytes: record.bytes, lastSeenSeconds: now.seconds(since: record.lastSeen),
                    retained: retained.message(for: topic) != nil))
            if found.count == limit { break }
        }
        return found
    }
}
