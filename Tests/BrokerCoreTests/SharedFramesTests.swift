import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What several clients get alike is written once (record 0011): each must still get its own packets, all of them, in order.
@Suite struct SharedFramesTests {
    /// A client, and what it must have got by now.
    private struct Reader {
        let client: SimulatedClient
        let version: ProtocolVersion
        let topics: Set<String>
        let retainAsPublished: Bool
        var owed: [String] = []

        mutating func take(_ topic: String, _ payload: String, retain: Bool) {
            if topics.contains(topic) { owed.append("\(topic)=\(payload.count)\(payload.prefix(8))\(retain && retainAsPublished)") }
        }

        func read() throws -> [String] {
            try client.read().compactMap { packet in
                if case .pingresp = packet { return "pong" }
                guard case .publish(let publish) = packet else { return nil }
                let payload = String(buffer: publish.payload)
                return "\(String(buffer: publish.topic))=\(payload.count)\(payload.prefix(8))\(publish.retain)"
            }
        }
    }

    private func reader(_ number: Int, of broker: SimulatedBroker, _ random: inout SeededRandom) throws -> Reader {
        let version: ProtocolVersion = random.happens(percent: 50) ? .v5 : .v311
        let client =
            version == .v5
            ? try broker.client5("reader-\(number)", at: number % 2) : try broker.client("reader-\(number)", at: number % 2)
        let topics = Set(["a", "b", "c"].filter { _ in random.happens(percent: 60) })
        let retainAsPublished = version == .v5 && random.happens(percent: 30)
        for (index, topic) in topics.sorted().enumerated() {
            var request = Subscribe.Request(filter: topic, qos: .atMostOnce)
            request.retainAsPublished = retainAsPublished
            _ = try client.exchange(.subscribe(Subscribe(packetID: UInt16(index + 1), requests: [request])))
        }
        return Reader(client: client, version: version, topics: topics, retainAsPublished: retainAsPublished)
    }

    @Test("Streams that overlap, of both versions, with answers in between, reach every client whole and in order", arguments: 0..<24)
    func overlappingStreams(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var limits = BrokerLimits()
        let isNarrow = random.happens(percent: 50)  // flushes in the midst of a turn; room for one large message at most
        limits.outboundBytesMax = isNarrow ? 3_000 : 262_144
        limits.backPressureMillisecondsMax = 1_000_000
        let broker = SimulatedBroker(shards: 2, limits: limits)
        var readers = try (0..<7).map { try reader($0, of: broker, &random) }
        let publisher = try broker.client5("publisher")
        for turn in 0..<12 {
            let blocked = !isNarrow && random.happens(percent: 30) ? readers.indices.randomElement(using: &random) : nil
            if let blocked { broker.setWritable(try #require(readers[blocked].client.socket), false) }
            for number in 0..<Int.random(in: 1...9, using: &random) {
                let topic = ["a", "b", "c"].randomElement(using: &random) ?? "a"
                let size = random.happens(percent: 5) ? 300_000 : random.happens(percent: 20) ? 2_000 : 9
                let payload = "\(turn)-\(number)-".padding(to: size)
                let retain = random.happens(percent: 20)
                publisher.send(message5(topic, payload, retain: retain))
                for index in readers.indices { readers[index].take(topic, payload, retain: retain) }
                // In the midst of the turn, so that something of its own is among what it shares.
                let asking = readers.indices.randomElement(using: &random) ?? 0
                if asking % 2 == 0, asking != blocked {
                    readers[asking].client.send(.pingreq)
                    readers[asking].owed.append("pong")
                }
                if random.happens(percent: 20) { broker.endTurn(of: 0) }
            }
            if let blocked { broker.setWritable(try #require(readers[blocked].client.socket), true) }
            broker.settle()
            for index in readers.indices {
                let got = try readers[index].read()
                // Messages from the other shard come when they come: only among themselves they have an order with the answers.
                #expect(got.filter { $0 != "pong" } == readers[index].owed.filter { $0 != "pong" }, "seed \(seed), reader \(index)")
                #expect(got.count == readers[index].owed.count, "seed \(seed), reader \(index)")
                // Nor while the publisher waits for one that is blocked.
                if index % 2 == 0, blocked == nil { #expect(got == readers[index].owed, "seed \(seed), reader \(index)") }
                readers[index].owed = []
            }
        }
        #expect(broker.dropped == [:])
    }
}

extension String {
    fileprivate func padding(to size: Int) -> String { self + String(repeating: "x", count: Swift.max(0, size - utf8.count)) }
}
