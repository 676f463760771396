import CremaTesting
import Queues
import Records
import Synchronization
import Testing

/// What of queues is there after a restart.
@Suite struct KeptQueueTests {
    private let store = RecordsInMemory()
    private let ids = Identifiers()

    private final class Identifiers: Sendable {
        private let last = Atomic<Int>(0)
        func next() -> String { "id\(last.wrappingAdd(1, ordering: .relaxed).newValue)" }
    }

    /// A process that begins with what the store has.
    private func start() throws -> SharedQueues {
        let queues = SharedQueues(makeID: { [ids] in ids.next() }, store: store)
        try queues.restore(store.records)
        return queues
    }

    private func create(_ name: String, _ attributes: [String: String] = [:], in queues: SharedQueues) throws {
        try queues.perform { (table) throws(QueueError) in
            try table.create(QueueName(name), attributes: attributes, tags: ["kind": name], now: 1_000)
        }
    }

    private func send(_ body: String, to queue: String, delay: Int? = nil, now: Int64 = 2_000, in queues: SharedQueues) throws {
        let message = NewQueueMessage(body: body, attributes: ["n": .number(7)], delaySeconds: delay)
        _ = try queues.perform { (table) throws(QueueError) in try table.send(message, to: queue, now: now) }
    }

    private func receive(_ queue: String, now: Int64 = 3_000, in queues: SharedQueues) throws -> [ReceivedMessage] {
        let request = ReceiveRequest(queue: queue, messagesMax: 10, waitTimeSeconds: 0)
        guard case .messages(let messages) = try queues.receive(request, now: now, answer: { _ in }) else { return [] }
        return messages
    }

    private func delete(_ message: ReceivedMessage, from queue: String, now: Int64 = 3_000, in queues: SharedQueues) throws {
        try queues.perform { (table) throws(QueueError) in try table.delete(message.receiptHandle, from: queue, now: now) }
    }

    @Test func queuesAndMessagesAreThereAsTheyWere() throws {
        var queues = try start()
        try create("orders", ["VisibilityTimeout": "7"], in: queues)
        for body in ["a", "b", "c"] { try send(body, to: "orders", in: queues) }
        try send("later", to: "orders", delay: 60, in: queues)
        let first = try #require(try receive("orders", in: queues).first)
        try delete(first, from: "orders", in: queues)
        queues = try start()
        let attributes = try queues.perform { (table) throws(QueueError) in try table.attributes(of: "orders", now: 3_000) }
        #expect(attributes["VisibilityTimeout"] == "7" && attributes["CreatedTimestamp"] == "1")
        #expect(try queues.perform { (table) throws(QueueError) in try table.tags(of: "orders") } == ["kind": "orders"])
        let found = try receive("orders", in: queues)
        #expect(found.map(\.body) == ["b", "c"] && found.allSatisfy { $0.attributes == ["n": .number(7)] && $0.sentMilliseconds == 2_000 })
        #expect(try receive("orders", now: 62_000, in: queues).contains { $0.body == "later" })
    }

    @Test func theOrderOfAFIFOQueueAndWhatItRemembersOutliveARestart() throws {
        var queues = try start()
        try create("orders.fifo", ["FifoQueue": "true", "DeduplicationScope": "messageGroup"], in: queues)
        func send(_ body: String, group: String, id: String, now: Int64 = 2_000) throws -> SentMessage {
            let identity = MessageIdentity(groupID: group, deduplicationID: id)
            let message = NewQueueMessage(body: body, identity: identity, traceHeader: "Root=1")
            return try queues.perform { (table) throws(QueueError) in try table.send(message, to: "orders.fifo", now: now) }
        }
        let sent = try [send("a1", group: "a", id: "1"), send("a2", group: "a", id: "2"), send("b1", group: "b", id: "1")]
        let before = queues.statistics(at: 2_000).bytes
        queues = try start()
        #expect(queues.statistics(at: 2_000).bytes == before)
        #expect(try send("a1", group: "a", id: "1", now: 301_999) == sent[0])
        #expect(try send("a1", group: "a", id: "1", now: 302_000).id != sent[0].id)
        let received = try receive("orders.fifo", now: 302_000, in: queues)
        #expect(received.map(\.body) == ["a1", "a2", "a1", "b1"])
        #expect(received.map(\.identity.groupID) == ["a", "a", "a", "b"])
        #expect(received.first?.sequenceNumber == sent[0].sequenceNumber && received.first?.traceHeader == "Root=1")
        queues = try start()
        #expect(throws: QueueError.self) { try delete(received[0], from: "orders.fifo", in: queues) }
        #expect(try receive("orders.fifo", now: 302_000, in: queues).count == 4, "who had one before a restart has none now")
    }

    private func sendOrdered(_ body: String, as id: String, to queue: String, now: Int64, in queues: SharedQueues) throws -> SentMessage {
        let message = NewQueueMessage(body: body, identity: MessageIdentity(groupID: "g", deduplicationID: id))
        return try queues.perform { (table) throws(QueueError) in try table.send(message, to: queue, now: now) }
    }

    @Test("The number of a message is above all that were given before a restart, also where nothing is left of them")
    func numbersRise() throws {
        var queues = try start()
        try create("orders.fifo", ["FifoQueue": "true"], in: queues)
        var last = ""
        for number in 0..<20 {
            last = try #require(sendOrdered("\(number)", as: "\(number)", to: "orders.fifo", now: 2_000, in: queues).sequenceNumber)
            try delete(try #require(receive("orders.fifo", in: queues).first), from: "orders.fifo", in: queues)
        }
        queues = try start()
        let next = try #require(sendOrdered("next", as: "next", to: "orders.fifo", now: 2_001, in: queues).sequenceNumber)
        #expect(next > last && next.utf8.count == last.utf8.count)
    }

    @Test("So is the number of one that a task moves")
    func numbersOfMovedMessagesRise() throws {
        var queues = try start()
        try create("dead.fifo", ["FifoQueue": "true"], in: queues)
        let redrive = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1}"#
        try create("orders.fifo", ["FifoQueue": "true", "RedrivePolicy": redrive, "VisibilityTimeout": "1"], in: queues)
        _ = try sendOrdered("moved", as: "1", to: "orders.fifo", now: 2_000, in: queues)
        for now in [3_000, 5_000] { _ = try receive("orders.fifo", now: Int64(now), in: queues) }
        // Numbers of messages that are gone are known to their receivers alone.
        var last = ""
        for number in 0..<20 {
            last = try #require(sendOrdered("\(number)", as: "n\(number)", to: "orders.fifo", now: 6_000, in: queues).sequenceNumber)
            let received = try #require(receive("orders.fifo", now: 6_000, in: queues).first)
            try delete(received, from: "orders.fifo", now: 6_000, in: queues)
        }
        queues = try start()
        _ = try queues.perform { (table) throws(QueueError) in try table.startMove(.init(source: "dead.fifo"), now: 400_000) }
        queues.advance(to: 400_000)
        let moved = try #require(receive("orders.fifo", now: 400_000, in: queues).first)
        #expect(moved.body == "moved")
        let number = try #require(moved.sequenceNumber)
        #expect(number > last)
    }

    @Test("What a task brought back is taken for no other message, also after a restart", arguments: [false, true])
    func broughtBack(isRestarted: Bool) throws {
        var queues = try start()
        try create("dead.fifo", ["FifoQueue": "true"], in: queues)
        let redrive = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1}"#
        try create("orders.fifo", ["FifoQueue": "true", "RedrivePolicy": redrive, "VisibilityTimeout": "0"], in: queues)
        let first = try sendOrdered("a", as: "1", to: "orders.fifo", now: 2_000, in: queues)
        for _ in 0..<2 { _ = try receive("orders.fifo", in: queues) }
        // Five minutes after it was sent, and none after it was moved.
        _ = try queues.perform { (table) throws(QueueError) in try table.startMove(.init(source: "dead.fifo"), now: 400_000) }
        queues.advance(to: 400_000)
        if isRestarted { queues = try start() }
        let second = try sendOrdered("a", as: "1", to: "orders.fifo", now: 401_000, in: queues)
        #expect(second.id != first.id)
        let count = try queues.perform { (table) throws(QueueError) in try table.attributes(of: "orders.fifo", now: 401_000) }
        #expect(count["ApproximateNumberOfMessages"] == "2")
    }

    @Test func anOldReceiptDeletesNothingThatSomebodyElseSent() throws {
        var queues = try start()
        try create("orders", in: queues)
        try send("a", to: "orders", in: queues)
        let old = try #require(try receive("orders", in: queues).first)
        try delete(old, from: "orders", in: queues)
        queues = try start()
        try send("b", to: "orders", in: queues)
        try delete(old, from: "orders", in: queues)
        #expect(try receive("orders", in: queues).map(\.body) == ["b"])
    }

    @Test func aMessageOnItsWayToTheDeadLettersIsInOneQueueAtAnyTime() throws {
        var queues = try start()
        try create("dead", in: queues)
        try create("orders", redrive(to: "dead", after: 1).merging(["VisibilityTimeout": "0"]) { $1 }, in: queues)
        try send("a", to: "orders", in: queues)
        _ = try receive("orders", in: queues)
        let before = store.number
        #expect(try receive("orders", in: queues).isEmpty)
        // The removal and the other queue's message are one step.
        #expect(store.number == before + 1)
        queues = try start()
        #expect(try receive("orders", in: queues).isEmpty)
        let found = try receive("dead", in: queues)
        #expect(found.map(\.body) == ["a"] && found.first?.deadLetterSource == "orders")
    }

    @Test func aLetterThatATaskMovesIsInOneQueueAtAnyTime() throws {
        let queues = try start()
        try create("dead", in: queues)
        let policy = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":1}"#
        try create("orders", ["RedrivePolicy": policy, "VisibilityTimeout": "0"], in: queues)
        try send("letter", to: "orders", in: queues)
        for _ in 0..<2 { _ = try receive("orders", in: queues) }
        _ = try queues.perform { (table) throws(QueueError) in try table.startMove(.init(source: "dead"), now: 4_000) }
        #expect(try receive("dead", now: 4_000, in: start()).map(\.body) == ["letter"])
        queues.advance(to: 4_000)
        let next = try start()
        #expect(try receive("dead", now: 4_000, in: next) == [])
        #expect(try receive("orders", now: 4_000, in: next).map(\.body) == ["letter"])
        #expect(try next.perform { (table) throws(QueueError) in try table.moveTasks(of: "dead") } == [])
    }

    @Test func whatIsPurgedDeletedOrTooOldDoesNotComeBack() throws {
        var queues = try start()
        for name in ["purged", "gone", "old"] {
            try create(name, ["MessageRetentionPeriod": "60"], in: queues)
            try send("x", to: name, in: queues)
        }
        try queues.perform { (table) throws(QueueError) in
            try table.purge("purged", now: 3_000)
            try table.deleteQueue("gone")
        }
        queues.advance(to: 100_000)
        #expect(store.records(of: .queueMessage).isEmpty)
        queues = try start()
        #expect(try queues.perform { (table) throws(QueueError) in table.names() } == ["old", "purged"])
        #expect(queues.statistics(at: 3_000).bytes == 0)
    }

    @Test func newMessagesComeBehindThoseThatWereKept() throws {
        var queues = try start()
        try create("orders", in: queues)
        try send("a", to: "orders", in: queues)
        queues = try start()
        try send("b", to: "orders", in: queues)
        queues = try start()
        #expect(try receive("orders", in: queues).map(\.body) == ["a", "b"])
    }

    @Test func nothingIsTakenWhileTheStoreFailsAndReadingGoesOn() async throws {
        let queues = try start()
        try create("dead", in: queues)
        try create("orders", redrive(to: "dead", after: 1).merging(["VisibilityTimeout": "0"]) { $1 }, in: queues)
        try send("a", to: "orders", in: queues)
        store.isFailing = true
        let before = store.records
        #expect(code { () throws(QueueError) in try self.refusing { try self.send("b", to: "orders", in: queues) } } == .serviceUnavailable)
        #expect(code { () throws(QueueError) in try self.refusing { try self.create("other", in: queues) } } == .serviceUnavailable)
        let got = try receive("orders", in: queues)
        #expect(got.map(\.body) == ["a"])
        #expect(
            code { () throws(QueueError) in try self.refusing { try self.delete(got[0], from: "orders", in: queues) } }
                == .serviceUnavailable)
        // It has been received as often as it may, and stays where it is.
        #expect(try receive("orders", in: queues).map(\.body) == ["a"])
        await #expect(throws: QueueError.notKept) { try await queues.kept() }
        #expect(store.records == before)
        store.isFailing = false
        #expect(try receive("orders", in: queues).isEmpty)
        #expect(try receive("dead", in: queues).map(\.body) == ["a"])
        try await queues.kept()
    }

    private func refusing(_ body: () throws -> Void) throws(QueueError) {
        do { try body() } catch let error as QueueError { throw error } catch { Issue.record(error) }
    }
}
