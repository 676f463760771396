import Queues
import Testing

@Suite struct QueueLimitTests {
    @Test func aQueueIsFull() throws {
        var limits = QueueLimits()
        limits.messagesPerQueueMax = 2
        var queue = try QueueFixture(limits: limits)
        try queue.send("a")
        try queue.send("b")
        #expect(code { () throws(QueueError) in try queue.send("c") } == .overLimit)
        let message = try #require(try queue.receive().first)
        try queue.table.delete(message.receiptHandle, from: "orders", now: queue.now)
        try queue.send("c")
        #expect(queue.table.statistics(at: queue.now).counters.refused == 1)
    }

    @Test func theBytesOfAllQueuesAreBoundedAndWhatIsTooOldMakesRoom() throws {
        var limits = QueueLimits()
        limits.queuesBytesMax = 2 * (QueueLimits.overheadBytes + 10)
        var queue = try QueueFixture(limits: limits, ["orders": [:], "old": ["MessageRetentionPeriod": "60"]])
        try queue.send("0123456789", to: "old")
        try queue.send("0123456789")
        #expect(code { () throws(QueueError) in try queue.send("a") } == .overLimit)
        queue.now += 60_000
        try queue.send("a")
        #expect(queue.table.statistics(at: queue.now).counters.expired == 1)
    }

    @Test func tooManyMessagesInFlight() throws {
        var limits = QueueLimits()
        limits.queueInFlightMax = 2
        var queue = try QueueFixture(limits: limits)
        for body in ["a", "b", "c"] { try queue.send(body) }
        let messages = try queue.receive("orders", 10)
        #expect(messages.map(\.body) == ["a", "b"])
        #expect(code { () throws(QueueError) in _ = try queue.receive() } == .overLimit)
        // Who is willing to wait is served when there is room.
        let waiter = try #require(try queue.wait())
        try queue.table.delete(messages[0].receiptHandle, from: "orders", now: queue.now)
        let answer = try #require(queue.table.takeAnswers().first)
        #expect(answer.waiter == waiter)
        #expect(try answer.result.get().map(\.body) == ["c"])
    }

    @Test func aMessageIsTooLong() throws {
        var queue = try QueueFixture(["orders": ["MaximumMessageSize": "1024"], "large": [:]])
        try queue.send(String(repeating: "é", count: 512))
        #expect(code { () throws(QueueError) in try queue.send(String(repeating: "é", count: 512) + "a") } == .invalidParameterValue)
        let attribute = NewQueueMessage(body: String(repeating: "a", count: 1_010), attributes: ["name": .text("12345")])
        #expect(
            code { () throws(QueueError) in _ = try queue.table.send(attribute, to: "orders", now: queue.now) } == .invalidParameterValue)
        try queue.send(String(repeating: "a", count: 1_048_576), to: "large")
        #expect(
            code { () throws(QueueError) in try queue.send(String(repeating: "a", count: 1_048_577), to: "large") }
                == .invalidParameterValue)
    }

    @Test func thereAreTooManyQueues() throws {
        var limits = QueueLimits()
        limits.queuesMax = 1
        var queue = try QueueFixture(limits: limits)
        #expect(code { () throws(QueueError) in try queue.create("another") } == .overLimit)
        try queue.create("orders")
    }

    @Test func everyLimitHasAName() {
        let children = Mirror(reflecting: QueueLimits()).children.compactMap(\.label)
        #expect(QueueLimits.names.map(\.name).sorted() == children.sorted())
    }
}
