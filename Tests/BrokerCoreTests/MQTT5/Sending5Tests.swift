import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What the broker sends on its own: flags, identifiers, order, and what comes again (MQTT 5 sections 3.3, 4.3, 4.4 and 4.6).
@Suite struct Sending5Tests {
    private func kept(_ properties: inout Properties) { properties.sessionExpiryInterval = 1_000 }

    /// Loses the connection, resumes the session, and answers what came behind CONNACK.
    private func again(_ client: SimulatedClient) throws -> [Packet] {
        client.lose()
        let answer = try client.connect5(cleanStart: false, kept)
        #expect(answer.connack?.sessionPresent == true)
        return Array(answer.dropFirst())
    }

    @Test("QoS 0 goes out with QoS 0 and no flag, whatever the publisher's packet said [MQTT5-4.3.1-1] [MQTT5-3.3.1-3]", arguments: [0, 1])
    func atMostOnce(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client5("s", at: shard)
        _ = try client.subscribe5("t")
        let publisher = try broker.client5("p")
        let published = [
            message5("t", "x"), message5("t", "x", retain: true), message5("t", "x", qos: .atLeastOnce, packetID: 1, duplicate: true),
            message5("t", "x", qos: .exactlyOnce, packetID: 2, retain: true, duplicate: true),
        ]
        for packet in published {
            publisher.send(packet)
            broker.settle()
            #expect(client.takeBytes() == [0x30, 5, 0, 1, 0x74, 0, 0x78])
        }
    }

    // [MQTT5-2.2.1-4] [MQTT5-3.3.1-3] [MQTT5-4.3.2-1] [MQTT5-4.3.2-2] [MQTT5-4.3.3-1] [MQTT5-4.3.3-2]
    @Test(
        "A new message leaves with an identifier of its own and DUP 0, whatever the publisher's DUP was",
        arguments: [QoS.atLeastOnce, .exactlyOnce])
    func newMessages(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        _ = try client.subscribe5("t", qos)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...3 {
            _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: 700 + number, duplicate: true))
        }
        #expect(try client.read() == (1...3).map { message5("t", "\($0)", qos: qos, packetID: $0) })
    }

    @Test("QoS 1 is unacknowledged, with its identifier, until its PUBACK [MQTT5-4.3.2-3], and comes again with DUP [MQTT5-3.3.1-1]")
    func atLeastOnce() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...3 { _ = try publisher.exchange(message5("t", "\(number)", qos: .atLeastOnce, packetID: number)) }
        #expect(try client.read().count == 3)
        #expect(try client.exchange(.puback(packetID: 2)) == [])
        let rest = [1, 3].map { message5("t", "\($0)", qos: .atLeastOnce, packetID: $0, duplicate: true) }
        #expect(try again(client) == rest)
        // On an open connection nothing is sent again [MQTT5-4.4.0-1].
        broker.advance(seconds: 80)
        broker.settle()
        #expect(try client.read() == [])
        #expect(try again(client) == rest)
    }

    // [MQTT5-4.3.3-3] [MQTT5-4.3.3-4] [MQTT5-4.3.3-5] [MQTT5-4.3.3-6]
    @Test(
        "QoS 2: PUBLISH until PUBREC, then PUBREL until PUBCOMP, never PUBLISH again"
    )
    func exactlyOnce() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", .exactlyOnce)
        _ = try broker.client5("p").exchange(message5("t", "x", qos: .exactlyOnce, packetID: 300))
        #expect(try client.read() == [message5("t", "x", qos: .exactlyOnce, packetID: 1)])
        #expect(try again(client) == [message5("t", "x", qos: .exactlyOnce, packetID: 1, duplicate: true)])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        #expect(try again(client) == [.pubrel(packetID: 1)])
        #expect(try again(client) == [.pubrel(packetID: 1)])
        #expect(try client.exchange(.pubcomp(packetID: 1)) == [])
        #expect(try again(client) == [])
    }

    @Test("What the client refused is not sent again [MQTT5-4.4.0-2], and no PUBREL follows", arguments: [QoS.atLeastOnce, .exactlyOnce])
    func refused(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", qos)
        _ = try broker.client5("p").exchange(message5("t", "x", qos: qos, packetID: 1))
        #expect(try client.read().count == 1)
        let refusal = Acknowledgement(packetID: 1, reasonCode: .unspecifiedError)
        #expect(try client.exchange(qos == .atLeastOnce ? .puback(refusal) : .pubrec(refusal)) == [])
        #expect(try again(client) == [])
        #expect(broker.nodes[0].core.statistics().messagesInFlight == 0)
    }

    @Test("A QoS 2 message that was sent does not expire: its exchange goes on, with 0 seconds left [MQTT5-4.3.3-7] [MQTT5-4.3.3-13]")
    func sentMessagesDoNotExpire() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a", cleanStart: false, kept)
        _ = try client.subscribe5("t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...2 {
            _ = try publisher.exchange(message5("t", "\(number)", qos: .exactlyOnce, packetID: number) { $0.messageExpiryInterval = 5 })
        }
        #expect(try client.read().publishes.map(\.properties.messageExpiryInterval) == [5, 5])
        #expect(try client.exchange(.pubrec(packetID: 1)) == [.pubrel(packetID: 1)])
        client.lose()
        broker.advance(seconds: 20)
        let answer = try client.connect5(cleanStart: false, kept).dropFirst()
        #expect(
            answer == [
                .pubrel(packetID: 1),
                message5("t", "2", qos: .exactlyOnce, packetID: 2, duplicate: true) { $0.messageExpiryInterval = 0 },
            ])
        #expect(try client.exchange(.pubrec(packetID: 2)) == [.pubrel(packetID: 2)])
        for packetID: UInt16 in 1...2 { _ = try client.exchange(.pubcomp(packetID: packetID)) }
        #expect(broker.nodes[0].core.statistics().messagesInFlight == 0)
        // The publisher's side goes on, too.
        #expect(try publisher.exchange(.pubrel(packetID: 1)) == [.pubcomp(packetID: 1)])
    }

    @Test("Only topics that a filter matches are sent, as they were published [MQTT5-3.3.2-3]")
    func topicsMatch() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        for filter in ["+/x", "y/#"] { _ = try client.subscribe5(filter) }
        let publisher = try broker.client5("p")
        for topic in ["a/x", "a/x/b", "y", "y/1/2", "Y/1", "x", "/x", "a/ x"] { _ = try publisher.exchange(message5(topic, "1")) }
        #expect(try client.read() == ["a/x", "y", "y/1/2", "/x"].map { message5($0, "1") })
    }

    @Test("A filter that begins with a wildcard gets nothing of $ topics, live or retained, unless it names them [MQTT5-4.7.2-1]")
    func dollarTopics() throws {
        let broker = SimulatedBroker(shards: 1)
        let all = try broker.client5("all")
        for filter in ["#", "+/x", "+/#"] { _ = try all.subscribe5(filter) }
        let named = try broker.client5("named")
        _ = try named.subscribe5("$SYS/+")
        for topic in ["$SYS/x", "S/x"] {
            let message = Message(topic: topic, payload: [0x31], qos: .atMostOnce, retain: true)
            broker.nodes[0].core.publish(message, now: broker.now)
        }
        broker.settle()
        #expect(try all.read().messages == ["S/x=1"])
        #expect(try named.read().messages == ["$SYS/x=1"])
        let late = try broker.client5("late")
        #expect(try ["#", "+/x", "$SYS/#"].map { try late.subscribe5($0).messages } == [["S/x=1"], ["S/x=1"], ["$SYS/x=1"]])
    }

    @Test("Filters and topics are compared byte by byte, nothing is normalized [MQTT5-4.7.3-4]", arguments: ["", "/+"])
    func bytes(suffix: String) throws {
        let broker = SimulatedBroker(shards: 1)
        let topics = ["\u{E9}", "e\u{301}", "E\u{301}", "\u{FEFF}e", "e"]
        let clients = try topics.enumerated().map { number, topic in
            let client = try broker.client5("c\(number)")
            _ = try client.subscribe5(topic + suffix)
            return client
        }
        let publisher = try broker.client5("p")
        for (number, topic) in topics.enumerated() {
            _ = try publisher.exchange(message5(topic + (suffix.isEmpty ? "" : "/1"), "\(number)"))
        }
        #expect(try clients.map { try $0.read().publishes.map { String(buffer: $0.payload) } } == topics.indices.map { ["\($0)"] })
    }

    @Test("A message is added to every session that matches, there or away, on any shard [MQTT5-4.5.0-1]")
    func everySession() throws {
        let broker = SimulatedBroker(shards: 2)
        let clients = try (0..<4).map { number in
            let client = try broker.client5("c\(number)", at: number % 2, cleanStart: false, kept)
            _ = try client.subscribe5(number == 3 ? "u" : "t/\(number < 2 ? "+" : "#")", .atLeastOnce)
            return client
        }
        for client in clients[..<2] { client.lose() }
        _ = try broker.client5("p").exchange(message5("t/1", "x", qos: .atLeastOnce, packetID: 1))
        for (number, client) in clients.enumerated() {
            let received = number < 2 ? try client.connect5(at: number % 2, cleanStart: false, kept) : try client.read()
            #expect(received.messages == (number == 3 ? [] : ["t/1=x"]))
        }
    }

    @Test("Every topic is ordered: what one client publishes arrives in its order, whatever waits [MQTT5-4.6.0-5] [MQTT5-4.6.0-6]")
    func topicsAreOrdered() throws {
        let broker = SimulatedBroker(shards: 2)
        let present = try broker.client5("present") { $0.receiveMaximum = 3 }
        let away = try broker.client5("away", at: 1, cleanStart: false, kept)
        for client in [present, away] { _ = try client.subscribe5("t/#", .atLeastOnce) }
        away.lose()
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...20 {
            _ = try publisher.exchange(message5("t/\(number % 3)", "\(number)", qos: .atLeastOnce, packetID: number))
        }
        let resumed = try away.connect5(at: 1, cleanStart: false, kept)
        for (client, first) in [(present, try present.read()), (away, resumed)] {
            var payloads: [String] = []
            var waiting = first.publishes
            while !waiting.isEmpty {
                let publish = waiting.removeFirst()
                payloads.append(String(buffer: publish.payload))
                waiting += try client.exchange(.puback(packetID: publish.packetID)).publishes
            }
            #expect(payloads == (1...20).map(String.init))
        }
    }

    @Test("The broker's topic aliases end with the connection: what comes again has its name [MQTT5-3.1.2-27] [MQTT5-3.3.2-7]")
    func aliasesEndWithTheConnection() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        let set: (inout Properties) -> Void = {
            $0.sessionExpiryInterval = 1_000
            $0.topicAliasMaximum = 5
        }
        _ = try client.connect5(cleanStart: false, set)
        _ = try client.subscribe5("t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...2 { _ = try publisher.exchange(message5("t", "\(number)", qos: .atLeastOnce, packetID: number)) }
        #expect(try client.read().messages == ["t=1", "=2"])
        client.lose()
        #expect(try client.connect5(cleanStart: false, set).messages == ["t=1", "=2"])
        client.lose()
        #expect(try client.connect5(cleanStart: false, kept).messages == ["t=1", "t=2"])
    }
}
