import BrokerCore
import MQTTCodec

/// The broker's own figures as retained messages under `$SYS/broker/`, by the names that mosquitto gives them.
///
/// Dashboards made for it work. Published at start and every ``intervalSeconds``.
struct SystemTopics: Sendable {
    static let intervalSeconds = 10

    let version: String

    /// Publishes until the task is cancelled.
    func run(on broker: some BrokerAccess) async {
        while !Task.isCancelled {
            await broker.publish(messages(broker.statistics()))
            do {
                try await Task.sleep(for: .seconds(Self.intervalSeconds))
            } catch {
                return
            }
        }
    }

    func messages(_ statistics: BrokerStatistics) -> [Message] {
        topics(statistics).map { name, value in
            Message(topic: "$SYS/broker/\(name)", payload: value.utf8, qos: .atMostOnce, retain: true)
        }
    }

    /// Names below `$SYS/broker/`, and their values.
    ///
    /// What the broker has no figure for is left out.
    func topics(_ statistics: BrokerStatistics) -> [(name: String, value: String)] {
        let sessions = statistics.clientsConnected + statistics.clientsOffline
        let stored = statistics.messagesQueued + statistics.retainedMessages
        return [
            ("version", "crema version \(version)"),
            ("uptime", "\(statistics.uptimeSeconds) seconds"),
            ("clients/total", "\(sessions)"),
            ("clients/connected", "\(statistics.clientsConnected)"),
            ("clients/active", "\(statistics.clientsConnected)"),
            ("clients/disconnected", "\(statistics.clientsOffline)"),
            ("clients/inactive", "\(statistics.clientsOffline)"),
            ("clients/maximum", "\(statistics.clientsMaximum)"),
            ("messages/received", "\(statistics.packetsReceived)"),
            ("messages/sent", "\(statistics.packetsSent)"),
            ("messages/stored", "\(stored)"),
            ("store/messages/count", "\(stored)"),
            ("retained messages/count", "\(statistics.retainedMessages)"),
            ("subscriptions/count", "\(statistics.subscriptions)"),
            ("bytes/received", "\(statistics.bytesReceived)"),
            ("bytes/sent", "\(statistics.bytesSent)"),
            ("connections/turned away/count", "\(statistics.connectionsTurnedAway.values.reduce(0, &+))"),
            ("connections/refused/count", "\(statistics.connectionsRefused.values.reduce(0, &+))"),
            ("authentications/failed/count", "\(statistics.authenticationsFailed)"),
            ("publish/messages/received", "\(statistics.publishReceived.reduce(0, &+))"),
            ("publish/messages/sent", "\(statistics.publishSent.reduce(0, &+))"),
            ("publish/messages/dropped", "\(statistics.messagesDropped.values.reduce(0, &+))"),
        ]
    }
}
