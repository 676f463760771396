import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SessionExpiryTests {
    @Test("A session that is resumed with a shorter expiry interval ends by the shorter one [MQTT5-4.1.0-2]", arguments: [1, 2])
    func shorter(shards: Int) throws {
        let broker = SimulatedBroker(shards: shards)
        let client = try broker.client5("a", cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        client.lose()
        let resumed = try client.connect5(at: shards - 1, cleanStart: false) { $0.sessionExpiryInterval = 2 }
        #expect(resumed.connack?.sessionPresent == true)
        client.lose()
        broker.settle()
        broker.advance(seconds: 2.1)
        #expect(broker.nodes[0].core.clientSummaries().isEmpty)
        #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 2 }.connack?.sessionPresent == false)
    }

    @Test("A session that is resumed with a longer expiry interval lasts for the longer one [MQTT5-4.1.0-2]")
    func longer() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false) { $0.sessionExpiryInterval = 2 }
        for interval in [1_000, 2, 1_000] as [UInt32] {
            client.lose()
            broker.advance(seconds: 1)
            #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = interval }.connack?.sessionPresent == true)
        }
        client.lose()
        broker.advance(seconds: 999)
        #expect(broker.nodes[0].core.clientSummaries().count == 1)
        broker.advance(seconds: 1.1)
        #expect(broker.nodes[0].core.clientSummaries().isEmpty)
    }

    @Test("However often a client changes its expiry interval, the deadlines stay bounded")
    func deadlinesStayBounded() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        for number in 0..<5_000 {
            _ = try client.connect5(cleanStart: false, keepAlive: 0) { $0.sessionExpiryInterval = number % 2 == 0 ? 1_000_000 : 100_000 }
            client.lose()
        }
        #expect(broker.nodes[0].core.deadlineCount <= 1_100)
    }

    @Test("Whoever comes just before its session is looked at finds none that has expired, and its will was published [MQTT5-4.1.0-2]")
    func comesBeforeTheLook() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone/+")
        func leave(_ name: String, expiry: UInt32, delay: UInt32) throws {
            var left = will("gone/\(name)", "x")
            left.properties.willDelayInterval = delay
            try broker.client5(name, will: left) { $0.sessionExpiryInterval = expiry }.lose()
        }
        try leave("ended", expiry: 2, delay: 100)
        try leave("late", expiry: 1_000, delay: 2)
        try leave("early", expiry: 1_000, delay: 100)
        broker.settle()
        // The event loop was held up: sockets are read before what is due is met.
        broker.pass(seconds: 3)
        var isPresent: [Bool] = []
        for name in ["ended", "late", "early"] {
            let client = SimulatedClient(name, of: broker)
            let connack = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }.connack
            isPresent.append(try #require(connack).sessionPresent)
        }
        #expect(isPresent == [false, true, true])
        #expect(try Set(watcher.read().messages) == ["gone/ended=x", "gone/late=x"])
        broker.advance(seconds: 200)
        broker.settle()
        #expect(try watcher.read().messages == [])
        #expect(broker.nodes[0].core.statistics().sessionsExpired == 1)
    }
}
