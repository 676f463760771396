import CremaTesting
import Queues
import Testing

/// Tasks that bring dead letters back.
@Suite struct MessageMoveTests {
    private static let redrive = #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":1}"#

    /// Two queues that share a dead-letter queue, which has `letters` of each.
    private func fixture(letters: Int, limits: QueueLimits = QueueLimits()) throws -> QueueFixture {
        var fixture = try QueueFixture(
            limits: limits,
            ["dead": [:], "other": [:], "orders": ["RedrivePolicy": Self.redrive], "bills": ["RedrivePolicy": Self.redrive]])
        for queue in ["orders", "bills"] {
            for number in 0..<letters { try fixture.send("\(queue) \(number)", to: queue) }
            for _ in 0..<2 * letters { _ = try fixture.receive(queue, visibility: 0) }
        }
        #expect(try fixture.counts("dead") == [2 * letters, 0, 0])
        return fixture
    }

    private func start(
        _ fixture: inout QueueFixture, to destination: String? = nil, perSecond: Int? = nil
    ) throws(QueueError) -> String {
        try fixture.table.startMove(
            .init(source: "dead", destination: destination, messagesPerSecondMax: perSecond), now: fixture.now)
    }

    private func task(_ fixture: QueueFixture) throws -> MessageMoveTask {
        try #require(try fixture.table.moveTasks(of: "dead").first)
    }

    @Test func lettersGoBackToWhereTheyCameFromAndBeginAnew() throws {
        var fixture = try fixture(letters: 3)
        fixture.pass(seconds: 100)
        _ = try start(&fixture)
        #expect(fixture.table.nextDeadline == fixture.now)
        fixture.pass(seconds: 0)
        #expect(try fixture.counts("dead") == [0, 0, 0])
        let back = try fixture.receive("orders", 10)
        #expect(back.map(\.body) == ["orders 0", "orders 1", "orders 2"])
        #expect(back.allSatisfy { $0.receiveCount == 1 && $0.sentMilliseconds == fixture.now && $0.deadLetterSource == nil })
        #expect(try fixture.bodies("bills") == ["bills 0", "bills 1", "bills 2"])
        let task = try task(fixture)
        #expect(task.status == .completed && task.moved == 6 && task.toMove == 6)
        #expect(fixture.table.nextDeadline == nil)
        #expect(fixture.table.statistics(at: fixture.now).counters.moved == 6)
    }

    @Test("A letter from a queue that the caller may not send to stays, and ends the task")
    func targetsOfTheCaller() throws {
        var fixture = try fixture(letters: 1)
        _ = try fixture.table.startMove(.init(source: "dead", targets: ["orders"]), now: fixture.now)
        fixture.pass(seconds: 0)
        #expect(try fixture.bodies("orders") == ["orders 0"])
        #expect(try fixture.counts("dead") == [1, 0, 0])
        let task = try task(fixture)
        #expect(task.status == .failed && task.moved == 1)
        #expect(task.failure?.contains("the queue bills") == true)
    }

    @Test func lettersGoToOneOtherQueueWhereSomebodyWaits() throws {
        var fixture = try fixture(letters: 1)
        let waiter = try fixture.wait("other", seconds: 20, 10)
        _ = try start(&fixture, to: "other")
        fixture.pass(seconds: 0)
        let answers = fixture.table.takeAnswers()
        #expect(answers.map(\.waiter) == [waiter])
        #expect(try answers.first?.result.get().map(\.body) == ["orders 0", "bills 0"])
    }

    @Test func aRateIsKeptTo() throws {
        var fixture = try fixture(letters: 20)
        _ = try start(&fixture, to: "other", perSecond: 10)
        var moved: [Int] = []
        for _ in 0..<4 {
            fixture.pass(seconds: 1)
            moved.append(try task(fixture).moved)
        }
        #expect(moved == [11, 21, 31, 40])
        fixture.pass(seconds: 1)
        #expect(try task(fixture).status == .completed)
    }

    @Test func aTurnMovesAFewAndLetsOthersIn() throws {
        var fixture = try fixture(letters: 300)
        _ = try start(&fixture, to: "other")
        fixture.table.advance(to: fixture.now)
        #expect(try task(fixture).moved == 500)
        #expect(try #require(fixture.table.nextDeadline) > fixture.now)
        fixture.now += 10
        fixture.table.advance(to: fixture.now)
        #expect(try task(fixture).moved == 600)
    }

    @Test func aTaskThatIsCancelledMovesNoMore() throws {
        var fixture = try fixture(letters: 20)
        let handle = try start(&fixture, to: "other", perSecond: 1)
        fixture.pass(seconds: 2)
        #expect(throws: QueueError.self) { try start(&fixture) }
        #expect(try fixture.table.cancelMove(handle) == 3)
        fixture.pass(seconds: 10)
        #expect(try task(fixture).status == .cancelled && task(fixture).moved == 3)
        #expect(throws: QueueError.self) { try fixture.table.cancelMove(handle) }
        _ = try start(&fixture)
        fixture.pass(seconds: 1)
        #expect(try fixture.table.moveTasks(of: "dead").map(\.status) == [.completed, .cancelled])
    }

    @Test func whatCannotBeMovedFailsTheTaskAndStaysWhereItIs() throws {
        var fixture = try fixture(letters: 2)
        try fixture.send("from nowhere", to: "dead")
        _ = try start(&fixture)
        fixture.pass(seconds: 0)
        #expect(try task(fixture).status == .failed && task(fixture).failure == "CouldNotDetermineMessageSource")
        #expect(try fixture.bodies("dead") == ["from nowhere"])

        var limits = QueueLimits()
        limits.messagesPerQueueMax = 4
        var full = try self.fixture(letters: 2, limits: limits)
        for _ in 0..<3 { try full.send("there", to: "other") }
        _ = try start(&full, to: "other")
        full.pass(seconds: 0)
        #expect(try task(full).status == .failed && task(full).moved == 1)
        #expect(try full.counts("dead") == [3, 0, 0])
    }

    @Test func whatCannotBeTheSourceOrTheDestinationIsRefused() throws {
        var fixture = try fixture(letters: 1)
        for request: MessageMoveTask.Request in [
            .init(source: "orders"), .init(source: "none"), .init(source: "dead", destination: "none"),
            .init(source: "dead", destination: "dead"), .init(source: "dead", messagesPerSecondMax: 0),
            .init(source: "dead", messagesPerSecondMax: 501),
        ] {
            #expect(throws: QueueError.self) { try fixture.table.startMove(request, now: fixture.now) }
        }
        #expect(throws: QueueError.self) { try fixture.table.moveTasks(of: "none") }
        #expect(throws: QueueError.self) { try fixture.table.cancelMove("none") }
    }

    @Test func aQueueThatIsDeletedEndsItsTask() throws {
        var fixture = try fixture(letters: 1)
        _ = try start(&fixture, perSecond: 1)
        try fixture.table.deleteQueue("dead")
        fixture.pass(seconds: 1)
        #expect(fixture.table.nextDeadline == nil)
    }
}
