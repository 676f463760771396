import Queues
import Testing

@Suite struct LongPollingTests {
    @Test func whoWaitsFirstIsServedFirst() throws {
        var queue = try QueueFixture()
        let first = try #require(try queue.wait())
        let second = try #require(try queue.wait())
        #expect(queue.table.takeAnswers().isEmpty)
        try queue.send("a")
        #expect(queue.bodies(toldTo: first) == ["a"])
        try queue.send("b")
        #expect(queue.bodies(toldTo: second) == ["b"])
        #expect(queue.table.statistics(at: queue.now).waiters == 0)
        #expect(queue.table.nextDeadline == nil)
    }

    @Test func aMessageThatIsThereIsNotWaitedFor() throws {
        var queue = try QueueFixture()
        try queue.send("a")
        #expect(try queue.wait() == nil)
    }

    @Test func theTimeOfWhoWaitsIsUp() throws {
        var queue = try QueueFixture(["orders": ["ReceiveMessageWaitTimeSeconds": "7"]])
        let patient = try #require(try queue.wait(seconds: 20))
        guard case .waiting(let other) = try queue.table.receive(ReceiveRequest(queue: "orders"), now: queue.now) else {
            Issue.record("the queue's own time to wait is not kept")
            return
        }
        #expect(queue.table.nextDeadline == queue.now + 7_000)
        queue.pass(seconds: 6)
        #expect(queue.table.takeAnswers().isEmpty)
        queue.pass(seconds: 1)
        #expect(queue.bodies(toldTo: other) == [])
        #expect(queue.table.nextDeadline == queue.now + 13_000)
        queue.pass(seconds: 13)
        #expect(queue.bodies(toldTo: patient) == [])
    }

    @Test func whatBecomesVisibleGoesToWhoWaits() throws {
        var queue = try QueueFixture()
        try queue.send("delayed", delay: 5)
        try queue.send("in flight")
        let message = try #require(try queue.receive(visibility: 8).first)
        #expect(message.body == "in flight")
        let first = try #require(try queue.wait())
        let second = try #require(try queue.wait())
        let third = try #require(try queue.wait())
        #expect(queue.table.nextDeadline == queue.now + 5_000)
        queue.pass(seconds: 5)
        #expect(queue.bodies(toldTo: first) == ["delayed"])
        queue.pass(seconds: 3)
        #expect(queue.bodies(toldTo: second) == ["in flight"])
        let again = try #require(try queue.wait(seconds: 20))
        _ = (third, again)
        #expect(queue.table.statistics(at: queue.now).waiters == 2)
    }

    @Test func aMessageGivenBackGoesToWhoWaits() throws {
        var queue = try QueueFixture()
        try queue.send("a")
        let message = try #require(try queue.receive().first)
        let waiter = try #require(try queue.wait())
        try queue.table.changeVisibility(of: message.receiptHandle, to: 0, in: "orders", now: queue.now)
        #expect(queue.bodies(toldTo: waiter) == ["a"])
    }

    @Test func whoWaitsAtTheDeadLetterQueueGetsWhatIsMoved() throws {
        var queue = try QueueFixture(["orders": redrive(to: "dead", after: 1), "dead": [:]])
        try queue.send("poison")
        #expect(try queue.bodies("orders", visibility: 0) == ["poison"])
        let waiter = try #require(try queue.wait("dead"))
        #expect(try queue.bodies() == [])
        #expect(queue.bodies(toldTo: waiter) == ["poison"])
    }

    @Test func whoHasGoneGetsNothing() throws {
        var queue = try QueueFixture()
        let gone = try #require(try queue.wait())
        let there = try #require(try queue.wait())
        queue.table.cancel(gone, at: "orders")
        queue.table.cancel(gone, at: "orders")
        try queue.send("a")
        #expect(queue.bodies(toldTo: there) == ["a"])
        #expect(queue.table.statistics(at: queue.now).waiters == 0)
    }

    @Test func whoWaitsLearnsThatTheQueueIsGone() throws {
        var queue = try QueueFixture()
        let waiter = try #require(try queue.wait())
        try queue.table.deleteQueue("orders")
        let answer = try #require(queue.table.takeAnswers().first)
        #expect(answer.waiter == waiter)
        #expect(throws: QueueError.queueDoesNotExist) { try answer.result.get() }
        #expect(queue.table.nextDeadline == nil)
    }

    @Test func atTheLimitNobodyWaits() throws {
        var limits = QueueLimits()
        limits.queueWaitersMax = 1
        var queue = try QueueFixture(limits: limits)
        let waiter = try #require(try queue.wait())
        #expect(try queue.wait() == nil)
        queue.table.cancel(waiter, at: "orders")
        #expect(try queue.wait() != nil)
    }

    @Test(arguments: [(0, 0), (11, 0), (1, -1), (1, 21)])
    func whatIsOutOfRangeIsRefused(most: Int, wait: Int) throws {
        var queue = try QueueFixture()
        let request = ReceiveRequest(queue: "orders", messagesMax: most, waitTimeSeconds: wait)
        #expect(code { () throws(QueueError) in _ = try queue.table.receive(request, now: queue.now) } == .invalidParameterValue)
    }
}

extension QueueFixture {
    /// The bodies in the one answer that there is, which must be to this waiter.
    fileprivate mutating func bodies(toldTo waiter: WaiterID) -> [String]? {
        let answers = table.takeAnswers()
        guard answers.count == 1, let answer = answers.first, answer.waiter == waiter else { return nil }
        return try? answer.result.get().map(\.body)
    }
}
