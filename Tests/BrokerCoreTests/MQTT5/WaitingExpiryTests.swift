import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// QoS 0 messages that wait for a socket: they expire there, too, and hold nothing but themselves.
@Suite struct WaitingExpiryTests {
    /// A client whose socket takes nothing; with `isSlow` it has been waited for long enough.
    private func stalled(
        _ broker: SimulatedBroker, _ policy: SlowConsumerPolicy, isSlow: Bool, aliases: UInt16 = 0
    ) throws -> SimulatedClient {
        let client = SimulatedClient("slow", of: broker)
        client.open(terms: ListenerTerms(slowConsumer: policy))
        let properties = properties { if aliases > 0 { $0.topicAliasMaximum = aliases } }
        _ = try client.exchange(.connect(Connect(clientID: "slow", cleanStart: true, keepAlive: 0, version: .v5, properties: properties)))
        _ = try client.subscribe5("t")
        broker.setWritable(try #require(client.socket), false)
        guard isSlow else { return client }
        let publisher = try broker.client5("filler")
        for _ in 0..<3 { publisher.send(message5("t", "filler".padding(98))) }
        broker.advance(seconds: 0.2)
        broker.settle()
        return client
    }

    private func limits() -> BrokerLimits {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 200
        return limits
    }

    // [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]
    @Test(
        "What expires while the socket takes nothing is not sent, and the rest tells what is left of its time",
        arguments: [(SlowConsumerPolicy.dropNewest, false), (.dropOldest, false), (.dropOldest, true), (.disconnect, false)],
        [0, 5] as [UInt16])
    func expiry(_ terms: (policy: SlowConsumerPolicy, isSlow: Bool), aliases: UInt16) throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try stalled(broker, terms.policy, isSlow: terms.isSlow, aliases: aliases)
        let publisher = try broker.client5("p")
        for (name, interval) in [("short", 2), ("long", 10), ("endless", nil), ("last", 4)] as [(String, UInt32?)] {
            publisher.send(message5("t", name) { $0.messageExpiryInterval = interval })
            broker.settle()
        }
        #expect(broker.dropped == [:])
        broker.advance(seconds: 3.5)
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        let received = try client.read().publishes.filter { !String(buffer: $0.payload).hasPrefix("filler") }
        #expect(received.map { String(buffer: $0.payload) } == ["long", "endless", "last"])
        #expect(received.map(\.properties.messageExpiryInterval) == [7, nil, 1])
        #expect(broker.dropped == ["message_expired": 1])
        // It takes bytes again: nothing waits any more.
        #expect(try publisher.exchange(message5("t", "now") { $0.messageExpiryInterval = 4 }).isEmpty)
        #expect(try client.read().publishes.map(\.properties.messageExpiryInterval) == [4])
        #expect(broker.nodes[0].core.stuckBytes == 0)
    }

    @Test("What comes at QoS 1 meanwhile, or is retained, does not overtake what waits")
    func order() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try stalled(broker, .dropNewest, isSlow: false)
        _ = try client.subscribe5("u", .atLeastOnce)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("r", "retained", qos: .atLeastOnce, packetID: 9, retain: true))
        publisher.send(message5("t", "1") { $0.messageExpiryInterval = 100 })
        publisher.send(message5("u", "2", qos: .atLeastOnce, packetID: 1))
        publisher.send(message5("t", "3"))
        client.send(.subscribe(Subscribe(packetID: 2, requests: [Subscribe.Request(filter: "r", qos: .atMostOnce)])))
        broker.settle()
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        let received = try client.read().messages
        #expect(received.filter { $0.hasPrefix("t") } == ["t=1", "t=3"])
        #expect(received.first == "t=1" && Set(received) == ["t=1", "u=2", "t=3", "r=retained"])
    }

    @Test("A session that ended is counted no more, also when its socket is heard of again")
    func endedSession() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try broker.client5("a")
        _ = try client.subscribe5("t", .atLeastOnce)
        broker.setWritable(try #require(client.socket), false)
        _ = try broker.client5("p").exchange(message5("t", "x", qos: .atLeastOnce, packetID: 1))
        #expect(broker.nodes[0].core.queuedBytes == 2 + Shard.deliveryBytes)
        let connection = try #require(client.socket).connection
        client.lose()
        broker.nodes[0].core.transportWritable(connection, true, now: broker.now)
        broker.settle()
        #expect(broker.nodes[0].core.queuedBytes == 0)
    }

    @Test("Messages that may expire are bounded like others that wait for a socket, and are counted when it closes")
    func bounded() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try stalled(broker, .dropNewest, isSlow: false)
        let publisher = try broker.client5("p")
        for _ in 0..<10 {
            publisher.send(message5("t", "x".padding(99)) { $0.messageExpiryInterval = 100 })
            broker.settle()
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        #expect(broker.dropped == ["outbound_full": 7])  // room for two, and one while its publisher waits
        client.lose()
        #expect(broker.dropped == ["outbound_full": 7, "offline_qos0": 3])
        #expect(broker.nodes[0].core.stuckBytes == 0)
    }

    @Test(
        "drop-oldest keeps the newest also for a client that takes topic aliases, or has subscription identifiers",
        arguments: [0, 5] as [UInt16])
    func dropOldest(aliases: UInt16) throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try stalled(broker, .dropOldest, isSlow: true, aliases: aliases)
        let publisher = try broker.client5("p")
        for number in 0..<20 { publisher.send(message5("t", "\(number)-".padding(99))) }
        broker.settle()
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        let received = try client.read().publishes.map { String(String(buffer: $0.payload).prefix { $0 != "-" }) }
        #expect(Array(received.suffix(2)) == ["18", "19"])
        #expect(received.count == 5)
    }

    @Test("A message that waits does not keep what else came with it from the network", arguments: [0, 5] as [UInt16])
    func ownStorage(aliases: UInt16) throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let client = try stalled(broker, .dropOldest, isSlow: true, aliases: aliases)
        let publisher = try broker.client5("p")
        var bytes = ByteBuffer()
        message5("t", "tiny").encode(into: &bytes, version: .v5)
        message5("nobody", "".padding(64_000)).encode(into: &bytes, version: .v5)
        publisher.send(bytes)
        broker.settle()
        var backlog = try #require(client.socket).connection.backlog
        let first = backlog.popFirst()
        let waiting = try #require(first).message
        #expect(String(buffer: waiting.payload) == "tiny")
        #expect(waiting.payload.storageCapacity < 100 && waiting.topic.storageCapacity < 100)
    }
}

extension String {
    fileprivate func padding(_ count: Int) -> String { self + String(repeating: "x", count: Swift.max(0, count - utf8.count)) }
}
