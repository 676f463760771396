import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct Will5Tests {
    private static func delayed(by delay: UInt32?) -> Will {
        Will(
            topic: ByteBuffer(string: "gone"), payload: ByteBuffer(string: "w"), qos: .atLeastOnce, retain: false,
            properties: properties {
                $0.willDelayInterval = delay
                $0.contentType = "text"
                $0.messageExpiryInterval = 30
            })
    }

    private static let message = message5("gone", "w", qos: .atMostOnce) {
        $0.messageExpiryInterval = 30
        $0.contentType = "text"
    }

    // [MQTT5-3.1.2-7] [MQTT5-3.1.2-8] [MQTT5-3.1.2-10]
    @Test(
        "A will waits for its delay or for the session's end, whichever comes first, and then is gone",
        arguments: [(nil, 0, 0), (0, 100, 0), (10, 0, 0), (10, 100, 10), (100, 10, 10)] as [(UInt32?, UInt32, Double)])
    func delay(delay: UInt32?, expiry: UInt32, comesAfter: Double) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client5("w", at: 1)
        _ = try watcher.subscribe5("gone")
        let client = try broker.client5("a", will: Self.delayed(by: delay)) { $0.sessionExpiryInterval = expiry }
        client.lose()
        broker.settle()
        if comesAfter > 0 {
            broker.advance(seconds: comesAfter - 0.1)
            broker.settle()
            #expect(try watcher.read().isEmpty)
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        #expect(try watcher.read() == [Self.message])
        broker.advance(seconds: 40)
        broker.settle()
        #expect(try watcher.read().isEmpty)
    }

    @Test("A client that is back in time has no will sent [MQTT5-3.1.3-9]", arguments: [0, 1])
    func backInTime(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone")
        let client = try broker.client5("a", cleanStart: false, will: Self.delayed(by: 10)) { $0.sessionExpiryInterval = 100 }
        client.lose()
        broker.advance(seconds: 5)
        _ = try client.connect5(at: shard, cleanStart: false) { $0.sessionExpiryInterval = 100 }
        broker.advance(seconds: 50)
        broker.settle()
        #expect(try watcher.read().isEmpty)
    }

    @Test("A new session in place of the old one lets the delayed will out", arguments: [0, 1])
    func cleanStart(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone")
        let client = try broker.client5("a", will: Self.delayed(by: 10)) { $0.sessionExpiryInterval = 100 }
        client.lose()
        _ = try client.connect5(at: shard, cleanStart: true)
        #expect(try watcher.read() == [Self.message])
    }

    @Test("DISCONNECT takes the will along, unless it asks for it [MQTT5-3.14.4-3] [MQTT5-3.1.2-10]")
    func disconnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone")
        for (code, comes) in [(.normalDisconnection, false), (.disconnectWithWillMessage, true), (.unspecifiedError, true)]
            as [(ReasonCode, Bool)]
        {
            let client = try broker.client5("a", will: Self.delayed(by: nil))
            _ = try client.exchange(.disconnect(Disconnect(reasonCode: code)))
            #expect(try watcher.read().isEmpty == !comes, "\(code)")
        }
    }

    @Test("A will is retained if and only if its client asked for it [MQTT5-3.1.2-14] [MQTT5-3.1.2-15]", arguments: [nil, 10])
    func retain(delay: UInt32?) throws {
        let broker = SimulatedBroker(shards: 1)
        for (name, retain) in [("a", false), ("b", true)] {
            var will = BrokerCoreTests.will("gone/\(name)", name, retain: retain)
            will.properties.willDelayInterval = delay
            try broker.client5(name, will: will) { $0.sessionExpiryInterval = 100 }.lose()
        }
        broker.advance(seconds: 11)
        broker.settle()
        #expect(try broker.client5("late").subscribe5("gone/+").dropFirst() == [message5("gone/b", "b", retain: true)])
    }

    @Test("User properties of a will keep their order, and its other properties their values [MQTT5-3.1.3-10]")
    func userProperties() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone")
        let set: (inout Properties) -> Void = {
            $0.userProperties = [UserProperty("b", "1"), UserProperty("a", "2"), UserProperty("b", "0")]
            $0.responseTopic = "answer"
            $0.correlationData = ByteBuffer(bytes: [0, 255])
        }
        var will = BrokerCoreTests.will("gone", "w")
        will.properties = properties {
            $0.willDelayInterval = 0
            set(&$0)
        }
        try broker.client5("a", will: will).lose()
        broker.settle()
        #expect(try watcher.read() == [message5("gone", "w", set)])
    }

    @Test("A client that wants nothing back of its own gets its will not either [MQTT5-3.8.3-3]", arguments: [nil, 10])
    func noLocal(delay: UInt32?) throws {
        let broker = SimulatedBroker(shards: 1)
        for noLocal in [true, false] {
            let name = "\(noLocal)"
            var will = BrokerCoreTests.will("gone/\(name)", "w", qos: .atLeastOnce)
            will.properties.willDelayInterval = delay
            let client = try broker.client5(name, will: will) { $0.sessionExpiryInterval = 100 }
            _ = try client.subscribe5(Subscribe.Request(filter: "gone/\(name)", qos: .atLeastOnce, noLocal: noLocal))
            client.lose()
            broker.advance(seconds: 11)
            broker.settle()
            let received = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }
            #expect(received.messages == (noLocal ? [] : ["gone/false=w"]))
        }
    }
}
