import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// One limit of ``BrokerLimits``: how to use exactly an amount of it, and what is seen when that is too much.
struct LimitRow: CustomTestStringConvertible, Sendable {
    /// As in the configuration.
    let name: String
    /// What the limit is set to.
    let limit: Int
    /// What is seen beyond it: counters as in `/metrics`, or what the client is told.
    let beyond: String
    /// Whether exactly the limit is still served.
    ///
    /// Times are over when they are reached, and rooms are full when they are filled.
    var servesLimit = true
    /// Uses an amount; answers what was seen, or nothing when all was served.
    let use: @Sendable (LimitTrial) throws -> String

    var testDescription: String { name }

    /// A use of so much, by a broker that began with the limit, or got it by a reload.
    func trial(amount: Int, isReloaded: Bool = false) throws -> LimitTrial {
        let path = try #require(BrokerLimits.names.first { $0.name == name }?.path, "there is no limit \(name)")
        var limits = BrokerLimits()
        limits[keyPath: path] = limit
        return LimitTrial(limits: limits, amount: amount, isReloaded: isReloaded)
    }
}

/// A use of an amount of what a limit bounds.
struct LimitTrial {
    static let network = PeerNetwork("192.0.2.1")

    var limits: BrokerLimits
    let amount: Int
    let isReloaded: Bool

    func broker(
        shards: Int = 1, authorizer: any Authorizer = ListenerAuthorizer(), store: SimulatedStore? = nil
    ) -> SimulatedBroker {
        var first = isReloaded ? BrokerLimits() : limits
        for (name, path) in BrokerLimits.names where BrokerLimits.keptUntilRestart.contains(name) {
            first[keyPath: path] = limits[keyPath: path]
        }
        let broker = SimulatedBroker(shards: shards, limits: first, authorizer: authorizer, store: store)
        if isReloaded { broker.take(first.reloaded(as: limits).limits) }
        return broker
    }
}

extension SimulatedBroker {
    /// Everything that was counted as refused, dropped, closed, or turned away, but for clients that leave or come back.
    var refusals: String {
        let departures = ["disconnected", "session_taken_over", "refused"]
        var seen: [String] = []
        for node in nodes {
            var statistics = node.core.statistics()
            if node.id == ShardID(0) { admission.count(into: &statistics) }
            seen += statistics.connectionsRefused.keys.map { "refused: \($0)" }
            seen += statistics.connectionsClosed.keys.filter { !departures.contains($0) }.map { "closed: \($0)" }
            seen += statistics.connectionsTurnedAway.keys.map { "turned away: \($0)" }
            seen += statistics.messagesDropped.keys.map { "dropped: \($0)" }
            if statistics.publishersThrottled > 0 { seen.append("throttled") }
            if statistics.subscriptionsRefused > 0 { seen.append("subscription refused") }
        }
        return seen.sorted().joined(separator: ", ")
    }

    /// A client whose socket takes nothing, subscribed to `t`.
    func stalled(_ qos: QoS = .atMostOnce) throws -> SimulatedClient {
        let client = try client("stalled")
        _ = try client.subscribe("t", qos)
        setWritable(try #require(client.socket), false)
        return client
    }

    /// Publishes on `t` a message whose packet has exactly this size.
    func publish(packetBytes: Int, from publisher: SimulatedClient) {
        let header = packetBytes <= 129 ? 5 : 6  // two bytes or three of fixed header, and the topic
        publisher.send(message("t", String(repeating: "x", count: packetBytes - header)))
        settle()
    }
}
