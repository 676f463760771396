import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Messages that follow each other on one topic go together (record 0033): every client must still get its own, all of them, in order.
@Suite struct PublishRunTests {
    /// What a client is, and what it must have got by now.
    private struct Reader {
        enum Kind: CaseIterable {
            case plain, version5, identified, aliasing, atQoS1, atQoS1Of5, atQoS2, narrow, away
        }

        let kind: Kind
        let client: SimulatedClient
        let filters: Set<String>
        var aliased: [UInt16: String] = [:]

        var qos: QoS {
            switch kind {
            case .atQoS1, .atQoS1Of5, .away: .atLeastOnce
            case .atQoS2: .exactlyOnce
            default: .atMostOnce
            }
        }

        /// Answers what came, the last one first now and then, and reads what has room then.
        mutating func readAll(of broker: SimulatedBroker, _ random: inout SeededRandom) throws -> [Publish] {
            var all: [Publish] = []
            while true {
                let packets = try client.read()
                if packets.isEmpty { return all }
                all += packets.publishes.map { named($0) }
                var answers = packets.compactMap { packet -> Packet? in
                    switch packet {
                    case .publish(let publish) where publish.qos == .atLeastOnce: .puback(packetID: publish.packetID)
                    case .publish(let publish) where publish.qos == .exactlyOnce: .pubrec(packetID: publish.packetID)
                    case .pubrel(let pubrel): .pubcomp(packetID: pubrel.packetID)
                    default: nil
                    }
                }
                if random.happens(percent: 20) { answers.reverse() }
                var bytes = ByteBuffer()
                let version: ProtocolVersion = kind == .atQoS1Of5 || kind == .atQoS2 ? .v5 : .v311
                for answer in answers { answer.encode(into: &bytes, version: version) }
                client.send(bytes)
                broker.settle()
            }
        }

        private mutating func named(_ packet: Publish) -> Publish {
            var publish = packet
            guard let alias = publish.properties.topicAlias else { return publish }
            if publish.topic.readableBytes == 0 {
                publish.topic = ByteBuffer(string: aliased[alias] ?? "?")
            } else {
                aliased[alias] = String(buffer: publish.topic)
            }
            return publish
        }

        func takes(_ message: Sent) -> Bool { filters.contains(message.topic) && (kind != .narrow || message.packetBytes5 <= 60) }
    }

    private struct Sent {
        let topic: String
        let text: String
        let hasExpiry: Bool
        let qos: QoS
        var name: String { "\(topic)=\(text)" }
        /// Of its PUBLISH in MQTT 5, if it is not large.
        var packetBytes5: Int { 5 + topic.utf8.count + text.utf8.count + (hasExpiry ? 5 : 0) }
    }

    private func name(_ publish: Publish) -> String { "\(String(buffer: publish.topic))=\(String(buffer: publish.payload))" }

    /// Runs begin with the first message where no topic's payloads are looked at.
    private func limits(tracking: Bool = false) -> BrokerLimits {
        var limits = BrokerLimits()
        limits.backPressureMillisecondsMax = 1_000_000
        limits.inflightMax = 10
        if !tracking { limits.topicsTrackedMax = 0 }
        return limits
    }

    private func reader(_ number: Int, of broker: SimulatedBroker, _ random: inout SeededRandom) throws -> Reader {
        let kind = Reader.Kind.allCases[number % Reader.Kind.allCases.count]
        let client = SimulatedClient("reader-\(number)", of: broker)
        let shard = number % 2
        switch kind {
        case .plain, .atQoS1, .away: _ = try client.connect(at: shard, cleanSession: kind != .away)
        case .version5, .identified, .atQoS1Of5, .atQoS2: _ = try client.connect5(at: shard)
        case .aliasing: _ = try client.connect5(at: shard) { $0.topicAliasMaximum = 1 }
        case .narrow: _ = try client.connect5(at: shard) { $0.maximumPacketSize = 60 }
        }
        let filters = Set(["a", "a/b", "c"].filter { _ in random.happens(percent: 70) })
        for (index, filter) in filters.sorted().enumerated() {
            let request = Subscribe.Request(filter: filter, qos: Reader(kind: kind, client: client, filters: []).qos)
            _ = try client.subscribe5(request, packetID: UInt16(index + 1), identifier: kind == .identified ? 7 : nil)
        }
        if kind == .away { client.lose() }
        return Reader(kind: kind, client: client, filters: filters)
    }

    /// Packets of one publisher, some of which may go together, and what they say.
    private func burst(_ version: ProtocolVersion, _ random: inout SeededRandom) -> (bytes: ByteBuffer, messages: [Sent]) {
        var bytes = ByteBuffer()
        var messages: [Sent] = []
        var (topic, qos) = ("a", QoS.atMostOnce)
        for number in 0..<Int.random(in: 1...30, using: &random) {
            if random.happens(percent: 20) { topic = ["a", "a/b", "c", "d"].randomElement(using: &random) ?? "a" }
            if random.happens(percent: 20) { qos = QoS.allCases.randomElement(using: &random) ?? qos }
            let packetID = qos == .atMostOnce ? 0 : UInt16(number + 1)
            let size = random.happens(percent: 20) ? Int.random(in: 0...200, using: &random) : 3
            let text = "\(number)-" + String(repeating: "x", count: size)
            let retain = random.happens(percent: 3)
            let hasExpiry = version == .v5 && random.happens(percent: 5)
            let packet =
                version == .v5
                ? message5(topic, text, qos: qos, packetID: packetID, retain: retain) { set in
                    if hasExpiry { set.messageExpiryInterval = 60 }
                }
                : message(topic, text, qos: qos, packetID: packetID, retain: retain)
            packet.encode(into: &bytes, version: version)
            messages.append(Sent(topic: topic, text: text, hasExpiry: hasExpiry, qos: qos))
        }
        return (bytes, messages)
    }

    @Test("Bursts cut anywhere reach clients of every kind on both shards, whole and in order", arguments: 0..<40)
    func bursts(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let broker = SimulatedBroker(shards: 2, limits: limits(tracking: seed % 4 == 0))
        var readers = try (0..<9).map { try reader($0, of: broker, &random) }
        let version: ProtocolVersion = seed % 2 == 0 ? .v5 : .v311
        let publisher = version == .v5 ? try broker.client5("publisher") : try broker.client("publisher")
        var sent = [0, 0, 0]
        var kept: [Sent] = []
        var bytesSent = 0
        for _ in 0..<10 {
            var (bytes, messages) = burst(version, &random)
            for message in messages { sent[Int(message.qos.rawValue)] += 1 }
            kept += messages.filter { $0.qos > .atMostOnce && $0.topic != "d" }
            bytesSent += messages.reduce(0) { $0 + $1.text.utf8.count }
            while bytes.readableBytes > 0 {
                let length = random.happens(percent: 30) ? Int.random(in: 1...bytes.readableBytes, using: &random) : bytes.readableBytes
                if let piece = bytes.readSlice(length: length) { publisher.send(piece) }
                if random.happens(percent: 20) { broker.endTurn(of: 0) }
            }
            broker.settle()
            // Each is acknowledged, in the order in which they came.
            let expected = messages.enumerated().compactMap { (number, message) -> Packet? in
                switch message.qos {
                case .atMostOnce: nil
                case .atLeastOnce: .puback(packetID: UInt16(number + 1))
                case .exactlyOnce: .pubrec(packetID: UInt16(number + 1))
                }
            }
            #expect(try publisher.read().map(withoutReason) == expected)
            try release(expected, by: publisher, of: broker, version)
            for index in readers.indices where readers[index].kind != .away {
                let publishes = try readers[index].readAll(of: broker, &random)
                // What waits at QoS 1 does not hold up QoS 0: each has its order.
                for qos in QoS.allCases {
                    let owed = messages.filter { readers[index].takes($0) && min($0.qos, readers[index].qos) == qos }.map(\.name)
                    #expect(publishes.filter { $0.qos == qos }.map(name) == owed, "seed \(seed), reader \(index)")
                }
                let identifiers: [UInt32] = readers[index].kind == .identified ? [7] : []
                #expect(publishes.allSatisfy { $0.properties.subscriptionIdentifiers == identifiers })
            }
        }
        let statistics = broker.nodes[0].core.statistics()
        #expect(statistics.publishReceived == sent.map { UInt64($0) })
        #expect(statistics.publishBytesReceived == UInt64(bytesSent))
        #expect(publisher.isConnected)
        for index in readers.indices where readers[index].kind == .away {
            readers[index].client.open(at: index % 2)
            readers[index].client.send(.connect(Connect(clientID: readers[index].client.name, cleanStart: false)))
            broker.settle()
            let got = try readers[index].readAll(of: broker, &random).map(name)
            #expect(got == kept.filter(readers[index].takes).map(\.name), "seed \(seed), reader \(index)")
        }
    }

    /// A topic without subscribers has a code of its own in MQTT 5.
    private func withoutReason(_ packet: Packet) -> Packet {
        switch packet {
        case .puback(let puback): .puback(packetID: puback.packetID)
        case .pubrec(let pubrec): .pubrec(packetID: pubrec.packetID)
        default: packet
        }
    }

    /// PUBREL for each PUBREC, in one piece.
    private func release(
        _ answers: [Packet], by publisher: SimulatedClient, of broker: SimulatedBroker, _ version: ProtocolVersion
    ) throws {
        let identifiers = answers.compactMap { if case .pubrec(let pubrec) = $0 { pubrec.packetID } else { nil } }
        var bytes = ByteBuffer()
        for identifier in identifiers { Packet.pubrel(packetID: identifier).encode(into: &bytes, version: version) }
        publisher.send(bytes)
        broker.settle()
        #expect(try publisher.read() == identifiers.map { .pubcomp(packetID: $0) })
    }

    @Test("A message at QoS 2 that comes twice in one piece is delivered once, and one more than may wait closes as ever")
    func exactlyOnce() throws {
        var limits = limits()
        limits.receiveMaximum = 5
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client("r")
        _ = try reader.subscribe("t")
        let publisher = try broker.client5("p")
        func send(_ identifiers: [UInt16]) throws -> [Packet] {
            var bytes = ByteBuffer()
            for identifier in identifiers {
                message5("t", "\(identifier)", qos: .exactlyOnce, packetID: identifier).encode(into: &bytes, version: .v5)
            }
            publisher.send(bytes)
            broker.settle()
            return try publisher.read()
        }
        #expect(try send([1, 2, 2, 3, 1]) == [1, 2, 2, 3, 1].map { .pubrec(packetID: $0) })
        #expect(try reader.read().messages == ["t=1", "t=2", "t=3"])
        let last = try send([4, 5, 6, 7])
        #expect(last.dropLast() == [.pubrec(packetID: 4), .pubrec(packetID: 5)])
        #expect([last.last].compactMap(\.self).withoutReasonStrings == disconnected(.receiveMaximumExceeded))
        #expect(try reader.read().messages == ["t=4", "t=5"])
    }

    @Test("A subscriber that waits for nothing gets its messages while there is little room for all, and goes on after")
    func littleRoomInAll() throws {
        var limits = limits()
        limits.inflightMax = 64
        limits.queueBytesInAllMax = 8_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let away = try broker.client("away", cleanSession: false)
        _ = try away.subscribe("other", .atLeastOnce)
        away.lose()
        let reader = try broker.client("r")
        _ = try reader.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        func publish(_ topic: String, _ count: Int, _ size: Int) {
            var bytes = ByteBuffer()
            for number in 1...count {
                message(topic, String(repeating: "x", count: size), qos: .atLeastOnce, packetID: UInt16(number))
                    .encode(into: &bytes, version: .v311)
            }
            publisher.send(bytes)
            broker.settle()
        }
        publish("other", 5, 500)
        publish("t", 60, 1)  // less than there is room for, one by one
        let first = try reader.read().publishes
        #expect(first.count > 20)
        for publish in first { reader.send(.puback(packetID: publish.packetID)) }
        publish("t", 1, 1)
        #expect(try reader.read().publishes.count == 1)
        #expect(broker.nodes[0].core.statistics().messagesQueued == 5)
    }

    @Test(
        "What is unfinished has its subscription identifier when a client of MQTT 3.1.1 comes back with MQTT 5",
        arguments: [QoS.atLeastOnce, .exactlyOnce])
    func identifierLater(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let first = SimulatedClient("r", of: broker)
        _ = try first.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        _ = try first.subscribe5("t", qos, identifier: 7)
        first.lose()
        let second = try broker.client("r", cleanSession: false)
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for number in 1...3 { message("t", "\(number)", qos: qos, packetID: UInt16(number)).encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        broker.settle()
        #expect(try second.read().messages == ["t=1", "t=2", "t=3"])
        second.lose()
        let third = SimulatedClient("r", of: broker)
        let again = try third.connect5(cleanStart: false).publishes
        #expect(again.map { String(buffer: $0.payload) } == ["1", "2", "3"])
        #expect(again.allSatisfy { $0.properties.subscriptionIdentifiers == [7] })
    }

    @Test("A run to very many who do not get it whole leaves the others their turn")
    func work() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let readers = try (0..<500).map { number in
            let reader = try broker.client5("r\(number)")
            _ = try reader.subscribe5("t")
            return reader
        }
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for _ in 0..<6_000 { message("t", "x").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        #expect(publisher.socket?.isRead == false)
        #expect(broker.nodes[0].core.counters.publishReceived[0] < 4_000)
        broker.settle()
        #expect(broker.nodes[0].core.counters.publishReceived[0] == 6_000)
        #expect(try readers[499].read().publishes.count == 6_000)
    }

    @Test("Clients of the other version share what is made for them")
    func shared() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits())
        let readers = try (0..<3).map { try broker.client5("r\($0)") }
        for reader in readers { _ = try reader.subscribe5("t") }
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for number in 0..<3 { message("t", "\(number)").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        #expect(!broker.nodes[0].core.sharedFrames[FrameForm(version: .v5, retain: false).index].isEmpty)
        broker.settle()
        for reader in readers { #expect(try reader.read().messages == ["t=0", "t=1", "t=2"]) }
    }

    @Test("What is not allowed is refused message by message, in a run too")
    func rights() throws {
        let broker = SimulatedBroker(shards: 1, limits: limits(), authorizer: NoTopicA())
        let reader = try broker.client("r")
        _ = try reader.subscribe("#")
        let publisher = try broker.client5("p")
        var bytes = ByteBuffer()
        for (number, topic) in ["a", "a", "a", "b", "b", "secret", "secret"].enumerated() {
            message5(topic, "x", qos: .atLeastOnce, packetID: UInt16(number + 1)).encode(into: &bytes, version: .v5)
        }
        publisher.send(bytes)
        broker.settle()
        let codes = try publisher.read().compactMap { if case .puback(let puback) = $0 { puback.reasonCode } else { nil } }
        #expect(codes == Array(repeating: .notAuthorized, count: 3) + Array(repeating: .success, count: 4))
        #expect(try reader.read().messages == ["b=x", "b=x"])
        #expect(broker.dropped == ["publish_denied": 3, "delivery_denied": 2])
    }
}

/// Nobody may publish on `a`, and nobody gets `secret`.
private struct NoTopicA: Authorizer {
    var isUnrestricted: Bool { false }

    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication { .accepted(principal: nil) }
    func refusal(ofConnect client: Publisher) -> String? { nil }
    func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String? { topic == "a" ? "not a" : nil }
    func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? { nil }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { topic != "secret" }
}
