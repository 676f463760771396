import Queues
import Synchronization
import Testing

@Suite struct SharedQueuesTests {
    private static func shared() throws -> SharedQueues {
        let queues = SharedQueues(makeID: { "id" })
        try queues.perform { (table) throws(QueueError) in
            try table.create(QueueName("orders"), attributes: [:], tags: [:], now: 0)
        }
        return queues
    }

    @Test func whoWaitsIsCalledOnceAndTheAlarmIsAskedForTheEarliestTime() throws {
        let queues = try Self.shared()
        let asked = Mutex<[Int64]>([])
        let told = Mutex<[[String]]>([])
        queues.setAlarm { time in asked.withLock { $0.append(time) } }
        func wait(_ seconds: Int) throws {
            let request = ReceiveRequest(queue: "orders", waitTimeSeconds: seconds)
            _ = try queues.receive(request, now: 0) { result in
                told.withLock { $0.append((try? result.get().map(\.body)) ?? ["gone"]) }
            }
        }
        try wait(20)
        try wait(5)
        try wait(10)
        #expect(asked.withLock { $0 } == [20_000, 5_000])
        queues.advance(to: 5_000)
        #expect(told.withLock { $0 } == [[]])
        // For the one who waits until then no alarm was asked yet.
        #expect(asked.withLock { $0 } == [20_000, 5_000, 10_000])
        _ = try queues.perform { (table) throws(QueueError) in try table.send(NewQueueMessage(body: "a"), to: "orders", now: 6_000) }
        #expect(told.withLock { $0 } == [[], ["a"]])
        queues.advance(to: 10_000)
        queues.advance(to: 20_000)
        #expect(told.withLock { $0 } == [[], ["a"], []])
    }

    @Test func whoHasGoneIsNotCalled() throws {
        let queues = try Self.shared()
        let outcome = try queues.receive(ReceiveRequest(queue: "orders", waitTimeSeconds: 20), now: 0) { _ in Issue.record("called") }
        guard case .waiting(let waiter) = outcome else {
            Issue.record("no wait: \(outcome)")
            return
        }
        queues.cancel(waiter, at: "orders")
        try queues.perform { (table) throws(QueueError) in try table.deleteQueue("orders") }
        queues.advance(to: 100_000)
    }
}
