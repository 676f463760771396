import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What RETAIN does to what is kept (MQTT 5 section 3.3.1.3).
@Suite struct Retained5Tests {
    /// What a new subscription is sent.
    private func keptMessages(_ broker: SimulatedBroker) throws -> [String] {
        try broker.client5("late").subscribe5("#").messages
    }

    @Test("A message with RETAIN replaces the one of its topic, and of no other [MQTT5-3.3.1-5]", arguments: QoS.allCases)
    func replaces(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        for (topic, payload) in [("t", "1"), ("u", "2"), ("t", "3")] {
            _ = try client.exchange(message5(topic, payload, qos: qos, packetID: 1, retain: true))
            _ = try client.exchange(.pubrel(packetID: 1))
        }
        #expect(try Set(keptMessages(broker)) == ["t=3", "u=2"])
        #expect(broker.retained.count == 2)
    }

    @Test("An empty message with RETAIN is delivered, removes the retained one, and is not kept itself [MQTT5-3.3.1-6] [MQTT5-3.3.1-7]")
    func removes() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t")
        let client = try broker.client5("a")
        for payload in ["1", "", ""] { _ = try client.exchange(message5("t", payload, retain: true)) }
        #expect(try reader.read().messages == ["t=1", "t=", "t="])
        #expect(try keptMessages(broker) == [])
        #expect(broker.retained.count == 0)
    }

    @Test("A message without RETAIN neither is kept nor changes what is [MQTT5-3.3.1-8]")
    func leavesAlone() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        _ = try client.exchange(message5("t", "1", retain: true))
        for (topic, payload) in [("t", "2"), ("t", ""), ("u", "3")] { _ = try client.exchange(message5(topic, payload)) }
        #expect(try keptMessages(broker) == ["t=1"])
    }

    @Test(
        "What is retained while a subscription is made comes as it is published, not before older ones on their way [MQTT5-4.6.0-6]",
        arguments: [false, true])
    func retainedOnTheWay(isKnownElsewhere: Bool) throws {
        let broker = SimulatedBroker(shards: 2)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "0", retain: true))
        let client = try broker.client5("c", at: 1)
        let subscribe = Packet.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)]))
        if isKnownElsewhere {
            _ = try broker.client5("other", at: 1).subscribe5("t")
            for payload in ["1", "2"] { publisher.send(message5("t", payload, retain: true)) }
            broker.endTurn(of: 0)
            client.send(subscribe)
        } else {
            client.send(subscribe)
            broker.endTurn(of: 1)
            while broker.deliverHandOff(to: 0) {}
            for payload in ["1", "2"] { publisher.send(message5("t", payload, retain: true)) }
        }
        broker.settle()
        // Where the filter is known, all that was on its way has come before the SUBSCRIBE is read.
        #expect(try client.read().messages == (isKnownElsewhere ? ["t=2"] : ["t=1", "t=2"]))
        #expect(try client.subscribe5("t", packetID: 2).messages == ["t=2"])
        let late = try broker.client5("late", at: 1)
        #expect(try late.subscribe5("t").messages == ["t=2"])
    }
}
