import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What answers a client's packets: with which identifier, in which order, and how many (MQTT 5 sections 2.2.1, 3.8.4, 3.10.4, 4.6).
@Suite struct Answer5Tests {
    private static let identifiers: [UInt16] = [1, 255, 256, 65_535]

    private func unsuback(_ packetID: UInt16, _ codes: ReasonCode...) -> Packet {
        .unsuback(Unsuback(packetID: packetID, reasonCodes: codes))
    }

    private func suback(_ packetID: UInt16, _ codes: ReasonCode...) -> Packet { .suback(Suback(packetID: packetID, reasonCodes: codes)) }

    // [MQTT5-2.2.1-5] [MQTT5-3.3.4-1] [MQTT5-4.3.2-4] [MQTT5-4.3.3-8] [MQTT5-4.3.3-11]
    @Test(
        "PUBLISH is answered as its QoS asks, with its own identifier",
        arguments: identifiers)
    func publishIsAnswered(packetID: UInt16) throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t", .exactlyOnce)
        let client = try broker.client5("a")
        #expect(try client.exchange(message5("t", "x")) == [])
        #expect(try client.exchange(message5("t", "x", qos: .atLeastOnce, packetID: packetID)) == [.puback(packetID: packetID)])
        #expect(try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: packetID)) == [.pubrec(packetID: packetID)])
        #expect(try client.exchange(.pubrel(packetID: packetID)) == [.pubcomp(packetID: packetID)])
        #expect(try reader.read().messages == ["t=x", "t=x", "t=x"])
    }

    // [MQTT5-2.2.1-6] [MQTT5-3.8.4-1] [MQTT5-3.8.4-2] [MQTT5-3.10.4-4] [MQTT5-3.10.4-5]
    @Test(
        "SUBACK and UNSUBACK carry the identifier of what they answer",
        arguments: identifiers)
    func subscriptionsAreAnswered(packetID: UInt16) throws {
        let client = try SimulatedBroker(shards: 2).client5("a")
        #expect(try client.subscribe5("t", .exactlyOnce, packetID: packetID) == [suback(packetID, .grantedQoS2)])
        for code in [ReasonCode.success, .noSubscriptionExisted] {
            #expect(try client.exchange(.unsubscribe(Unsubscribe(packetID: packetID, filters: ["t"]))) == [unsuback(packetID, code)])
        }
    }

    @Test("PINGREQ is answered with PINGRESP [MQTT5-3.12.4-1]")
    func ping() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        #expect(client.exchange(bytes: [0xC0, 0, 0xC0, 0], settling: broker) == [0xD0, 0, 0xD0, 0])
    }

    // [MQTT5-3.8.4-5] [MQTT5-3.8.4-7] [MQTT5-3.9.3-1] [MQTT5-3.8.4-3]
    @Test(
        "Several filters are taken in turn, one SUBACK has their codes in order, and a filter that comes again replaces the first"
    )
    func filtersAreTakenInTurn() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("a", "1", qos: .exactlyOnce, packetID: 1, retain: true))
        _ = try publisher.exchange(message5("b/c", "2", qos: .exactlyOnce, packetID: 2, retain: true))
        let deep = String(repeating: "/", count: 200)  // more levels than topicLevelsMax
        let wanted: [(String, QoS)] = [
            ("b/#", .exactlyOnce), (deep, .atMostOnce), ("a", .exactlyOnce), ("none", .atLeastOnce), ("a", .atMostOnce),
        ]
        let answers = try client.exchange(
            .subscribe(Subscribe(packetID: 5, requests: wanted.map { Subscribe.Request(filter: $0.0, qos: $0.1) })))
        #expect(
            answers == [
                suback(5, .grantedQoS2, .topicFilterInvalid, .grantedQoS2, .grantedQoS1, .success),
                message5("b/c", "2", qos: .exactlyOnce, packetID: 1, retain: true), message5("a", "1", retain: true),
            ])
        #expect(broker.nodes[0].core.statistics().subscriptions == 3)
        _ = try publisher.exchange(message5("a", "3", qos: .exactlyOnce, packetID: 3))
        #expect(try client.read() == [message5("a", "3")])
    }

    @Test("A message comes with the lower QoS of its own and the one granted [MQTT5-3.8.4-8]", arguments: QoS.allCases, QoS.allCases)
    func lowerQoS(published: QoS, granted: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        #expect(try client.subscribe5("t", granted) == [suback(1, .granted(granted))])
        _ = try broker.client5("p").exchange(message5("t", "x", qos: published, packetID: 9))
        #expect(try client.read().publishes.map(\.qos) == [min(published, granted)])
    }

    // [MQTT5-3.10.4-1] [MQTT5-3.10.4-6] [MQTT5-3.11.3-1]
    @Test(
        "UNSUBSCRIBE compares filters letter by letter, takes them in turn and answers once for all"
    )
    func filtersAreGivenUpInTurn() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        for filter in ["a/+", "a/b", "a/#", "A/b"] { _ = try client.subscribe5(filter) }
        let unsubscribe = Unsubscribe(packetID: 9, filters: ["a/b", "a/+/", "+/b", "#", "a/b", "a/#"])
        let none = ReasonCode.noSubscriptionExisted
        #expect(try client.exchange(.unsubscribe(unsubscribe)) == [unsuback(9, .success, none, none, none, none, .success)])
        #expect(broker.nodes[0].core.statistics().subscriptions == 2)
        let publisher = try broker.client5("p")
        for topic in ["a/b", "a", "A/b"] { _ = try publisher.exchange(message5(topic, "x")) }
        #expect(try client.read() == [message5("a/b", "x"), message5("A/b", "x")])
    }

    @Test("After UNSUBACK nothing new comes [MQTT5-3.10.4-2], and what was begun is finished [MQTT5-3.10.4-3]")
    func deliveryEndsInOrder() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false) { $0.sessionExpiryInterval = 100 }
        _ = try client.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "1", qos: .exactlyOnce, packetID: 1))
        _ = try publisher.exchange(message5("t", "2", qos: .atLeastOnce, packetID: 2))
        _ = try client.read()
        #expect(try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["t"]))) == [unsuback(9, .success)])
        _ = try publisher.exchange(message5("t", "3", qos: .exactlyOnce, packetID: 3))
        #expect(try client.read() == [])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        client.lose()
        let answer = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }
        #expect(
            answer.dropFirst() == [.pubrel(packetID: 1), message5("t", "2", qos: .atLeastOnce, packetID: 2, duplicate: true)])
    }

    @Test("Acknowledgements leave in the order of what they answer [MQTT5-4.6.0-2] [MQTT5-4.6.0-3] [MQTT5-4.6.0-4]")
    func answersKeepTheOrder() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("a")
        for filter in ["down", "up"] { _ = try client.subscribe5(filter, filter == "up" ? .atMostOnce : .exactlyOnce) }
        let publisher = try broker.client5("p", at: 1)
        for number: UInt16 in 1...3 { _ = try publisher.exchange(message5("down", "x", qos: .exactlyOnce, packetID: number)) }
        _ = try client.read()
        var bytes = ByteBuffer()
        for packetID: UInt16 in [9, 4, 7] {
            message5("up", "x", qos: .atLeastOnce, packetID: packetID).encode(into: &bytes, version: .v5)
            message5("up", "x", qos: .exactlyOnce, packetID: packetID).encode(into: &bytes, version: .v5)
        }
        for packetID: UInt16 in [2, 3, 1] { Packet.pubrec(packetID: packetID).encode(into: &bytes, version: .v5) }
        client.send(bytes)
        broker.settle()
        let answers = try client.read().filter { if case .publish = $0 { false } else { true } }
        #expect(
            answers == [
                .puback(packetID: 9), .pubrec(packetID: 9), .puback(packetID: 4), .pubrec(packetID: 4), .puback(packetID: 7),
                .pubrec(packetID: 7), .pubrel(packetID: 2), .pubrel(packetID: 3), .pubrel(packetID: 1),
            ])
    }

    @Test("While no more PUBLISH may be sent, everything else is still answered [MQTT5-3.3.4-10] [MQTT5-4.9.0-3]")
    func quotaBoundsPublishOnly() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a") { $0.receiveMaximum = 1 }
        _ = try client.subscribe5("down", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...2 { _ = try publisher.exchange(message5("down", "\(number)", qos: .exactlyOnce, packetID: number)) }
        #expect(try client.read().messages == ["down=1"])  // the quota is 0 from here on
        #expect(try client.exchange(.pingreq) == [.pingresp])
        #expect(try client.subscribe5("up", packetID: 2) == [suback(2, .success)])
        #expect(
            try client.exchange(message5("up", "x", qos: .atLeastOnce, packetID: 3)) == [message5("up", "x"), .puback(packetID: 3)])
        #expect(
            try client.exchange(message5("up", "y", qos: .exactlyOnce, packetID: 4)) == [message5("up", "y"), .pubrec(packetID: 4)])
        #expect(try client.exchange(.pubrel(packetID: 4)) == [.pubcomp(packetID: 4)])
        #expect(try client.exchange(.unsubscribe(Unsubscribe(packetID: 5, filters: ["up"]))) == [unsuback(5, .success)])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        #expect(try client.exchange(.pubcomp(packetID: 1)).messages == ["down=2"])
    }
}
