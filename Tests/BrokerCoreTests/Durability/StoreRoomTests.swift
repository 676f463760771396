import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BrokerCore

/// What gathers for the store, or because of it, and when answers must not wait for it.
@Suite struct StoreRoomTests {
    /// Publishes on `out` whatever comes on `in`.
    private struct Echo: MessageRules {
        let topicFilters = ["in"]
        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
            [Message(topic: "out", payload: [], qos: .atLeastOnce)]
        }
    }

    /// Hands something to the store for each message.
    private final class Keeping: MessageRules {
        private let count = Atomic<UInt64>(0)
        let topicFilters = ["in"]
        var recordsKept: UInt64 { count.load(ordering: .relaxed) }
        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
            count.wrappingAdd(1, ordering: .relaxed)
            return []
        }
    }

    @Test("Publishers for rules wait while the store has too much of what rules make; others, and all while the disk fails, go on")
    func recordsForTheStore() throws {
        let store = SimulatedStore()
        let broker = SimulatedBroker(shards: 1, rules: Keeping(), store: store)
        let (publisher, other) = (try broker.client("p"), try broker.client("o"))
        store.isBehind = true
        publisher.send(message("in", "x"))
        other.send(message("nobody", "x"))
        broker.settle()
        #expect(publisher.socket?.isRead == false && other.socket?.isRead == true)
        store.isBehind = false
        broker.nodes[0].core.storeProgressed(.relieved, now: broker.now)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        store.isBehind = true
        publisher.send(message("in", "x"))
        broker.settle()
        #expect(publisher.socket?.isRead == false)
        broker.setFailing(true)
        broker.settle()
        publisher.send(message("in", "x"))
        broker.settle()
        #expect(publisher.socket?.isRead == true)
    }

    private func kept(_ name: String, in broker: SimulatedBroker, at shard: Int = 0) throws -> SimulatedClient {
        let client = try broker.client(name, at: shard, cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        return client
    }

    @Test("A message whose rules publish what nobody keeps is answered without the disk", arguments: [1, 2])
    func rulesWithoutAnybody(shards: Int) throws {
        let broker = SimulatedBroker(shards: shards, rules: Echo(), store: SimulatedStore())
        let publisher = try broker.client("p")
        publisher.send(message("in", "x", qos: .atLeastOnce, packetID: 1))
        broker.settle(committing: false)
        #expect(try publisher.read() == [.puback(packetID: 1)])
    }

    @Test("Of messages that are dropped nothing gathers for the store")
    func droppedMessages() throws {
        var limits = BrokerLimits()
        limits.queueMessagesMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits, store: SimulatedStore())
        try kept("s", in: broker).lose()
        broker.settle()
        let publisher = try broker.client("p")
        for number in 1...100 {
            _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: UInt16(number)))
            #expect(broker.nodes[0].core.turns?.batch.bodies.isEmpty == true)
        }
        #expect(broker.dropped["queue_full"] == 98)
    }

    @Test("Publishers of what must be kept wait for the disk by the bytes of it, too; others go on")
    func bytesForTheStore() throws {
        var limits = BrokerLimits()
        limits.storeBytesWaitingMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits, store: SimulatedStore())
        try kept("s", in: broker).lose()
        broker.settle()
        let publisher = try broker.client("p")
        for number in 1...5 {
            publisher.send(message("t", String(repeating: "x", count: 400), qos: .atLeastOnce, packetID: UInt16(number)))
            broker.endTurn(of: 0)
        }
        #expect(publisher.socket?.isRead == false)
        let other = try broker.client("o")
        other.send(message("nobody", "x"))
        broker.endTurn(of: 0)
        #expect(other.socket?.isRead == true)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try publisher.read().count == 5)
    }

    @Test("A client that asks on and on while its answers wait for the disk is not read any more, and gets them all, in order")
    func answersThatWait() throws {
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore())
        try kept("s", in: broker).lose()
        broker.settle()
        let publisher = try broker.client("p")
        publisher.send(message("t", "x", qos: .atLeastOnce, packetID: 1))
        broker.endTurn(of: 0)
        let count = Shard.heldAnswersMax + 30_000
        var bytes = ByteBuffer()
        for number in 2...count {
            message("nobody", "x", qos: .atLeastOnce, packetID: UInt16(number)).encode(into: &bytes, version: .v311)
        }
        publisher.send(bytes)
        broker.endTurn(of: 0)
        #expect(publisher.socket?.isRead == false)
        #expect(publisher.socket?.connection.held.count == Shard.heldAnswersMax)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try publisher.read() == (1...count).map { .puback(packetID: UInt16($0)) })
    }

    @Test("A session that has ended is gone for good before its client is told that there is none")
    func endedSession() throws {
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore())
        try kept("s", in: broker).lose()
        broker.settle()
        let second = SimulatedClient("s", of: broker)
        second.open()
        second.send(.connect(Connect(clientID: "s")))
        broker.settle(committing: false)
        #expect(try second.read().isEmpty)
        second.lose()
        broker.endTurn(of: 0)
        // The end is still not on disk; nothing of this one is for the disk.
        let third = SimulatedClient("s", of: broker)
        third.open()
        third.send(.connect(Connect(clientID: "s")))
        broker.settle(committing: false)
        #expect(try third.read().isEmpty)
        broker.settle()
        #expect(try third.read() == [accepted()])
    }

    @Test("A session that begins anew is another one, also for what is still under way for the old one")
    func newEpochs() throws {
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore())
        let client = try kept("s", in: broker)
        let first = try #require(broker.nodes[0].core.sessions[ExactText("s")]).epoch
        client.lose()
        _ = try broker.client("s")
        #expect(try #require(broker.nodes[0].core.sessions[ExactText("s")]).epoch > first)
    }

    @Test("A will that was due while nobody ran finds the subscribers on all event loops")
    func willsAfterARestart() throws {
        let store = SimulatedStore()
        let broker = SimulatedBroker(shards: 2, store: store)
        for shard in 0..<2 {
            let reader = try broker.client("r\(shard)", at: shard, cleanSession: false)
            _ = try reader.subscribe("will", .atLeastOnce)
            let client = SimulatedClient("w\(shard)", of: broker)
            _ = try client.connect5(at: shard, cleanStart: false, will: will("will", "\(shard)", qos: .atLeastOnce)) {
                $0.sessionExpiryInterval = 1_000
            }
        }
        broker.settle()
        let next = broker.afterCrash(shards: 2)
        next.advance(seconds: 1)
        next.settle()
        for shard in 0..<2 {
            let reader = SimulatedClient("r\(shard)", of: next)
            #expect(try reader.connect(at: shard, cleanSession: false).messages.sorted() == ["will=0", "will=1"])
        }
    }

    @Test("Retained messages that were kept come back though a limit was lowered")
    func loweredLimits() throws {
        var limits = BrokerLimits()
        limits.retainedMessagesMax = 2
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore())
        let publisher = try broker.client("p")
        for number in 1...5 { _ = try publisher.exchange(message("t/\(number)", "x", qos: .atLeastOnce, packetID: 1, retain: true)) }
        let next = broker.afterCrash(shards: 1, limits: limits)
        #expect(next.retained.count == 5)
        _ = try next.client("p").exchange(message("t/6", "x", qos: .atLeastOnce, packetID: 1, retain: true))
        #expect(next.retained.count == 5)
    }
}
