import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct FlowControlTests {
    @Test("No more is under way than the client's receive maximum [MQTT5-3.3.4-9] [MQTT5-4.9.0-1] [MQTT5-4.9.0-2]", arguments: [1, 2, 5])
    func receiveMaximum(maximum: UInt16) throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.receiveMaximum = maximum }
        _ = try reader.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number in 0..<10 {
            let qos: QoS = number.isMultiple(of: 2) ? .atLeastOnce : .exactlyOnce
            _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: 1))
            _ = try publisher.exchange(.pubrel(packetID: 1))
        }
        _ = try publisher.exchange(message5("t", "qos0"))  // goes past the window
        var window = try reader.read().publishes
        #expect(window.count == Int(maximum) + 1)
        window.removeAll { $0.qos == .atMostOnce }
        var received: [String] = []
        while !window.isEmpty {
            let next = window.removeFirst()
            received.append(String(buffer: next.payload))
            if next.qos == .atLeastOnce {
                window += try reader.exchange(.puback(packetID: next.packetID)).publishes
            } else {
                #expect(try reader.exchange(.pubrec(packetID: next.packetID)) == [.pubrel(packetID: next.packetID)])
                window += try reader.exchange(.pubcomp(packetID: next.packetID)).publishes
            }
            #expect(window.count <= Int(maximum))
        }
        #expect(received == (0..<10).map { "\($0)" })
    }

    @Test("PUBREL is sent again whatever the receive maximum, and takes nothing of it from others [MQTT5-3.3.4-10]", arguments: [1, 2])
    func releasesAreNotDelayed(maximum: UInt16) throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.sessionExpiryInterval = 100 }
        _ = try reader.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...5 {
            _ = try publisher.exchange(message5("t", "\(number)", qos: .exactlyOnce, packetID: number))
        }
        #expect(try reader.read().count == 5)
        for packetID: UInt16 in [2, 4, 5] { _ = try reader.exchange(.pubrec(packetID: packetID)) }
        reader.lose()
        let back = try reader.connect5(cleanStart: false) {
            $0.sessionExpiryInterval = 100
            $0.receiveMaximum = maximum
        }
        let releases = back.filter { $0.type == .pubrel }
        #expect(releases == [2, 4, 5].map { .pubrel(packetID: $0) })
        #expect(back.publishes.map(\.packetID) == [1])
        for packetID: UInt16 in [2, 4, 5] { _ = try reader.exchange(.pubcomp(packetID: packetID)) }
        _ = try reader.exchange(.pubrec(packetID: 1))
        #expect(try reader.exchange(.pubcomp(packetID: 1)).publishes.map(\.packetID) == (maximum == 1 ? [3] : []))
    }

    @Test("PUBREC with an error ends the message and gives its place back [MQTT5-4.4.0-2] [MQTT5-4.9.0-2]")
    func refusedByTheReader() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.receiveMaximum = 1 }
        _ = try reader.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number in 0..<2 { _ = try publisher.exchange(message5("t", "\(number)", qos: .exactlyOnce, packetID: UInt16(number + 1))) }
        let first = try #require(try reader.read().publishes.first)
        let refusal = Acknowledgement(packetID: first.packetID, reasonCode: .quotaExceeded)
        #expect(try reader.exchange(.pubrec(refusal)).messages == ["t=1"])
    }

    @Test("A client that comes back with a smaller receive maximum is sent the rest bit by bit [MQTT5-4.4.0-1] [MQTT5-4.6.0-1]")
    func smallerWindow() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r", cleanStart: false) { $0.sessionExpiryInterval = 100 }
        _ = try reader.subscribe5("t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for number in 0..<4 { _ = try publisher.exchange(message5("t", "\(number)", qos: .atLeastOnce, packetID: 1)) }
        #expect(try reader.read().count == 4)
        reader.lose()
        var answer = try reader.connect5(cleanStart: false) {
            $0.sessionExpiryInterval = 100
            $0.receiveMaximum = 1
        }
        _ = try publisher.exchange(message5("t", "4", qos: .atLeastOnce, packetID: 1))
        for number in 0..<5 {
            let publish = try #require(answer.publishes.first)
            #expect(answer.publishes.count == 1)
            #expect(publish.packetID == UInt16(number + 1) && publish.duplicate == (number < 4))
            answer = try reader.exchange(.puback(packetID: publish.packetID))
        }
        #expect(answer.isEmpty)
    }

    @Test("More QoS 2 messages without PUBREL than the broker's receive maximum end the connection [MQTT5-3.3.4-7]")
    func brokersReceiveMaximum() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("p")
        for packetID in 1...64 as ClosedRange<UInt16> {
            #expect(try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: packetID)).count == 1)
        }
        #expect(try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 64, duplicate: true)).count == 1)
        let answer = try client.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 65))
        #expect(answer.withoutReasonStrings == disconnected(.receiveMaximumExceeded))
    }

    @Test("A packet larger than the client takes is not sent, and counts as delivered [MQTT5-3.1.2-24] [MQTT5-3.1.2-25]")
    func maximumPacketSize() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client5("r") { $0.maximumPacketSize = 40 }
        _ = try reader.subscribe5("#", .atLeastOnce)
        let publisher = try broker.client5("p")
        for qos in [QoS.atMostOnce, .atLeastOnce] {
            let overhead = qos == .atMostOnce ? 6 : 8
            for size in [40, 41] {
                let payload = String(repeating: "x", count: size - overhead)
                _ = try publisher.exchange(message5("t", payload, qos: qos, packetID: 1))
            }
            #expect(try reader.read().publishes.map(\.payload.readableBytes) == [40 - overhead])
        }
        #expect(broker.dropped == ["packet_too_large": 2])
    }

    @Test(
        "A packet that fits without a topic alias, or with the one there is, is sent [MQTT5-3.1.2-25]",
        arguments: [QoS.atMostOnce, .atLeastOnce])
    func aliasesThatDoNotFit(qos: QoS) throws {
        let plainBytes = qos == .atMostOnce ? 39 : 41
        for maximum in plainBytes - 1...plainBytes + 3 {
            let broker = SimulatedBroker(shards: 1)
            let reader = try broker.client5("r") {
                $0.maximumPacketSize = UInt32(maximum)
                $0.topicAliasMaximum = 5
            }
            _ = try reader.subscribe5("al/t", .atLeastOnce)
            let publisher = try broker.client5("p")
            _ = try publisher.exchange(message5("al/t", String(repeating: "x", count: 30), qos: qos, packetID: 1))
            let received = try reader.read().publishes
            #expect(received.map(\.topic) == (maximum < plainBytes ? [] : [ByteBuffer(string: "al/t")]), "\(maximum)")
            #expect(received.first?.properties.topicAlias == (maximum == plainBytes + 3 ? 1 : nil), "\(maximum)")
            #expect(broker.dropped == (maximum < plainBytes ? ["packet_too_large": 1] : [:]))
        }
    }

    @Test("A topic that has its alias is sent by it where its name would not fit, and a short one by its name where the alias would not")
    func knownAliases() throws {
        for (topic, second, topics) in [("al/" + String(repeating: "t", count: 50), 60, ["name", ""]), ("t", 93, ["name", "name"])] {
            let broker = SimulatedBroker(shards: 1)
            let reader = try broker.client5("r") {
                $0.maximumPacketSize = 101
                $0.topicAliasMaximum = 5
            }
            _ = try reader.subscribe5("#", .atLeastOnce)
            let publisher = try broker.client5("p")
            for count in [10, second] {
                let payload = String(repeating: "x", count: count)
                _ = try publisher.exchange(message5(topic, payload, qos: .atLeastOnce, packetID: 1))
            }
            let expected = topics.map { ByteBuffer(string: $0 == "name" ? topic : "") }
            #expect(try reader.read().publishes.map(\.topic) == expected)
            #expect(broker.dropped == [:])
        }
    }

    @Test("Reason strings stay away where the client asked for none, or has no room [MQTT5-3.14.2-3]")
    func reasonStrings() throws {
        let broker = SimulatedBroker(shards: 1)
        for (size, hasText) in [(nil, true), (24, false)] as [(UInt32?, Bool)] {
            let client = try broker.client5("a") { $0.maximumPacketSize = size }
            guard case .disconnect(let goodbye) = try client.exchange(.auth(Auth(reasonCode: .success))).first else {
                Issue.record("no DISCONNECT")
                continue
            }
            #expect((goodbye.properties.reasonString != nil) == hasText)
        }
    }
}
