import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Retained messages where a limit or a second filter makes them meet (MQTT 3.1.1 section 3.3.1.3).
@Suite struct RetainedLimitTests {
    @Test("A new retained message replaces the old one of any QoS [MQTT-3.3.1-7]", arguments: QoS.allCases, QoS.allCases)
    func replaces(old: QoS, new: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "old", qos: old, packetID: old == .atMostOnce ? 0 : 1, retain: true))
        _ = try client.exchange(message("t", "new", qos: new, packetID: new == .atMostOnce ? 0 : 2, retain: true))
        let expected = message("t", "new", qos: new, packetID: new == .atMostOnce ? 0 : 1, retain: true)
        #expect(try client.subscribe("t", .exactlyOnce).dropFirst() == [expected])
    }

    @Test("One that has no room takes the topic's older one with it: what is not the last is not sent [MQTT-3.3.1-7]")
    func noRoomForTheNext() throws {
        var limits = BrokerLimits()
        limits.retainedBytesMax = 10
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "123456789", retain: true))
        #expect(broker.retained.bytes == 10)
        _ = try client.exchange(message("t", "1234567890", retain: true))
        #expect(broker.dropped == ["retained_full": 1])
        #expect(try client.subscribe("t").count == 1)
        #expect(broker.retained.count == 0)
        #expect(broker.retained.bytes == 0)
        _ = try client.exchange(message("u", "123456789", retain: true))
        #expect(try client.subscribe("u").last == message("u", "123456789", retain: true))
    }

    @Test(
        "A topic that two filters of one SUBSCRIBE ask for comes for each of them, so also with the higher QoS of the two [MQTT-3.3.5-1]",
        arguments: [[QoS.exactlyOnce, .atMostOnce], [.atMostOnce, .exactlyOnce]])
    func overlappingFilters(granted: [QoS]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 1, retain: true))
        let requests = zip(["t", "t/#"], granted).map { Subscribe.Request(filter: $0, qos: $1) }
        let answers = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests)))
        let copies = granted.map { message("t", "x", qos: $0, packetID: $0 == .exactlyOnce ? 1 : 0, retain: true) }
        #expect(Array(answers.dropFirst()) == copies)
    }
}
