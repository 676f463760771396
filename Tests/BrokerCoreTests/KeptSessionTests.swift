import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What a session keeps, and for how long (MQTT 3.1.1 sections 3.1.2.4 and 4.1).
@Suite struct KeptSessionTests {
    @Test("A session is resumed with its subscriptions, or made when there is none [MQTT-3.1.2-4] [MQTT-3.1.4-3] [MQTT-4.1.0-1]")
    func resumed() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t")
        for _ in 0..<3 {
            client.send(.disconnect(Disconnect()))
            broker.advance(seconds: 86_400)
            #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
            _ = try broker.client("p").exchange(message("t", "x"))
            #expect(try client.read() == [message("t", "x")])
        }
        #expect(try client.connect(cleanSession: true) == [accepted()])
        _ = try broker.client("p").exchange(message("t", "x"))
        #expect(try client.read() == [])
    }

    @Test("Messages of QoS 1 and 2 that come meanwhile are kept, each once and in order [MQTT-3.1.2-5] [MQTT-4.5.0-1]")
    func messagesAreKept() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client("a", at: 0, cleanSession: false)
        _ = try client.subscribe("one/#", .atLeastOnce)
        _ = try client.subscribe("two/#", .exactlyOnce)
        client.lose()
        let publisher = try broker.client("p", at: 1)
        _ = try publisher.exchange(message("one/1", "1", qos: .atLeastOnce, packetID: 1))
        _ = try publisher.exchange(message("two/2", "2", qos: .exactlyOnce, packetID: 2))
        _ = try publisher.exchange(message("none/3", "3", qos: .exactlyOnce, packetID: 3))
        _ = try publisher.exchange(message("one/4", "4", qos: .exactlyOnce, packetID: 4))
        #expect(
            try client.connect(at: 0, cleanSession: false) == [
                accepted(sessionPresent: true), message("one/1", "1", qos: .atLeastOnce, packetID: 1),
                message("two/2", "2", qos: .exactlyOnce, packetID: 2), message("one/4", "4", qos: .atLeastOnce, packetID: 3),
            ])
    }

    @Test("Retained messages stay when the session of who published them ends [MQTT-3.1.2-7]")
    func retainedMessagesAreNotOfTheSession() throws {
        var limits = BrokerLimits()
        limits.sessionExpirySecondsMax = 10
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let clean = try broker.client("clean")
        _ = try clean.exchange(message("t/1", "1", retain: true))
        clean.send(.disconnect(Disconnect()))
        let kept = try broker.client("kept", cleanSession: false)
        _ = try kept.exchange(message("t/2", "2", retain: true))
        kept.lose()
        broker.advance(seconds: 11)
        #expect(try kept.connect(cleanSession: true) == [accepted()])
        let answers = try kept.subscribe("t/+").dropFirst()
        #expect(answers.count == 2)
    }

    @Test("A session lasts as long as its connection, however long that is [MQTT-4.1.0-2]", arguments: [true, false])
    func lastsAsLongAsTheConnection(cleanSession: Bool) throws {
        var limits = BrokerLimits()
        limits.sessionExpirySecondsMax = 10
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect(cleanSession: cleanSession)
        client.lose()
        _ = try client.connect(cleanSession: cleanSession)
        _ = try client.subscribe("t", .atLeastOnce)
        broker.advance(seconds: 1_000)
        _ = try broker.client("p").exchange(message("t", "x", qos: .atLeastOnce, packetID: 9))
        #expect(try client.read() == [message("t", "x", qos: .atLeastOnce, packetID: 1)])
    }

    @Test("A session belongs to its client identifier, letter by letter [MQTT-3.1.3-2]")
    func identifierNamesTheSession() throws {
        let broker = SimulatedBroker(shards: 1)
        try broker.client("a", cleanSession: false).lose()
        for other in ["A", "a ", " a", "aa", "\u{FEFF}a"] {
            #expect(try SimulatedClient(other, of: broker).connect(cleanSession: false) == [accepted()])
        }
        #expect(try SimulatedClient("a", of: broker).connect(cleanSession: false) == [accepted(sessionPresent: true)])
    }
}
