import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// The will (MQTT 3.1.1 section 3.1.2.5): once, after an end without DISCONNECT, as the client asked for it.
@Suite struct WillTests {
    private func watched(_ broker: SimulatedBroker) throws -> SimulatedClient {
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone/#", .exactlyOnce)
        return watcher
    }

    @Test("A will goes out once, with the QoS that it was stored with [MQTT-3.1.2-8] [MQTT-3.1.2-10]", arguments: QoS.allCases)
    func publishedOnce(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try watched(broker)
        let client = try broker.client("a", cleanSession: false, will: will("gone/a", "bye", qos: qos))
        client.lose()
        broker.settle()
        #expect(try watcher.read() == [message("gone/a", "bye", qos: qos, packetID: qos == .atMostOnce ? 0 : 1)])
        // The session goes on, and the will does not go with it.
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
        client.lose()
        broker.advance(seconds: 604_801)
        broker.settle()
        #expect(try watcher.read() == [])
    }

    @Test("DISCONNECT removes the will for good, also for the connections that follow [MQTT-3.1.2-10] [MQTT-3.14.4-3]")
    func removedByDisconnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try watched(broker)
        let client = try broker.client("a", cleanSession: false, will: will("gone/a", "bye"))
        client.send(.disconnect(Disconnect()))
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
        client.lose()
        broker.settle()
        #expect(try watcher.read() == [])
    }

    @Test("Without the will flag nothing is published, however the connection ends [MQTT-3.1.2-12]")
    func noWill() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("#")
        try broker.client("lost").lose()
        _ = try broker.client("malformed").exchange(bytes: [0xC1, 0], settling: broker)
        _ = try broker.client("taken over")
        _ = try broker.client("taken over")
        let silent = try broker.client("silent", keepAlive: 1)
        broker.advance(seconds: 2)
        broker.settle()
        #expect(!silent.isConnected)
        #expect(broker.closed.count == 4)
        #expect(try watcher.read() == [])
    }

    @Test("A will without its retain flag is not kept for those who come later, one with it is [MQTT-3.1.2-16] [MQTT-3.1.2-17]")
    func retainIsAsked() throws {
        let broker = SimulatedBroker(shards: 1)
        try broker.client("a", will: will("gone/a", "1", retain: false)).lose()
        try broker.client("b", will: will("gone/b", "2", retain: true)).lose()
        broker.settle()
        #expect(try broker.client("late").subscribe("gone/+").dropFirst() == [message("gone/b", "2", retain: true)])
    }

    @Test("A goodbye behind several SUBSCRIBE packets counts, though the connection is gone by then [MQTT-3.14.4-3]", arguments: [0, 1])
    func goodbyeBehindSubscriptions(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client("w")
        _ = try watcher.subscribe("gone")
        let owner = try broker.client("a", cleanSession: false)
        owner.lose()
        // On shard 1 the socket and its session are apart.
        let client = try broker.client("a", at: shard, cleanSession: false, will: will("gone", "x"))
        for (place, filter) in ["a", "b", "c"].enumerated() {
            client.send(
                .subscribe(
                    Subscribe(packetID: UInt16(place + 1), requests: [Subscribe.Request(filter: filter, qos: .atMostOnce)])))
        }
        client.send(.disconnect(Disconnect()))
        client.lose()
        broker.settle()
        #expect(try watcher.read().isEmpty)
        #expect(broker.closed["disconnected"] == 1)
    }
}
