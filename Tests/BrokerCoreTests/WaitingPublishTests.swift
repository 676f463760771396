import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// What programs and rules publish waits like what clients publish, wherever there is no room for it.
@Suite struct WaitingPublishTests {
    private static var narrow: BrokerLimits {
        var limits = BrokerLimits()
        limits.handOffBytesMax = 10_000
        return limits
    }

    private func call(_ number: UInt64, messages: Int, on broker: SimulatedBroker) {
        let batch = (0..<messages).map { Message(topic: "t", payload: Array("\(number).\($0)".utf8), qos: .atLeastOnce) }
        broker.nodes[0].core.publish(batch, receipt: number, now: broker.now)
    }

    @Test("Calls get their answers late while another event loop has much to do, and what it is handed stays bounded and in order")
    func busyLoop() throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.narrow)
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe("t")
        for number in 1...100 { call(UInt64(number), messages: 10, on: broker) }
        broker.endTurn(of: 0)
        #expect(broker.handOffs(to: 1).count < 200)
        #expect(broker.nodes[0].receipts.count < 20)
        #expect(broker.nodes[0].core.waitingPublishes.count > 80)
        broker.settle()
        #expect(broker.nodes[0].receipts == Array(1...100))
        var expected: [String] = []
        for number in 1...100 { for place in 0..<10 { expected.append("t=\(number).\(place)") } }
        #expect(try reader.read().messages == expected)
        var statistics = BrokerStatistics()
        broker.admission.count(into: &statistics)
        #expect(statistics.publishBytesWaiting == 0)
    }

    @Test("A call waits for a subscriber that does not keep up, for a moment, as clients do")
    func slowSubscriber() throws {
        var limits = BrokerLimits()
        limits.queueMessagesMax = 10
        limits.inflightMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client("r")
        _ = try reader.subscribe("t", .atLeastOnce)
        call(1, messages: 20, on: broker)
        broker.settle()
        #expect(broker.nodes[0].receipts == [])
        #expect(broker.dropped == [:])
        broker.advance(seconds: 1)
        broker.settle()
        #expect(broker.nodes[0].receipts == [1])
        #expect(broker.dropped == ["queue_full": 9])
    }

    /// Each message of a chain of topics is published on the next one.
    private struct Relaying: MessageRules {
        let topics: [String]
        var topicFilters: [String] { Array(topics.dropLast()) }

        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
            guard let place = topics.firstIndex(of: String(buffer: message.topic)), place + 1 < topics.count else { return [] }
            return [Message(topic: topics[place + 1], payload: [1], qos: .atLeastOnce)]
        }
    }

    /// Topics whose homes are the event loops 0 and 1 by turns.
    private static func chain(_ count: Int) -> [String] {
        var names = (0...).lazy.map { "t\($0)" }.makeIterator()
        return (0..<count).map { place in
            while let name = names.next() {
                if Shard.home(of: ByteBuffer(string: name), shardCount: 2).index == place % 2 { return name }
            }
            return ""
        }
    }

    @Test(
        "A call waits until it is on disk what rules make of its messages, on whichever event loop, and for nothing else",
        arguments: [2, 3, 6], [0, 1])
    func chains(length: Int, shard: Int) throws {
        let topics = Self.chain(length)
        let broker = SimulatedBroker(shards: 2, rules: Relaying(topics: topics), store: SimulatedStore())
        func call(_ receipt: UInt64) {
            let message = Message(topic: ByteBuffer(string: topics[0]), payload: ByteBuffer(string: "x"), qos: .atLeastOnce)
            broker.nodes[0].core.publish([message], receipt: receipt, now: broker.now)
            broker.settle(committing: false)
        }
        call(1)
        #expect(broker.nodes[0].receipts == [1])
        let kept = SimulatedClient("s", of: broker)
        kept.open(at: shard)
        _ = try kept.exchange(.connect(Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v311)))
        _ = try kept.subscribe(topics[length - 1], .atLeastOnce)
        kept.lose()
        broker.settle()
        call(2)
        #expect(broker.nodes[0].receipts == [1])
        broker.settle()
        #expect(broker.nodes[0].receipts == [1, 2])
        // While the disk takes nothing nobody is told that it does.
        call(3)
        #expect(broker.nodes[0].unkept == [])
        broker.setFailing(true)
        #expect(broker.nodes[0].receipts == [1, 2, 3])
        #expect(broker.nodes[0].unkept == [3])
        call(4)
        #expect(broker.nodes[0].unkept == [3, 4])
        broker.setFailing(false)
        call(5)
        broker.settle()
        #expect(broker.nodes[0].receipts == [1, 2, 3, 4, 5] && broker.nodes[0].unkept == [3, 4])
    }

    @Test("Also of what is retained a call is told that it is not kept, and of nothing that need not be", arguments: [1, 2])
    func retainedWhileFailing(shards: Int) throws {
        let broker = SimulatedBroker(shards: shards, store: SimulatedStore())
        var last: UInt64 = 0
        func call(_ topic: String, retain: Bool) -> Bool {
            last += 1
            let home = Shard.home(of: ByteBuffer(string: topic), shardCount: shards).index
            let message = Message(topic: topic, payload: [1], qos: .atMostOnce, retain: retain)
            broker.nodes[home].core.publish([message], receipt: last, now: broker.now)
            broker.settle()
            #expect(broker.nodes[home].receipts.last == last)
            return !broker.nodes[home].unkept.contains(last)
        }
        #expect(call("t", retain: true))
        broker.setFailing(true)
        #expect(!call("t", retain: true) && call("t", retain: false) && call("$SYS/broker/x", retain: true))
        broker.setFailing(false)
        #expect(call("t", retain: true))
    }

    @Test("Clients that wait and calls that wait both come to their turn")
    func neitherStarves() throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.narrow)
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe("#")
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for number in 0..<2_000 { message("c", "\(number)").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        for number in 1...200 { call(UInt64(number), messages: 10, on: broker) }
        broker.settle()
        let received = try reader.read().messages
        #expect(received.count == 4_000)
        // Neither was served to its end before the other.
        let ofClients = received[..<2_000].count { $0.hasPrefix("c=") }
        #expect(ofClients > 0)
        #expect(ofClients < 2_000)
    }

    @Test("At a stop everything that waits is routed, and every call has its answer")
    func stop() throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.narrow)
        _ = try broker.client("r", at: 1).subscribe("t")
        for number in 1...100 { call(UInt64(number), messages: 10, on: broker) }
        #expect(broker.nodes[0].receipts.count < 100)
        broker.nodes[0].core.continuePublishing(isStopping: true)
        #expect(broker.nodes[0].receipts == Array(1...100))
    }

    /// Sends everything on to another topic.
    private struct Forwarding: MessageRules {
        let topic: String
        var topicFilters: [String] { ["in"] }
        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
            [Message(topic: topic, payload: Array(repeating: UInt8(ascii: "x"), count: 100), qos: .atMostOnce)]
        }
    }

    private func topic(homeAt shard: Int, of shards: Int) throws -> String {
        try #require(
            (0..<100).map { "out/\($0)" }.first { Shard.home(of: ByteBuffer(string: $0), shardCount: shards) == ShardID(shard) })
    }

    @Test("A client waits for what rules make of its messages, also where nobody else is sent those", arguments: [0, 1])
    func rules(home: Int) throws {
        let topic = try topic(homeAt: home, of: 2)
        let broker = SimulatedBroker(shards: 2, limits: Self.narrow, rules: Forwarding(topic: topic))
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe(topic)
        let publisher = try broker.client("p")
        var sent = 0
        while publisher.socket?.isRead == true, sent < 1_000 {
            publisher.send(message("in", "x"))
            sent += 1
        }
        #expect(sent < 200)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try reader.read().messages.count == sent)
    }

    @Test("A client waits for an event loop that another one hands its rules' messages on to")
    func relay() throws {
        let topic = try topic(homeAt: 1, of: 3)
        let broker = SimulatedBroker(shards: 3, limits: Self.narrow, rules: Forwarding(topic: topic))
        let reader = try broker.client("r", at: 2)
        _ = try reader.subscribe(topic)
        let publisher = try broker.client("p")
        var sent = 0
        // The third loop stands still; the others go on.
        while publisher.socket?.isRead == true, sent < 1_000 {
            publisher.send(message("in", "x"))
            sent += 1
            for _ in 0..<3 {
                for shard in 0...1 {
                    broker.endTurn(of: shard)
                    while broker.deliverHandOff(to: shard) {}
                }
            }
        }
        #expect(sent < 200)
        #expect(broker.handOffs(to: 2).count < 200)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try reader.read().messages.count == sent)
    }
}
