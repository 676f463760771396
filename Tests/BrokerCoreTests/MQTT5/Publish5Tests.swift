import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct Publish5Tests {
    // [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]
    @Test(
        "Properties go from publisher to subscriber unaltered and in order, and versions mix",
        arguments: QoS.allCases, [0, 1])
    func propertiesPass(qos: QoS, shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let new = try broker.client5("new", at: shard)
        let old = try broker.client("old", at: shard)
        _ = try new.subscribe5("t", qos)
        _ = try old.subscribe("t", qos)
        let publisher = try broker.client5("p")
        let set: (inout Properties) -> Void = {
            $0.userProperties = [
                UserProperty("b", "1"), UserProperty("a", "2"), UserProperty("b", "3"),
            ]
            $0.payloadFormatIndicator = .utf8
            $0.contentType = "text/plain"
            $0.responseTopic = "answer"
            $0.correlationData = ByteBuffer(bytes: [0, 1])
        }
        _ = try publisher.exchange(message5("t", "x", qos: qos, packetID: 7, set))
        let identifier: UInt16 = qos == .atMostOnce ? 0 : 1
        #expect(try new.read() == [message5("t", "x", qos: qos, packetID: identifier, set)])
        #expect(try old.read() == [message("t", "x", qos: qos, packetID: identifier)])
        let ancient = try broker.client("ancient")
        _ = try ancient.exchange(message("t", "y", qos: qos, packetID: 8))
        #expect(try new.read() == [message5("t", "y", qos: qos, packetID: qos == .atMostOnce ? 0 : 2)])
        #expect(try old.read().messages == ["t=y"])
    }

    @Test("The message expiry interval counts down, and what has expired is not delivered [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]")
    func messageExpiry() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r", cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        _ = try reader.subscribe5("t/#", .atLeastOnce)
        reader.lose()
        let publisher = try broker.client5("p")
        for (topic, seconds) in [("t/1", 5), ("t/2", 60), ("t/3", nil)] as [(String, UInt32?)] {
            _ = try publisher.exchange(message5(topic, "x", qos: .atLeastOnce, packetID: 1) { $0.messageExpiryInterval = seconds })
        }
        broker.advance(seconds: 10.5)
        #expect(broker.dropped["message_expired"] == 1)
        #expect(broker.nodes[0].core.statistics().messagesQueued == 2)
        let answer = try reader.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        #expect(answer.messages == ["t/2=x", "t/3=x"])
        #expect(answer.publishes.map(\.properties.messageExpiryInterval) == [50, nil])
    }

    @Test("A retained message expires, too, and is told how long it has left [MQTT5-3.3.2-5] [MQTT5-3.3.2-6]")
    func retainedExpiry() throws {
        let broker = SimulatedBroker(shards: 2)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "x", retain: true) { $0.messageExpiryInterval = 20 })
        broker.advance(seconds: 5)
        let reader = try broker.client5("r", at: 1)
        #expect(try reader.subscribe5("t").publishes.map(\.properties.messageExpiryInterval) == [15])
        broker.advance(seconds: 15)
        #expect(broker.retained.count == 0)
        #expect(try reader.subscribe5("t").publishes.isEmpty)
    }

    @Test("A topic alias stands for the topic it was given with, and for the newest one [MQTT5-3.3.2-12]")
    func inboundAliases() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("#")
        let publisher = try broker.client5("p")
        for (topic, payload) in [("a", "1"), ("", "2"), ("b", "3"), ("", "4")] {
            _ = try publisher.exchange(message5(topic, payload) { $0.topicAlias = 32 })
        }
        _ = try publisher.exchange(message5("a", "5"))
        #expect(try reader.read() == [("a", "1"), ("a", "2"), ("b", "3"), ("b", "4"), ("a", "5")].map { message5($0.0, $0.1) })
    }

    @Test("A topic alias beyond the maximum, or one that stands for nothing, ends the connection [MQTT5-3.2.2-17] [MQTT5-3.3.2-9]")
    func badAliases() throws {
        let broker = SimulatedBroker(shards: 1)
        for (topic, alias, code) in [("t", 33, .topicAliasInvalid), ("", 1, .protocolError)] as [(String, UInt16, ReasonCode)] {
            let client = try broker.client5("p")
            let answer = try client.exchange(message5(topic, "x") { $0.topicAlias = alias })
            #expect(answer.withoutReasonStrings == disconnected(code))
        }
        let client = try broker.client5("p")
        #expect(try client.exchange(message5("t", "x") { $0.topicAlias = 32 }).isEmpty)
        client.lose()
        // Aliases end with the connection [MQTT5-3.3.2-7].
        let again = try broker.client5("p")
        #expect(try again.exchange(message5("", "x") { $0.topicAlias = 32 }).withoutReasonStrings == disconnected(.protocolError))
    }

    @Test("A broker that takes no topic alias says so, and the first one ends the connection [MQTT5-3.2.2-18]")
    func noAliases() throws {
        var limits = BrokerLimits()
        limits.topicAliasesMax = 0
        let client = SimulatedClient("p", of: SimulatedBroker(shards: 1, limits: limits))
        #expect(try client.connect5().connack?.properties.topicAliasMaximum == 0)
        #expect(try client.exchange(message5("t", "x") { $0.topicAlias = 1 }).withoutReasonStrings == disconnected(.topicAliasInvalid))
    }

    @Test("The broker uses as many topic aliases as the client takes [MQTT5-3.1.2-26] [MQTT5-3.1.2-27] [MQTT5-3.3.2-11]")
    func outboundAliases() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.topicAliasMaximum = 2 }
        _ = try reader.subscribe5("#", .atLeastOnce)
        let publisher = try broker.client5("p")
        for (number, topic) in ["a", "b", "c", "b", "a"].enumerated() {
            _ = try publisher.exchange(message5(topic, "\(number)", qos: number == 3 ? .atLeastOnce : .atMostOnce, packetID: 1))
        }
        let received = try reader.read().publishes
        #expect(received.map { String(buffer: $0.topic) } == ["a", "b", "c", "", ""])
        #expect(received.map(\.properties.topicAlias) == [1, 2, nil, 2, 1])
    }

    @Test("A payload that says it is UTF-8 and is not is refused")
    func payloadFormat() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("p")
        var packet = Publish(
            topic: ByteBuffer(string: "t"), payload: ByteBuffer(bytes: [0xFF]), qos: .atLeastOnce, packetID: 3,
            properties: properties { $0.payloadFormatIndicator = .utf8 })
        #expect(try client.exchange(.publish(packet)) == [.puback(Acknowledgement(packetID: 3, reasonCode: .payloadFormatInvalid))])
        packet.qos = .exactlyOnce
        #expect(try client.exchange(.publish(packet)) == [.pubrec(Acknowledgement(packetID: 3, reasonCode: .payloadFormatInvalid))])
        // The identifier is free: its next use is a new message [MQTT5-4.3.3-9].
        #expect(try client.exchange(message5("t", "good", qos: .exactlyOnce, packetID: 3)).count == 1)
        #expect(broker.dropped == ["payload_format_invalid": 2])
    }

    @Test("A publisher learns that nobody wants its message")
    func noMatchingSubscribers() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("p")
        let nobody = Acknowledgement(packetID: 1, reasonCode: .noMatchingSubscribers)
        #expect(try client.exchange(message5("t", "x", qos: .atLeastOnce, packetID: 1)) == [.puback(nobody)])
        #expect(try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 1)) == [.pubrec(nobody)])
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe("t")
        #expect(try client.exchange(message5("t", "x", qos: .atLeastOnce, packetID: 1)) == [.puback(packetID: 1)])
    }

    @Test("PUBREL and PUBREC for an identifier that is not known are answered so")
    func unknownIdentifiers() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("p")
        let unknown = Acknowledgement(packetID: 9, reasonCode: .packetIdentifierNotFound)
        #expect(try client.exchange(.pubrel(packetID: 9)) == [.pubcomp(unknown)])
        #expect(try client.exchange(.pubrec(packetID: 9)) == [.pubrel(unknown)])
        #expect(try client.exchange(.puback(packetID: 9)).isEmpty)
    }

    @Test("The broker's own topics are not for clients to publish to")
    func systemTopics() throws {
        let client = try SimulatedBroker(shards: 1).client5("p")
        let refusal = Acknowledgement(packetID: 1, reasonCode: .notAuthorized)
        #expect(try client.exchange(message5("$SYS/x", "x", qos: .atLeastOnce, packetID: 1)) == [.puback(refusal)])
    }
}
