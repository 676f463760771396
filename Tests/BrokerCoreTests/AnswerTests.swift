import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What answers a client's packets: with which identifier, in which order, and how many (MQTT 3.1.1 sections 2.3.1, 3.8.4, 3.10.4, 4.6).
@Suite struct AnswerTests {
    private static let identifiers: [UInt16] = [1, 255, 256, 65_535]

    @Test("PUBLISH is answered as its QoS asks, with its own identifier [MQTT-3.3.4-1] [MQTT-2.3.1-6]", arguments: identifiers)
    func publishIsAnswered(packetID: UInt16) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(try client.exchange(message("t", "x")) == [])
        #expect(try client.exchange(message("t", "x", qos: .atLeastOnce, packetID: packetID)) == [.puback(packetID: packetID)])
        #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: packetID)) == [.pubrec(packetID: packetID)])
        #expect(try client.exchange(.pubrel(packetID: packetID)) == [.pubcomp(packetID: packetID)])
    }

    @Test(
        "SUBACK and UNSUBACK carry the identifier of what they answer [MQTT-2.3.1-7] [MQTT-3.8.4-2] [MQTT-3.10.4-4]",
        arguments: identifiers)
    func subscriptionsAreAnswered(packetID: UInt16) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        let suback = Packet.suback(Suback(packetID: packetID, reasonCodes: [.granted(.exactlyOnce)]))
        #expect(try client.subscribe("t", .exactlyOnce, packetID: packetID) == [suback])
        #expect(
            try client.exchange(.unsubscribe(Unsubscribe(packetID: packetID, filters: ["t"]))) == [.unsuback(Unsuback(packetID: packetID))])
    }

    @Test("As many filters as Home Assistant sends at once are one SUBSCRIBE, and one UNSUBSCRIBE [MQTT-3.8.4-4] [MQTT-3.10.4-6]")
    func manyFilters() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        let filters = (1...500).map { "homeassistant/sensor/\($0)/state" }
        let requests = filters.map { Subscribe.Request(filter: $0, qos: .atMostOnce) }
        let granted = Packet.suback(Suback(packetID: 1, reasonCodes: Array(repeating: .granted(.atMostOnce), count: 500)))
        #expect(try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests))) == [granted])
        #expect(
            try client.exchange(.unsubscribe(Unsubscribe(packetID: 2, filters: filters))) == [.unsuback(Unsuback(packetID: 2))])
    }

    @Test("After PUBACK the same identifier is a new message, whatever its DUP flag says [MQTT-4.3.2-2]", arguments: [true, false])
    func identifierIsFreeAfterPuback(duplicate: Bool) throws {
        let broker = SimulatedBroker(shards: 1)
        let subscriber = try broker.client("s")
        _ = try subscriber.subscribe("t")
        let client = try broker.client("a")
        for number in 1...3 {
            let publish = message("t", "\(number)", qos: .atLeastOnce, packetID: 7, duplicate: duplicate)
            #expect(try client.exchange(publish) == [.puback(packetID: 7)])
        }
        #expect(try subscriber.read() == [message("t", "1"), message("t", "2"), message("t", "3")])
    }

    @Test("Several filters in one packet are taken in turn, and the codes stand in their order [MQTT-3.8.4-4] [MQTT-3.9.3-1]")
    func filtersAreTakenInTurn() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.exchange(message("a", "1", qos: .exactlyOnce, packetID: 1, retain: true))
        _ = try client.exchange(message("b/c", "2", qos: .exactlyOnce, packetID: 2, retain: true))
        let long = String(repeating: "/", count: 200)  // more levels than topicLevelsMax
        let wanted: [(String, QoS)] = [
            ("b/#", .exactlyOnce), (long, .atMostOnce), ("a", .exactlyOnce), ("none", .atLeastOnce), ("a", .atMostOnce),
        ]
        let answers = try client.exchange(
            .subscribe(Subscribe(packetID: 5, requests: wanted.map { Subscribe.Request(filter: $0.0, qos: $0.1) })))
        let codes: [ReasonCode] = [
            .granted(.exactlyOnce), .unspecifiedError, .granted(.exactlyOnce), .granted(.atLeastOnce), .granted(.atMostOnce),
        ]
        #expect(answers.first == .suback(Suback(packetID: 5, reasonCodes: codes)))
        // The second `a` has replaced the first.
        #expect(
            answers.dropFirst() == [message("b/c", "2", qos: .exactlyOnce, packetID: 1, retain: true), message("a", "1", retain: true)])
        _ = try broker.client("p").exchange(message("a", "3", qos: .exactlyOnce, packetID: 1))
        #expect(try client.read() == [message("a", "3")])
    }

    @Test("UNSUBSCRIBE compares filters letter by letter, wildcards too, and answers once for all [MQTT-3.10.4-1] [MQTT-3.10.4-6]")
    func filtersAreGivenUpInTurn() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for filter in ["a/+", "a/b", "a/#", "A/b"] { _ = try client.subscribe(filter, filter == "A/b" ? .exactlyOnce : .atMostOnce) }
        let unsubscribe = Unsubscribe(packetID: 9, filters: ["a/b", "a/+/", "+/b", "#", "a/c", "a/#"])
        #expect(try client.exchange(.unsubscribe(unsubscribe)) == [.unsuback(Unsuback(packetID: 9))])
        #expect(broker.nodes[0].core.statistics().subscriptions == 2)
        let publisher = try broker.client("p")
        for topic in ["a/b", "a", "A/b"] { _ = try publisher.exchange(message(topic, "x")) }
        #expect(try client.read() == [message("a/b", "x"), message("A/b", "x")])
    }

    @Test("After UNSUBACK nothing new comes, and what was begun is finished [MQTT-3.10.4-2] [MQTT-3.10.4-3]")
    func deliveryEndsInOrder() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "1", qos: .exactlyOnce, packetID: 1))
        _ = try publisher.exchange(message("t", "2", qos: .atLeastOnce, packetID: 2))
        _ = try client.read()
        #expect(try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["t"]))) == [.unsuback(Unsuback(packetID: 9))])
        _ = try publisher.exchange(message("t", "3", qos: .exactlyOnce, packetID: 3))
        #expect(try client.read() == [])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        client.lose()
        #expect(
            try client.connect(cleanSession: false) == [
                accepted(sessionPresent: true), .pubrel(packetID: 1),
                message("t", "2", qos: .atLeastOnce, packetID: 2, duplicate: true),
            ])
    }

    @Test("Acknowledgements leave in the order of what they answer [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4]")
    func answersKeepTheOrder() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client("a")
        _ = try client.subscribe("down", .exactlyOnce)
        let publisher = try broker.client("p", at: 1)
        for number: UInt16 in 1...3 { _ = try publisher.exchange(message("down", "x", qos: .exactlyOnce, packetID: number)) }
        _ = try client.read()
        var bytes = ByteBuffer()
        for packetID: UInt16 in [9, 4, 7] {
            message("up", "x", qos: .atLeastOnce, packetID: packetID).encode(into: &bytes, version: .v311)
            message("up", "x", qos: .exactlyOnce, packetID: packetID).encode(into: &bytes, version: .v311)
        }
        for packetID: UInt16 in [2, 3, 1] { Packet.pubrec(packetID: packetID).encode(into: &bytes, version: .v311) }
        client.send(bytes)
        broker.settle()
        #expect(
            try client.read() == [
                .puback(packetID: 9), .pubrec(packetID: 9), .puback(packetID: 4), .pubrec(packetID: 4), .puback(packetID: 7),
                .pubrec(packetID: 7), .pubrel(packetID: 2), .pubrel(packetID: 3), .pubrel(packetID: 1),
            ])
    }
}
