import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SessionTests {
    @Test("Session present follows what the broker holds [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-6]")
    func sessionPresent() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        #expect(try client.connect(cleanSession: false) == [accepted()])
        client.lose()
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
        client.send(.disconnect(Disconnect()))
        #expect(try client.connect(cleanSession: true) == [accepted()])
        client.send(.disconnect(Disconnect()))
        #expect(try client.connect(cleanSession: false) == [accepted()])
        #expect(client.takeBytes() == [])
    }

    @Test("A byte now and then of a packet that never ends is no sign of life, and a large packet over a slow link is [MQTT-3.1.2-24]")
    func dribblingClients() throws {
        let broker = SimulatedBroker(shards: 1)
        let dribbling = try broker.client("a", keepAlive: 10)
        let slow = try broker.client("b", keepAlive: 10)
        let silent = try broker.client("c", keepAlive: 10)
        for client in [dribbling, slow] {
            // A PUBLISH of 100,000 bytes.
            client.send(ByteBuffer(bytes: [0x30, 0xA0, 0x8D, 0x06, 0, 1, 0x74]))
        }
        for second in 0..<40 {
            broker.advance(seconds: 1)
            if dribbling.isConnected { dribbling.send(ByteBuffer(bytes: [0x78])) }
            slow.send(ByteBuffer(repeating: 0x78, count: 200))
            if second == 13 { #expect(dribbling.isConnected && silent.isConnected) }
        }
        #expect(!dribbling.isConnected && !silent.isConnected && slow.isConnected)
    }

    @Test("A connection of 1.5 times the keep alive without a packet from the client ends with its will [MQTT-3.1.2-24]")
    func keepAlive() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone")
        let client = try broker.client("a", keepAlive: 10, will: will("gone", "bye"))
        broker.advance(seconds: 14.9)
        #expect(try client.exchange(.pingreq) == [.pingresp])
        broker.advance(seconds: 14.9)
        #expect(client.isConnected)
        broker.advance(seconds: 0.2)
        broker.settle()
        #expect(!client.isConnected)
        #expect(watcher.isConnected)
        #expect(try watcher.read() == [message("gone", "bye")])
        #expect(broker.closed == ["keep_alive_timeout": 1])
    }

    @Test("What the broker sends does not keep a silent client alive [MQTT-3.1.2-24]")
    func onlyTheClientKeepsAlive() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", keepAlive: 10)
        _ = try client.subscribe("t")
        let publisher = try broker.client("p")
        broker.advance(seconds: 14)
        _ = try publisher.exchange(message("t", "x"))
        #expect(try client.read() == [message("t", "x")])
        broker.advance(seconds: 1.1)
        #expect(!client.isConnected)
    }

    @Test(
        "A takeover closes the old connection at once, with its will [MQTT-3.1.4-2]", arguments: [true, false], [(0, 1), (0, 2), (1, 2)])
    func takeover(cleanSession: Bool, placement: (shard: Int, shards: Int)) throws {
        let broker = SimulatedBroker(shards: placement.shards)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone")
        let old = try broker.client("a", cleanSession: cleanSession, will: will("gone", "bye"))
        let new = SimulatedClient("a", of: broker)
        #expect(try new.connect(at: placement.shard, cleanSession: cleanSession) == [accepted(sessionPresent: !cleanSession)])
        #expect(!old.isConnected)
        #expect(new.isConnected)
        #expect(try watcher.read() == [message("gone", "bye")])
        #expect(broker.closed == ["session_taken_over": 1])
        #expect(try new.subscribe("t") == [.suback(Suback(packetID: 1, reasonCodes: [.granted(.atMostOnce)]))])
        _ = try watcher.exchange(message("t", "x"))
        #expect(try new.read() == [message("t", "x")])
    }

    @Test(
        "Threat 38: a session belongs to the principal that opened it: others are refused with 5, the owner notices nothing",
        arguments: [nil, "principal-b"], [0, 1])
    func principalOwnsItsSession(intruder: String?, shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let owner = try broker.client("a", cleanSession: false, principal: "principal-a")
        let other = SimulatedClient("a", of: broker)
        for cleanSession in [true, false] {
            let answer = try other.connect(at: shard, cleanSession: cleanSession, principal: intruder)
            #expect(answer == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
            #expect(!other.isConnected)
        }
        #expect(owner.isConnected)
        #expect(try owner.exchange(.pingreq) == [.pingresp])
        owner.lose()
        _ = try other.connect(at: shard, cleanSession: true, principal: intruder)
        #expect(try owner.connect(at: shard, cleanSession: false, principal: "principal-a") == [accepted(sessionPresent: true)])
    }

    @Test("Client identifiers are compared byte by byte, not as texts that look alike")
    func clientIdentifiersAreBytes() throws {
        let broker = SimulatedBroker(shards: 2)
        let composed = try broker.client("caf\u{E9}", cleanSession: false)
        let decomposed = SimulatedClient("cafe\u{301}", of: broker)
        #expect(try decomposed.connect(cleanSession: false) == [accepted()])
        #expect(composed.isConnected)
        let elsewhere = SimulatedClient("cafe\u{301}", of: broker)
        #expect(try elsewhere.connect(at: 1, cleanSession: false) == [accepted(sessionPresent: true)])
        #expect(composed.isConnected)
        #expect(!decomposed.isConnected)
    }

    @Test("A session without a connection ends when its time is over, and its queue is counted")
    func sessionExpires() throws {
        var limits = BrokerLimits()
        limits.sessionExpirySecondsMax = 100
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .atLeastOnce)
        client.lose()
        broker.advance(seconds: 90)
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
        broker.advance(seconds: 50)
        client.lose()
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: 1))
        broker.advance(seconds: 99)
        #expect(broker.dropped == [:])
        broker.advance(seconds: 2)
        #expect(broker.dropped == ["session_expired": 1])
        #expect(broker.nodes[0].core.statistics().subscriptions == 0)
        #expect(try client.connect(cleanSession: false) == [accepted()])
    }

    @Test("A client that comes and goes leaves no deadlines behind")
    func deadlinesDoNotPileUp() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        for _ in 0..<6_000 {
            _ = try client.connect(cleanSession: false, keepAlive: 60_000)
            client.lose()
        }
        #expect(broker.nodes[0].core.deadlineCount < 2_000)
        broker.advance(seconds: 604_801)
        #expect(try client.connect(cleanSession: false) == [accepted()])
    }

    @Test("The longest expiry that can be configured is only that: long")
    func hugeExpiry() throws {
        var limits = BrokerLimits()
        limits.sessionExpirySecondsMax = .max
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        client.lose()
        broker.advance(seconds: 1_000_000_000)
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
    }

    @Test("A clean session's queue is counted when the session ends with its connection")
    func cleanSessionQueueIsCounted() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for number in 1...3 { _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
        client.lose()
        #expect(broker.dropped == ["session_ended": 2, "unacknowledged": 1])
    }
}
