import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

extension Shard {
    /// All topics, a part after the other.
    var allTopics: [TopicSnapshot] {
        var (topics, walk) = ([TopicSnapshot](), TopicWalk())
        while !walk.isOver { topics += topicSnapshots(on: &walk) }
        return topics
    }
}

/// What is kept of topics for operators, and the tree that is made of it.
@Suite struct TopicInspectionTests {
    private func topic(_ broker: SimulatedBroker, _ name: String = "t") -> TopicSnapshot? {
        broker.nodes[0].core.allTopics.first { String(buffer: $0.topic) == name }
    }

    @Test("A topic shows its last payload, and where it carries many in a second, how many came since")
    func samples() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for number in 1...8 { client.send(message("t", "\(number)")) }
        var sample = try #require(topic(broker)?.sample)
        #expect(String(buffer: sample.bytes) == "8" && sample.messagesSince == 0)
        for number in 9...12 { client.send(message("t", "\(number)")) }
        sample = try #require(topic(broker)?.sample)
        #expect(String(buffer: sample.bytes) == "8" && sample.messagesSince == 4)
        broker.advance(seconds: 1)
        client.send(message("t", "13"))
        sample = try #require(topic(broker)?.sample)
        #expect(String(buffer: sample.bytes) == "13" && sample.messagesSince == 0 && sample.payloadBytes == 2)
        // A look keeps what it saw.
        client.send(message("t", "fourteen"))
        #expect(String(buffer: sample.bytes) == "13")
    }

    @Test("What is kept of a payload is a copy of its beginning, however large the read was that brought it")
    func storage() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        client.send(message("t", String(repeating: "x", count: 100_000)))
        let sample = try #require(topic(broker)?.sample)
        #expect(sample.bytes.readableBytes == 256 && sample.payloadBytes == 100_000)
        #expect(sample.bytes.storageCapacity <= 512)
    }

    @Test("The rate is over about the last ten seconds, and ends with them")
    func rate() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for _ in 0..<40 {
            client.send(message("t", "x"))
            client.send(message("t", "x"))
            broker.advance(seconds: 0.5)
        }
        let rate = try #require(topic(broker)?.messagesPerSecond)
        #expect(abs(rate - 4) < 0.5, "\(rate)")
        broker.advance(seconds: 9)
        client.send(message("u", "x"))
        #expect(try #require(topic(broker)?.messagesPerSecond) < 4)
        broker.advance(seconds: 2)
        client.send(message("u", "x"))
        #expect(topic(broker)?.messagesPerSecond == 0)
        #expect(topic(broker)?.messages == 80)
    }

    // MARK: The tree

    private func level(_ topics: [String], under parent: String? = nil, search: String? = nil) -> [TopicBranch] {
        var level = TopicLevel(under: parent, search: search)
        for (number, topic) in topics.enumerated() {
            level.add(
                TopicSnapshot(
                    topic: ByteBuffer(string: topic), messages: 1, bytes: 2, lastSeen: Instant(nanoseconds: Int64(number)),
                    messagesPerSecond: 0.5, sample: PayloadSample(bytes: ByteBuffer(string: "\(number)"), payloadBytes: 1)))
        }
        return level.rows(limit: 100)
    }

    @Test("A level has each name once, with the sums of what is below it")
    func levels() throws {
        let topics = ["a", "a/b", "a/b/c", "a/d", "b", "", "/x", "a/"]
        let first = level(topics)
        #expect(first.map(\.name) == ["", "a", "b"])
        let a = first[1]
        #expect(a.isTopic && a.topics == 5 && a.children == 3 && a.messages == 5 && a.bytes == 10 && a.messagesPerSecond == 2.5)
        #expect(String(buffer: try #require(a.sample).bytes) == "0" && a.lastSeen == Instant(nanoseconds: 7))
        let below = level(topics, under: "a")
        #expect(below.map(\.topic) == ["a/", "a/b", "a/d"])
        #expect(below[1].isTopic && below[1].children == 1 && below[2].children == 0)
        #expect(level(topics, under: "a/b").map(\.name) == ["c"])
        #expect(level(topics, under: "").map(\.topic) == ["/x"])
        #expect(level(topics, under: "nothing").isEmpty)
    }

    @Test("A search leaves what leads to topics with the text, in capital or small letters")
    func search() {
        let topics = ["shop/Orders/1", "shop/other", "lab/orders"]
        #expect(level(topics, search: "ORDERS").map(\.name) == ["lab", "shop"])
        #expect(level(topics, under: "shop", search: "orders").map(\.name) == ["Orders"])
        #expect(level(topics, search: "ordersx").isEmpty)
        #expect(SearchedText("aab").isIn("aaab".utf8) && SearchedText("").isIn("".utf8) && !SearchedText("é").isIn("e".utf8))
    }

    @Test("Retained topics stand in the tree also where they carried nothing since the start")
    func retained() {
        let store = RetainedStore()
        for topic in ["a/b", "a/c/d", "x", "$SYS/broker"] {
            #expect(store.update(Message(topic: topic, payload: [1], qos: .atMostOnce, retain: true)))
        }
        var first = TopicLevel(under: nil, search: nil)
        func names(below parent: String?) -> [RetainedChild] {
            var walk = RetainedWalk(below: parent.map { ByteBuffer(string: $0) })
            let names = store.names(on: &walk)
            #expect(walk.isOver)
            return names
        }
        for child in names(below: nil) { first.add(retained: child) }
        #expect(first.rows(limit: 9).map { "\($0.name) \($0.children) \($0.retained)" } == ["a 2 false", "x 0 true"])
        var below = TopicLevel(under: "a", search: nil)
        for child in names(below: "a") { below.add(retained: child) }
        #expect(below.rows(limit: 9).map { "\($0.topic) \($0.children) \($0.isTopic)" } == ["a/b 0 true", "a/c 1 false"])
        #expect(names(below: "nothing/here").isEmpty)
    }

    @Test("A walk comes to what a filter matches, in parts that hold the store for so many nodes only")
    func walk() {
        let store = RetainedStore()
        let topics = (0..<900).map { "f/\($0 % 30)/\($0 / 30)" } + ["f", "$SYS/broker/x", "x/+"]
        for topic in topics { #expect(store.update(Message(topic: topic, payload: [1], qos: .atMostOnce, retain: true))) }
        func found(_ filter: String, looking most: Int, between: () -> Void = {}) -> (topics: [String], largest: Int) {
            var walk = RetainedWalk(filter: ByteBuffer(string: filter))
            var parts: [[ByteBuffer]] = []
            while !walk.isOver {
                parts.append(store.topics(on: &walk, looking: most))
                between()
            }
            return (parts.joined().map { String(buffer: $0) }.sorted(), parts.map(\.count).max() ?? 0)
        }
        for filter in ["#", "f/#", "f/+/1", "f/3/+", "+/+/+", "f", "$SYS/#", "$SYS/broker/+", "none/#", "f/1/1/#"] {
            var levels = 0
            let whole = store.topics(matching: ByteBuffer(string: filter), counting: &levels).map { String(buffer: $0) }.sorted()
            for most in [1, 7, 10_000] {
                let (topics, largest) = found(filter, looking: most)
                #expect(topics == whole, "\(filter)")
                #expect(largest <= most)
            }
        }
        // What comes and goes meanwhile, also in the same place of the tree's storage, is no reason to lose another, or to see it twice.
        var turn = 0
        let (seen, _) = found("f/#", looking: 50) {
            turn += 1
            _ = store.update(Message(topic: "f/0/\(turn)", payload: [], qos: .atMostOnce, retain: true))
            _ = store.update(Message(topic: "f/new/\(turn)", payload: [1], qos: .atMostOnce, retain: true))
        }
        #expect(Set(seen).count == seen.count)
        #expect(Set(topics.filter { $0.hasPrefix("f") && !$0.hasPrefix("f/0/") }).isSubset(of: seen))
    }

    @Test("Two shards' views of a topic are one")
    func merging() {
        func snapshot(_ messages: UInt64, at seconds: Int64, _ payload: String) -> TopicSnapshot {
            TopicSnapshot(
                topic: ByteBuffer(string: "t"), messages: messages, bytes: messages, lastSeen: Instant(nanoseconds: seconds),
                messagesPerSecond: 1, sample: PayloadSample(bytes: ByteBuffer(string: payload), payloadBytes: 3))
        }
        let merged = TopicSnapshot.merged([[snapshot(2, at: 5, "old")], [], [snapshot(3, at: 9, "new")]])
        #expect(merged.count == 1 && merged[0].messages == 5 && merged[0].messagesPerSecond == 2)
        #expect(String(buffer: merged[0].sample.bytes) == "new" && merged[0].lastSeen == Instant(nanoseconds: 9))
    }
}
