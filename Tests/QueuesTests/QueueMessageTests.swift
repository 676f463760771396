import Queues
import Testing

@Suite struct QueueMessageTests {
    @Test func messagesAreReceivedOldestFirstAndHiddenThen() throws {
        var queue = try QueueFixture()
        for body in ["a", "b", "c"] { try queue.send(body) }
        #expect(try queue.counts() == [3, 0, 0])
        #expect(try queue.bodies("orders", 2) == ["a", "b"])
        #expect(try queue.bodies() == ["c"])
        #expect(try queue.bodies() == [])
        #expect(try queue.counts() == [0, 3, 0])
    }

    @Test func aMessageThatIsNotDeletedComesAgain() throws {
        var queue = try QueueFixture(["orders": ["VisibilityTimeout": "5"]])
        let id = try queue.send("a")
        let first = try #require(try queue.receive().first)
        let firstTime = queue.now
        queue.pass(seconds: 4)
        #expect(try queue.receive().isEmpty)
        queue.pass(seconds: 1)
        let second = try #require(try queue.receive().first)
        #expect((first.id, first.receiveCount, first.firstReceivedMilliseconds) == (id, 1, firstTime))
        #expect((second.id, second.receiveCount, second.firstReceivedMilliseconds) == (id, 2, firstTime))
        #expect(first.receiptHandle != second.receiptHandle)
        // Who was too late deletes nothing.
        try queue.table.delete(first.receiptHandle, from: "orders", now: queue.now)
        #expect(try queue.counts() == [0, 1, 0])
        try queue.table.delete(second.receiptHandle, from: "orders", now: queue.now)
        #expect(try queue.counts() == [0, 0, 0])
        // A second time is no mistake.
        try queue.table.delete(second.receiptHandle, from: "orders", now: queue.now)
        #expect(queue.table.statistics(at: queue.now).counters.deleted == 1)
    }

    @Test func aMessageCanBeDeletedByItsLatestReceiptAlsoWhenItIsVisibleAgain() throws {
        var queue = try QueueFixture()
        try queue.send("a")
        try queue.send("b")
        let message = try #require(try queue.receive(visibility: 1).first)
        queue.pass(seconds: 2)
        try queue.table.delete(message.receiptHandle, from: "orders", now: queue.now)
        #expect(try queue.bodies() == ["b"])
    }

    @Test func theVisibilityOfAMessageCanBeChanged() throws {
        var queue = try QueueFixture()
        try queue.send("a")
        let message = try #require(try queue.receive(visibility: 10).first)
        let handle = message.receiptHandle
        try queue.table.changeVisibility(of: handle, to: 100, in: "orders", now: queue.now)
        queue.pass(seconds: 99)
        #expect(try queue.receive().isEmpty)
        try queue.table.changeVisibility(of: handle, to: 0, in: "orders", now: queue.now)
        #expect(
            code { () throws(QueueError) in try queue.table.changeVisibility(of: handle, to: 1, in: "orders", now: queue.now) }
                == .messageNotInFlight)
        let again = try #require(try queue.receive().first)
        #expect(
            code { () throws(QueueError) in try queue.table.changeVisibility(of: handle, to: 1, in: "orders", now: queue.now) }
                == .invalidParameterValue)
        #expect(
            code { () throws(QueueError) in
                try queue.table.changeVisibility(of: again.receiptHandle, to: 43_201, in: "orders", now: queue.now)
            } == .invalidParameterValue)
    }

    @Test("However often its time is changed, a receiver has a message for twelve hours at most") func totalVisibility() throws {
        var queue = try QueueFixture()
        try queue.send("a")
        let first = try #require(try queue.receive(visibility: 10).first)
        func change(_ handle: String, to seconds: Int) -> QueueError.Code? {
            code { () throws(QueueError) in try queue.table.changeVisibility(of: handle, to: seconds, in: "orders", now: queue.now) }
        }
        #expect(change(first.receiptHandle, to: 43_200) == nil)
        queue.pass(seconds: 300)
        #expect(change(first.receiptHandle, to: 43_200) == .invalidParameterValue)
        #expect(change(first.receiptHandle, to: 42_901) == .invalidParameterValue)
        #expect(change(first.receiptHandle, to: 42_900) == nil && change(first.receiptHandle, to: 0) == nil)
        // Whoever receives it next has it as long.
        let again = try #require(try queue.receive(visibility: 10).first)
        #expect(change(again.receiptHandle, to: 43_200) == nil)
    }

    @Test(arguments: ["", "x", "1-2", "99-1-id1", "1-18446744073709551616-a"])
    func aHandleThatTheQueueNeverGaveIsRefused(handle: String) throws {
        var queue = try QueueFixture()
        #expect(
            code { () throws(QueueError) in try queue.table.delete(handle, from: "orders", now: queue.now) } == .receiptHandleIsInvalid)
    }

    @Test func aDelayedMessageComesWhenItsTimeIs() throws {
        var queue = try QueueFixture(["orders": ["DelaySeconds": "3"]])
        try queue.send("queue's delay")
        try queue.send("own delay", delay: 10)
        try queue.send("none", delay: 0)
        #expect(try queue.counts() == [1, 0, 2])
        #expect(try queue.bodies() == ["none"])
        queue.pass(seconds: 3)
        #expect(try queue.bodies() == ["queue's delay"])
        queue.pass(seconds: 7)
        #expect(try queue.bodies() == ["own delay"])
        #expect(code { () throws(QueueError) in try queue.send("a", delay: 901) } == .invalidParameterValue)
    }

    @Test func whatIsTooOldIsDroppedAndCounted() throws {
        var queue = try QueueFixture(["orders": ["MessageRetentionPeriod": "60"]])
        try queue.send("a")
        queue.pass(seconds: 30)
        try queue.send("b")
        // Also what is in flight.
        #expect(try queue.bodies("orders", 1, visibility: 1_000) == ["a"])
        queue.pass(seconds: 30)
        #expect(try queue.counts() == [1, 0, 0])
        queue.pass(seconds: 30)
        let statistics = queue.table.statistics(at: queue.now)
        #expect((statistics.counters.expired, statistics.bytes, statistics.visible) == (2, 0, 0))
    }

    @Test func aMessageThatIsReceivedTooOftenGoesToTheDeadLetterQueue() throws {
        var queue = try QueueFixture(["orders": redrive(to: "dead", after: 2), "dead": [:]])
        let id = try queue.send("poison")
        try queue.send("good")
        let sent = queue.now
        for _ in 1...2 {
            let message = try #require(try queue.receive(visibility: 1).first)
            #expect(message.body == "poison")
            queue.pass(seconds: 1)
        }
        #expect(try queue.bodies() == ["good"])
        let dead = try #require(try queue.receive("dead").first)
        #expect((dead.id, dead.body, dead.deadLetterSource, dead.receiveCount) == (id, "poison", "orders", 3))
        #expect(dead.sentMilliseconds == sent)
        #expect(queue.table.statistics(at: queue.now).counters.deadLettered == 1)
        #expect(try queue.table.deadLetterSources(of: "dead") == ["orders"])
    }

    @Test func aMessageStaysWhereItsDeadLetterQueueIsGoneOrFull() throws {
        var limits = QueueLimits()
        limits.messagesPerQueueMax = 1
        var queue = try QueueFixture(limits: limits, ["orders": redrive(to: "dead", after: 1), "dead": [:]])
        try queue.send("full", to: "dead")
        try queue.send("poison")
        #expect(try queue.bodies("orders", visibility: 0) == ["poison"])
        #expect(try queue.bodies("orders", visibility: 0) == ["poison"])
        try queue.table.deleteQueue("dead")
        #expect(try queue.bodies("orders", visibility: 0) == ["poison"])
        try queue.create("dead")
        #expect(try queue.bodies("orders", visibility: 0) == [])
        #expect(try queue.bodies("dead") == ["poison"])
    }

    @Test func aPurgeRemovesAllAndIsCounted() throws {
        var queue = try QueueFixture()
        for body in ["a", "b", "c"] { try queue.send(body, delay: body == "c" ? 5 : nil) }
        let message = try #require(try queue.receive().first)
        try queue.table.purge("orders", now: queue.now)
        #expect(try queue.counts() == [0, 0, 0])
        try queue.table.delete(message.receiptHandle, from: "orders", now: queue.now)
        queue.pass(seconds: 100)
        #expect(try queue.bodies() == [])
        let statistics = queue.table.statistics(at: queue.now)
        #expect((statistics.counters.purged, statistics.bytes) == (3, 0))
    }

    @Test(
        "Names of attributes that the service keeps to itself, and numbers beyond its own",
        arguments: [
            ("a.b", "1", true), ("AWSx", "1", true), ("AWS.x", "1", false), ("aws.x", "1", false), ("Amazon.x", "1", false),
            (".x", "1", false),
            ("x.", "1", false), ("x..y", "1", false), ("n", "1e126", true), ("n", "1e127", false), ("n", "1.1e126", false),
            ("n", "1e-128", true),
            ("n", "1e-129", false), ("n", "0", true), ("n", "-0.0", true), ("n", "0e999", true), ("n", "1e99999999999999999999", false),
            ("n", String(repeating: "9", count: 38), true), ("n", String(repeating: "9", count: 39), false),
            ("n", "1" + String(repeating: "0", count: 126), true), ("n", "0." + String(repeating: "0", count: 127) + "1", true),
            ("n", "+1.50", true), ("n", String(repeating: "0", count: 60) + "1", true),
        ])
    func attributes(name: String, number: String, isTaken: Bool) throws {
        var queue = try QueueFixture()
        let message = NewQueueMessage(body: "a", attributes: [name: QueueMessageAttribute(dataType: "Number", value: .text(number))])
        let found = code { () throws(QueueError) in _ = try queue.table.send(message, to: "orders", now: queue.now) }
        #expect(found == (isTaken ? nil : .invalidParameterValue))
    }

    @Test("A label behind a type is any text that a body may be", arguments: ["String.List<Order>", "Number.€", "Binary.my label"])
    func labels(dataType: String) throws {
        var queue = try QueueFixture()
        let value = dataType.hasPrefix("B") ? QueueMessageAttribute.Value.binary([0]) : .text("1")
        let message = NewQueueMessage(body: "a", attributes: ["n": QueueMessageAttribute(dataType: dataType, value: value)])
        #expect(code { () throws(QueueError) in _ = try queue.table.send(message, to: "orders", now: queue.now) } == nil)
    }

    @Test(
        arguments: [
            ("", [:], QueueError.Code.missingParameter), ("a\u{0}", [:], .invalidMessageContents),
            ("\u{FFFF}", [:], .invalidMessageContents),
            ("a", ["n": QueueMessageAttribute(dataType: "Text", value: .text("x"))], .invalidParameterValue),
            ("a", ["n": QueueMessageAttribute(dataType: "String.\u{1}", value: .text("x"))], .invalidMessageContents),
            ("a", ["n": .text("")], .invalidParameterValue), ("a", ["n!": .text("x")], .invalidParameterValue),
            ("a", ["n": QueueMessageAttribute(dataType: "Number", value: .text("nan"))], .invalidParameterValue),
            ("a", ["n": QueueMessageAttribute(dataType: "Binary", value: .text("x"))], .invalidParameterValue),
            ("a", ["n": .text("\u{1}")], .invalidMessageContents),
            ("a", Dictionary(uniqueKeysWithValues: (0...10).map { ("n\($0)", .number($0)) }), .invalidParameterValue),
        ] as [(String, [String: QueueMessageAttribute], QueueError.Code)])
    func whatNoQueueTakesIsRefused(body: String, attributes: [String: QueueMessageAttribute], expected: QueueError.Code) throws {
        var queue = try QueueFixture()
        let message = NewQueueMessage(body: body, attributes: attributes)
        #expect(code { () throws(QueueError) in _ = try queue.table.send(message, to: "orders", now: queue.now) } == expected)
        let statistics = queue.table.statistics(at: queue.now)
        #expect((statistics.counters.refused, statistics.counters.sent, statistics.bytes) == (1, 0, 0))
    }
}
