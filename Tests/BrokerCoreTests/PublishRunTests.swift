import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Messages that follow each other on one topic go together (record 0033): every client must still get its own, all of them, in order.
@Suite struct PublishRunTests {
    /// What a client is, and what it must have got by now.
    private struct Reader {
        enum Kind: CaseIterable {
            case plain, version5, identified, aliasing, atQoS1, atQoS1Of5, narrow, away
        }

        let kind: Kind
        let client: SimulatedClient
        let filters: Set<String>
        var aliased: [UInt16: String] = [:]

        mutating func read() throws -> [Publish] {
            try client.read().publishes.map { packet in
                var publish = packet
                guard let alias = publish.properties.topicAlias else { return publish }
                if publish.topic.readableBytes == 0 {
                    publish.topic = ByteBuffer(string: aliased[alias] ?? "?")
                } else {
                    aliased[alias] = String(buffer: publish.topic)
                }
                return publish
            }
        }

        var qos: QoS { [.atQoS1, .atQoS1Of5, .away].contains(kind) ? .atLeastOnce : .atMostOnce }

        /// Acknowledges what came at QoS 1, the last one first now and then, and reads what has room then.
        mutating func readAll(of broker: SimulatedBroker, _ random: inout SeededRandom) throws -> [Publish] {
            var all: [Publish] = []
            while true {
                let publishes = try read()
                if publishes.isEmpty { return all }
                all += publishes
                var identifiers = publishes.filter { $0.qos == .atLeastOnce }.map(\.packetID)
                if random.happens(percent: 20) { identifiers.reverse() }
                var bytes = ByteBuffer()
                let version: ProtocolVersion = kind == .atQoS1Of5 ? .v5 : .v311
                for identifier in identifiers {
                    Packet.puback(Acknowledgement(packetID: identifier)).encode(into: &bytes, version: version)
                }
                client.send(bytes)
                broker.settle()
            }
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
        case .version5, .identified, .atQoS1Of5: _ = try client.connect5(at: shard)
        case .aliasing: _ = try client.connect5(at: shard) { $0.topicAliasMaximum = 1 }
        case .narrow: _ = try client.connect5(at: shard) { $0.maximumPacketSize = 60 }
        }
        let filters = Set(["a", "a/b", "c"].filter { _ in random.happens(percent: 70) })
        for (index, filter) in filters.sorted().enumerated() {
            let qos: QoS = [.atQoS1, .atQoS1Of5, .away].contains(kind) ? .atLeastOnce : .atMostOnce
            let request = Subscribe.Request(filter: filter, qos: qos)
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
            if random.happens(percent: 20) { qos = qos == .atMostOnce ? .atLeastOnce : .atMostOnce }
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
        var sent = [0, 0]
        var kept: [Sent] = []
        var bytesSent = 0
        for _ in 0..<10 {
            var (bytes, messages) = burst(version, &random)
            for message in messages { sent[Int(message.qos.rawValue)] += 1 }
            kept += messages.filter { $0.qos == .atLeastOnce && $0.topic != "d" }
            bytesSent += messages.reduce(0) { $0 + $1.text.utf8.count }
            while bytes.readableBytes > 0 {
                let length = random.happens(percent: 30) ? Int.random(in: 1...bytes.readableBytes, using: &random) : bytes.readableBytes
                if let piece = bytes.readSlice(length: length) { publisher.send(piece) }
                if random.happens(percent: 20) { broker.endTurn(of: 0) }
            }
            broker.settle()
            // Each is acknowledged, in the order in which they came.
            let acknowledged = try publisher.read().map { packet in
                guard case .puback(let puback) = packet else { return -1 }
                return Int(puback.packetID)
            }
            #expect(acknowledged == messages.indices.filter { messages[$0].qos == .atLeastOnce }.map { $0 + 1 })
            for index in readers.indices where readers[index].kind != .away {
                let publishes = try readers[index].readAll(of: broker, &random)
                // What waits at QoS 1 does not hold up QoS 0: each has its order.
                for qos in [QoS.atMostOnce, .atLeastOnce] {
                    let owed = messages.filter { readers[index].takes($0) && min($0.qos, readers[index].qos) == qos }.map(\.name)
                    #expect(publishes.filter { $0.qos == qos }.map(name) == owed, "seed \(seed), reader \(index)")
                }
                let identifiers: [UInt32] = readers[index].kind == .identified ? [7] : []
                #expect(publishes.allSatisfy { $0.properties.subscriptionIdentifiers == identifiers })
            }
        }
        let statistics = broker.nodes[0].core.statistics()
        #expect(statistics.publishReceived == [UInt64(sent[0]), UInt64(sent[1]), 0])
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
}
