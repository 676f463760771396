import BrokerCore
import MQTTCodec

/// The broker's own figures as retained messages under `$SYS/broker/`, by the names that mosquitto 2.0 gives them.
///
/// Dashboards made for it work. Looked at every ``intervalSeconds``; published at the start, and then as far as they have changed.
/// Like mosquitto's, they count as sent to whoever subscribes to them, and not as received.
struct SystemTopics: Sendable {
    static let intervalSeconds = 10

    let version: String

    /// Publishes until the task is cancelled.
    func run(on broker: some BrokerAccess) async {
        var loads = SystemLoads()
        var published: [String: String] = [:]
        var last = ContinuousClock.now
        while !Task.isCancelled {
            let statistics = await broker.statistics()
            let now = ContinuousClock.now
            loads.take(statistics, after: (now - last) / .seconds(1))
            last = now
            let changed = topics(statistics, loads, .current).filter { published[$0.name] != $0.value }
            for (name, value) in changed { published[name] = value }
            await broker.publish(changed.map(Self.message))
            do {
                try await Task.sleep(for: .seconds(Self.intervalSeconds))
            } catch {
                return
            }
        }
    }

    private static func message(name: String, value: String) -> Message {
        Message(topic: "$SYS/broker/\(name)", payload: value.utf8, qos: .atMostOnce, retain: true)
    }

    /// Names below `$SYS/broker/`, and their values.
    func topics(_ statistics: BrokerStatistics, _ loads: SystemLoads, _ memory: UsedMemory) -> [(name: String, value: String)] {
        let sessions = statistics.clientsConnected + statistics.clientsOffline
        let stored = statistics.messagesQueued + statistics.retainedMessages
        let counts: [(String, any BinaryInteger)] = [
            ("clients/total", sessions),
            ("clients/connected", statistics.clientsConnected),
            ("clients/active", statistics.clientsConnected),
            ("clients/disconnected", statistics.clientsOffline),
            ("clients/inactive", statistics.clientsOffline),
            ("clients/maximum", statistics.clientsMaximum),
            ("clients/expired", statistics.sessionsExpired),
            ("messages/received", statistics.packetsReceived),
            ("messages/sent", statistics.packetsSent),
            ("messages/stored", stored),
            ("store/messages/count", stored),
            ("store/messages/bytes", statistics.queuedBytes + statistics.retainedBytes),
            ("retained messages/count", statistics.retainedMessages),
            ("subscriptions/count", statistics.subscriptions),
            ("shared_subscriptions/count", statistics.sharedSubscriptions),
            ("bytes/received", statistics.bytesReceived),
            ("bytes/sent", statistics.bytesSent),
            ("publish/messages/received", statistics.publishReceived.reduce(0, &+)),
            ("publish/messages/sent", statistics.publishSent.reduce(0, &+)),
            ("publish/messages/dropped", statistics.messagesDropped.values.reduce(0, &+)),
            ("publish/bytes/received", statistics.publishBytesReceived),
            ("publish/bytes/sent", statistics.publishBytesSent),
            ("heap/current", memory.bytes),
            ("heap/maximum", memory.bytesMaximum),
        ]
        return [("version", "crema version \(version)"), ("uptime", "\(statistics.uptimeSeconds) seconds")]
            + counts.map { ($0, "\($1)") } + loads.topics + ownTopics(statistics)
    }

    /// What mosquitto has no names for.
    private func ownTopics(_ statistics: BrokerStatistics) -> [(name: String, value: String)] {
        [
            ("connections/turned away/count", "\(statistics.connectionsTurnedAway.values.reduce(0, &+))"),
            ("connections/refused/count", "\(statistics.connectionsRefused.values.reduce(0, &+))"),
            ("authentications/failed/count", "\(statistics.authenticationsFailed)"),
        ]
    }
}
