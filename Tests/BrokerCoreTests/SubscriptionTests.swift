import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SubscriptionTests {
    @Test("Overlapping subscriptions give one copy with the highest QoS [MQTT-3.3.5-1]")
    func overlappingSubscriptions() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for (filter, qos) in [("t/+", QoS.atMostOnce), ("t/#", .exactlyOnce), ("t/1", .atLeastOnce)] {
            _ = try client.subscribe(filter, qos)
        }
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t/1", "x", qos: .exactlyOnce, packetID: 1))
        #expect(try client.read() == [message("t/1", "x", qos: .exactlyOnce, packetID: 1)])
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["t/#"])))
        _ = try publisher.exchange(message("t/1", "y", qos: .exactlyOnce, packetID: 2))
        #expect(try client.read() == [message("t/1", "y", qos: .atLeastOnce, packetID: 2)])
    }

    @Test("A subscription to the same filter replaces the QoS, and stays one [MQTT-3.8.4-3]")
    func subscribingAgainReplaces() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .exactlyOnce)
        #expect(try client.subscribe("t", .atMostOnce, packetID: 2) == [.suback(Suback(packetID: 2, reasonCodes: [.granted(.atMostOnce)]))])
        _ = try broker.client("p").exchange(message("t", "x", qos: .exactlyOnce, packetID: 1))
        #expect(try client.read() == [message("t", "x")])
        #expect(broker.nodes[0].core.statistics().subscriptions == 1)
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["t"])))
        _ = try broker.client("p").exchange(message("t", "x"))
        #expect(try client.read() == [])
    }

    @Test(
        "The QoS of a delivery is the lower of the two, and DUP of the publisher goes no further [MQTT-3.8.4-6] [MQTT-3.3.1-3]",
        arguments: QoS.allCases, QoS.allCases)
    func deliveredQoS(published: QoS, granted: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("t", granted)
        let publish = message("t", "x", qos: published, packetID: published == .atMostOnce ? 0 : 5, duplicate: published != .atMostOnce)
        _ = try broker.client("p").exchange(publish)
        let qos = min(published, granted)
        #expect(try client.read() == [message("t", "x", qos: qos, packetID: qos == .atMostOnce ? 0 : 1)])
    }

    @Test(
        "Wildcards match whole levels, the parent of #, and no topic that begins with $ [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1]",
        arguments: [
            ("a/#", ["a", "a/b", "a/b/c", "a/"]), ("#", ["a", "a/b", "a/b/c", "a/", "/a", "ab"]), ("+", ["a", "ab"]),
            ("+/+", ["a/b", "a/", "/a"]), ("a/+", ["a/b", "a/"]), ("/+", ["/a"]), ("+/b/#", ["a/b", "a/b/c"]), ("/#", ["/a"]),
        ])
    func wildcards(filter: String, expected: [String]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe(filter)
        let publisher = try broker.client("p")
        for topic in ["a", "a/b", "a/b/c", "a/", "/a", "ab"] { _ = try publisher.exchange(message(topic, "x")) }
        broker.nodes[0].core.publish(Message(topic: "$SYS/a", payload: [], qos: .atMostOnce), now: broker.now)
        broker.nodes[0].core.publish(Message(topic: "$SYS", payload: [], qos: .atMostOnce), now: broker.now)
        broker.settle()
        #expect(try client.read() == expected.map { message($0, "x") })
    }

    @Test("Threat 43: nobody subscribes to Basic Ingest, whatever mark follows its prefix", arguments: ["r/x", "+/#", "\u{301}/x"])
    func basicIngest(rest: String) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(try client.subscribe("$aws/rules/\(rest)") == [.suback(Suback(packetID: 1, reasonCodes: [.unspecifiedError]))])
    }

    @Test("Threat 43: $ topics reach who names them; a publish there is acknowledged, counted, goes nowhere [MQTT-4.7.2-1] [MQTT-3.3.5-2]")
    func systemTopics() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("$SYS/#")
        broker.nodes[0].core.publish(Message(topic: "$SYS/uptime", payload: [0x31], qos: .atMostOnce), now: broker.now)
        broker.settle()
        #expect(try client.read() == [message("$SYS/uptime", "1")])
        let publisher = try broker.client("p")
        #expect(try publisher.exchange(message("$SYS/uptime", "x", qos: .atLeastOnce, packetID: 1, retain: true)) == [.puback(packetID: 1)])
        #expect(try publisher.exchange(message("$SYS/uptime", "x", qos: .exactlyOnce, packetID: 2)) == [.pubrec(packetID: 2)])
        #expect(try publisher.exchange(message("$SYS/uptime", "x")) == [])
        #expect(publisher.isConnected)
        #expect(try client.read() == [])
        #expect(broker.dropped == ["publish_denied": 3])
        #expect(broker.retained.count == 0)
    }

    @Test("Threat 43: a will to a $ topic is denied and counted too")
    func willToSystemTopic() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("$SYS/#")
        try broker.client("b", will: will("$SYS/x", "x", retain: true)).lose()
        broker.settle()
        #expect(try client.read() == [])
        #expect(broker.dropped == ["publish_denied": 1])
        #expect(broker.retained.count == 0)
    }

    @Test("Filters and topics are compared byte by byte [MQTT-4.7.3-4]", arguments: ["", "/+"])
    func filtersAreBytes(suffix: String) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("caf\u{E9}" + suffix, .atMostOnce)
        _ = try client.subscribe("cafe\u{301}" + suffix, .atLeastOnce)
        let publisher = try broker.client("p")
        let rest = suffix.isEmpty ? "" : "/x"
        _ = try publisher.exchange(message("cafe\u{301}" + rest, "2", qos: .atLeastOnce, packetID: 1))
        _ = try publisher.exchange(message("caf\u{E9}" + rest, "1", qos: .atLeastOnce, packetID: 2))
        #expect(
            try client.read() == [message("cafe\u{301}" + rest, "2", qos: .atLeastOnce, packetID: 1), message("caf\u{E9}" + rest, "1")])
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["caf\u{E9}" + suffix])))
        _ = try publisher.exchange(message("cafe\u{301}" + rest, "3"))
        _ = try publisher.exchange(message("caf\u{E9}" + rest, "4"))
        #expect(try client.read() == [message("cafe\u{301}" + rest, "3")])
    }

    @Test("Subscriptions beyond the limits are refused one by one with 0x80 [MQTT-3.8.4-5]")
    func subscriptionLimits() throws {
        var limits = BrokerLimits()
        limits.subscriptionsPerClientMax = 2
        limits.topicBytesMax = 10
        limits.topicLevelsMax = 3
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        let filters = ["elevenbytes", "a/b/c/d", "1", "2", "3", "1"]
        let requests = filters.map { Subscribe.Request(filter: $0, qos: .atMostOnce) }
        client.send(.subscribe(Subscribe(packetID: 1, requests: requests)))
        broker.settle()
        #expect(client.takeBytes() == [0x90, 8, 0, 1, 0x80, 0x80, 0, 0, 0x80, 0])
        #expect(try client.exchange(message("elevenbytes", "x")) == [])
        #expect(!client.isConnected)
    }

    @Test("A $share filter in a 3.1.1 SUBSCRIBE is an ordinary filter")
    func sharedFilterIsOrdinary() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(try client.subscribe("$share/g/t", .atLeastOnce) == [.suback(Suback(packetID: 1, reasonCodes: [.granted(.atLeastOnce)]))])
        _ = try client.exchange(message("t", "x"))
        #expect(try client.read() == [])
    }
}
