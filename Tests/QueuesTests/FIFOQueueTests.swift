import Testing

@testable import Queues

private let ordered = ["FifoQueue": "true", "ContentBasedDeduplication": "true"]

@Suite struct FIFOQueueTests {
    private func fixture(_ more: [String: String] = [:]) throws -> QueueFixture {
        try QueueFixture(["orders.fifo": ordered.merging(more) { $1 }])
    }

    @Test func aGroupGivesOutNothingMoreUntilWhatItGaveIsDeleted() throws {
        var queue = try fixture()
        for (body, group) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")] { try queue.send(body, group: group) }
        let first = try queue.receive("orders.fifo", 1)
        #expect(first.map(\.body) == ["a1"])
        #expect(try queue.bodies("orders.fifo") == ["b1"])
        #expect(try queue.bodies("orders.fifo") == [])
        try queue.table.delete(first[0].receiptHandle, from: "orders.fifo", now: queue.now)
        #expect(try queue.bodies("orders.fifo", 1) == ["a2"])
        #expect(try queue.bodies("orders.fifo") == [])
    }

    @Test func oneReceiverGetsAsManyOfAGroupAsThereAreBeforeThoseOfAnother() throws {
        var queue = try fixture()
        for (body, group) in [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b"), ("a3", "a")] { try queue.send(body, group: group) }
        #expect(try queue.bodies("orders.fifo", 4) == ["a1", "a2", "a3", "b1"])
        #expect(try queue.bodies("orders.fifo", 4) == [])
    }

    @Test func whatComesBackIsFirstInItsGroupAgain() throws {
        var queue = try fixture(["VisibilityTimeout": "10"])
        for body in ["1", "2", "3"] { try queue.send(body, group: "g") }
        #expect(try queue.bodies("orders.fifo", 2) == ["1", "2"])
        queue.pass(seconds: 9)
        #expect(try queue.bodies("orders.fifo") == [])
        queue.pass(seconds: 1)
        let again = try queue.receive("orders.fifo", 10)
        #expect(again.map(\.body) == ["1", "2", "3"])
        #expect(again.map(\.receiveCount) == [2, 2, 1])
        try queue.table.changeVisibility(of: again[1].receiptHandle, to: 0, in: "orders.fifo", now: queue.now)
        #expect(try queue.bodies("orders.fifo") == [], "the first of them is in flight")
    }

    @Test func whatComesBackIsGivenOutWhileWhatComesAfterItIsStillWithSomebody() throws {
        var queue = try fixture()
        for body in ["1", "2", "3", "4"] { try queue.send(body, group: "g") }
        let received = try queue.receive("orders.fifo", 3)
        #expect(received.map(\.body) == ["1", "2", "3"])
        // The second alone is held up by the first, and the fourth by the third.
        try queue.table.changeVisibility(of: received[1].receiptHandle, to: 0, in: "orders.fifo", now: queue.now)
        #expect(try queue.bodies("orders.fifo") == [])
        try queue.table.changeVisibility(of: received[0].receiptHandle, to: 0, in: "orders.fifo", now: queue.now)
        let again = try queue.receive("orders.fifo", 10)
        #expect(again.map(\.body) == ["1", "2"])
        try queue.table.delete(received[2].receiptHandle, from: "orders.fifo", now: queue.now)
        #expect(try queue.bodies("orders.fifo") == [])
        for message in again { try queue.table.delete(message.receiptHandle, from: "orders.fifo", now: queue.now) }
        #expect(try queue.bodies("orders.fifo") == ["4"])
    }

    @Test func aHandleWhoseTimeIsOverChangesNothingForWhoHasTheMessageNow() throws {
        var queue = try fixture(["VisibilityTimeout": "10"])
        try queue.send("1", group: "g")
        let first = try queue.receive("orders.fifo")[0].receiptHandle
        func expired(_ call: () throws(QueueError) -> Void) -> Bool {
            do throws(QueueError) { try call() } catch { return error.message.hasSuffix("Reason: The receipt handle has expired.") }
            return false
        }
        queue.pass(seconds: 10)
        for _ in 1...2 {
            #expect(
                expired { () throws(QueueError) in
                    try queue.table.changeVisibility(of: first, to: 99, in: "orders.fifo", now: queue.now)
                })
            #expect(expired { () throws(QueueError) in try queue.table.delete(first, from: "orders.fifo", now: queue.now) })
            // Once nobody has it, once somebody else.
            _ = try queue.receive("orders.fifo")
        }
        queue.pass(seconds: 10)
        let last = try queue.receive("orders.fifo")
        #expect(last.map(\.receiveCount) == [3])
        try queue.table.delete(last[0].receiptHandle, from: "orders.fifo", now: queue.now)
        try queue.table.delete(first, from: "orders.fifo", now: queue.now)
    }

    @Test func noMessageHasADelayOfItsOwn() throws {
        var queue = try fixture(["DelaySeconds": "5"])
        var message = NewQueueMessage(body: "1", identity: MessageIdentity(groupID: "g"))
        message.delaySeconds = 0
        try queue.table.send(message, to: "orders.fifo", now: queue.now)
        #expect(try queue.bodies("orders.fifo") == [])
        queue.pass(seconds: 5)
        #expect(try queue.bodies("orders.fifo") == ["1"])
    }

    @Test func whatTheSenderSaysBesideTheMessageCountsTowardsTheBytes() throws {
        var queue = try fixture()
        let message = NewQueueMessage(
            body: "1",
            identity: MessageIdentity(groupID: String(repeating: "g", count: 100), deduplicationID: String(repeating: "d", count: 90)),
            traceHeader: String(repeating: "t", count: 1_000))
        try queue.table.send(message, to: "orders.fifo", now: queue.now)
        #expect(queue.table.statistics(at: queue.now).bytes == QueueLimits.overheadBytes + 1 + 1_190 + Deduplication.entryBytes + 90)
        let received = try queue.receive("orders.fifo")
        try queue.table.delete(received[0].receiptHandle, from: "orders.fifo", now: queue.now)
        queue.pass(seconds: 300)
        #expect(queue.table.statistics(at: queue.now).bytes == 0)
    }

    @Test func aReceiptThatIsOverDeletesNothing() throws {
        var queue = try fixture(["VisibilityTimeout": "10"])
        try queue.send("1", group: "g")
        let received = try queue.receive("orders.fifo")
        queue.pass(seconds: 10)
        #expect(
            code { () throws(QueueError) in
                try queue.table.delete(received[0].receiptHandle, from: "orders.fifo", now: queue.now)
            } == .invalidParameterValue)
        #expect(try queue.bodies("orders.fifo") == ["1"])
    }

    @Test func aDelayedMessageHoldsUpItsGroup() throws {
        var queue = try fixture(["DelaySeconds": "5"])
        try queue.send("1", group: "g")
        queue.pass(seconds: 4)
        try queue.send("2", group: "g")
        #expect(try queue.bodies("orders.fifo") == [])
        queue.pass(seconds: 1)
        #expect(try queue.bodies("orders.fifo") == ["1"])
        queue.pass(seconds: 4)
        #expect(try queue.bodies("orders.fifo") == [])
    }

    @Test func whoWaitsGetsTheNextOfAGroupWhenTheOneBeforeIsDeleted() throws {
        var queue = try fixture()
        for body in ["1", "2"] { try queue.send(body, group: "g") }
        let first = try queue.receive("orders.fifo")
        let waiter = try #require(try queue.wait("orders.fifo"))
        #expect(queue.table.takeAnswers().isEmpty)
        try queue.table.delete(first[0].receiptHandle, from: "orders.fifo", now: queue.now)
        let answers = queue.table.takeAnswers()
        #expect(answers.map(\.waiter) == [waiter])
        #expect(try answers.first?.result.get().map(\.body) == ["2"])
    }

    @Test func deadLettersLetTheirGroupGoOn() throws {
        var queue = try QueueFixture([
            "orders.fifo": ordered.merging(redrive(to: "dead.fifo", after: 1)) { $1 }.merging(["VisibilityTimeout": "10"]) { $1 },
            "dead.fifo": ordered,
        ])
        for body in ["1", "2"] { try queue.send(body, group: "g") }
        #expect(try queue.bodies("orders.fifo", 1) == ["1"])
        queue.pass(seconds: 10)
        #expect(try queue.bodies("orders.fifo") == ["2"])
        let dead = try queue.receive("dead.fifo")
        #expect(dead.map(\.body) == ["1"])
        #expect(dead.map(\.identity.groupID) == ["g"])
        #expect(dead.map(\.deadLetterSource) == ["orders.fifo"])
    }

    // MARK: - The same message twice

    @Test func theSameMessageIsTakenOnceInFiveMinutes() throws {
        var queue = try fixture()
        let sent = try queue.send("1", group: "a", id: "x")
        #expect(sent.sequenceNumber?.count == 20)
        #expect(try queue.send("another", group: "b", id: "x") == sent)
        #expect(try queue.send("another", group: "b") != sent)
        queue.pass(seconds: 299)
        #expect(try queue.send("1", group: "a", id: "x") == sent)
        #expect(queue.table.statistics(at: queue.now).counters.deduplicated == 2)
        queue.pass(seconds: 1)
        let later = try queue.send("1", group: "a", id: "x")
        #expect(later.id != sent.id)
        #expect(try #require(later.sequenceNumber) > #require(sent.sequenceNumber))
    }

    @Test func whatIsDeletedIsRememberedAndCountsTowardsTheBytes() throws {
        var queue = try fixture()
        let sent = try queue.send("1", group: "a")
        let received = try queue.receive("orders.fifo")
        #expect(received[0].identity.deduplicationID == "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b")
        #expect(received[0].sequenceNumber == sent.sequenceNumber)
        try queue.table.delete(received[0].receiptHandle, from: "orders.fifo", now: queue.now)
        #expect(try queue.send("1", group: "a") == sent)
        #expect(try queue.bodies("orders.fifo") == [])
        // The identifier is a SHA-256 in hexadecimal.
        #expect(queue.table.statistics(at: queue.now).bytes == Deduplication.entryBytes + 64)
        queue.pass(seconds: 300)
        #expect(queue.table.statistics(at: queue.now).bytes == 0)
        let second = try queue.send("1", group: "a")
        #expect(second != sent)
        try queue.table.purge("orders.fifo", now: queue.now)
        #expect(queue.table.statistics(at: queue.now).bytes == 0)
        #expect(try queue.send("1", group: "a") != second)
    }

    @Test func whatIsRememberedIsBoundedAsMessagesAre() throws {
        var limits = QueueLimits()
        limits.queuesBytesMax = 3 * (Deduplication.entryBytes + QueueLimits.overheadBytes + 1)
        var queue = try QueueFixture(limits: limits, ["orders.fifo": ordered])
        var taken = 0
        while code({ () throws(QueueError) in try queue.send("\(taken)", group: "g") }) == nil {
            taken += 1
            for message in try queue.receive("orders.fifo") {
                try queue.table.delete(message.receiptHandle, from: "orders.fifo", now: queue.now)
            }
        }
        // Each is remembered with its identifier, a digest, and has that while it is there.
        #expect(taken == 5)
        queue.now += Deduplication.windowMilliseconds
        try queue.send("again", group: "g")
    }

    @Test func groupsAreToldApartWhereTheQueueSaysSo() throws {
        var queue = try fixture(["DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"])
        let sent = try queue.send("1", group: "a", id: "x")
        #expect(try queue.send("1", group: "a", id: "x") == sent)
        #expect(try queue.send("1", group: "b", id: "x") != sent)
    }

    // MARK: - What is refused

    @Test(
        "What a queue of this kind does not take",
        arguments: [
            (nil, "x", nil, QueueError.Code.missingParameter), ("g", nil, nil, .invalidParameterValue),
            ("", "x", nil, .invalidParameterValue),
            ("a b", "x", nil, .invalidParameterValue), ("g", "é", nil, .invalidParameterValue), ("g", "x", 1, .invalidParameterValue),
            (String(repeating: "g", count: 129), "x", nil, .invalidParameterValue),
        ] as [(String?, String?, Int?, QueueError.Code)])
    func refusedMessages(group: String?, id: String?, delay: Int?, expected: QueueError.Code) throws {
        var queue = try QueueFixture(["orders.fifo": ["FifoQueue": "true"]])
        let identity = MessageIdentity(groupID: group, deduplicationID: id)
        let message = NewQueueMessage(body: "m", delaySeconds: delay, identity: identity)
        #expect(code { () throws(QueueError) in try queue.table.send(message, to: "orders.fifo", now: queue.now) } == expected)
        #expect(queue.table.statistics(at: queue.now).counters.refused == 1)
    }

    @Test func aBatchWithAMessageThatHasNoPlaceIsRefusedWhole() throws {
        let queue = try QueueFixture(["orders.fifo": ["FifoQueue": "true"], "orders": [:]])
        let good = NewQueueMessage(body: "m", delaySeconds: 1, identity: MessageIdentity(groupID: "g", deduplicationID: "x"))
        try queue.table.checkPlaces(of: [good], in: "orders.fifo")
        for identity in [MessageIdentity(), MessageIdentity(groupID: "g"), MessageIdentity(deduplicationID: "x")] {
            let batch = [good, NewQueueMessage(body: "m", identity: identity)]
            let refused = code { () throws(QueueError) in try queue.table.checkPlaces(of: batch, in: "orders.fifo") }
            #expect(refused == .invalidParameterValue)
            try queue.table.checkPlaces(of: [NewQueueMessage(body: "m")], in: "orders")
        }
    }

    @Test func aStandardQueueTellsAGroupAndTakesNoIdentifier() throws {
        var queue = try QueueFixture()
        try queue.send("1", group: "g", to: "orders")
        try queue.send("2", group: "g", to: "orders")
        #expect(try queue.receive("orders", 10).map(\.identity) == [MessageIdentity(groupID: "g"), MessageIdentity(groupID: "g")])
        let refused = code { () throws(QueueError) in try queue.send("3", group: nil, id: "x", to: "orders") }
        #expect(refused == .invalidParameterValue)
    }

    @Test(
        "A name and a kind that do not go together, and attributes of the other kind",
        arguments: [
            ("a.fifo", [:], QueueError.Code.invalidParameterValue), ("a.fifo", ["FifoQueue": "false"], .invalidAttributeName),
            ("a", ["FifoQueue": "false"], .invalidAttributeName),
            ("a", ["FifoQueue": "true"], .invalidParameterValue), ("a.fifo", ["FifoQueue": "tru"], .invalidAttributeValue),
            ("a", ["ContentBasedDeduplication": "true"], .invalidAttributeName),
            ("a", ["DeduplicationScope": "queue"], .invalidAttributeName),
            ("a.fifo", ["FifoQueue": "true", "DeduplicationScope": "group"], .invalidAttributeValue),
            ("a.fifo", ["FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"], .invalidAttributeValue),
            ("a.fifo", ["FifoQueue": "true"].merging(redrive(to: "orders", after: 1)) { $1 }, .invalidParameterValue),
        ] as [(String, [String: String], QueueError.Code)])
    func refusedQueues(name: String, attributes: [String: String], expected: QueueError.Code) throws {
        var queue = try QueueFixture()
        #expect(code { () throws(QueueError) in try queue.create(name, attributes) } == expected)
    }

    @Test func theKindOfAQueueIsForGood() throws {
        var queue = try QueueFixture(["orders.fifo": ["FifoQueue": "True", "ContentBasedDeduplication": "FALSE"]])
        let change = code { () throws(QueueError) in
            try queue.table.setAttributes(["FifoQueue": "false"], of: "orders.fifo", now: queue.now)
        }
        #expect(change == .invalidAttributeValue)
        #expect(try queue.attribute("FifoQueue", of: "orders.fifo") == "true")
        #expect(try queue.attribute("DeduplicationScope", of: "orders.fifo") == "queue")
        #expect(try queue.attribute("FifoThroughputLimit", of: "orders.fifo") == "perQueue")
    }
}
