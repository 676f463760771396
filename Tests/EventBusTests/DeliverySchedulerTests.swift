import CremaTesting
import Queues
import Testing

@testable import EventBus

private typealias Scheduler = DeliveryScheduler<Int, SeededRandom>

private func lane(
    _ name: String, attempts: Int = 185, seconds: Int = 86_400, pace: DeliveryTerms.Pace? = nil
) -> DeliveryTerms {
    DeliveryTerms(lane: name, policy: RetryPolicy(maximumRetryAttempts: attempts, maximumEventAgeSeconds: seconds), pace: pace)
}

/// A failure that may pass.
private let full = DeliveryFailure.queue(name: "q", QueueError(.overLimit, "full"))
private let gone = DeliveryFailure.queue(name: "q", .queueDoesNotExist)

/// Runs one delivery that always fails; answers when it was tried, and how it ended.
private func failing(_ terms: DeliveryTerms, seed: UInt64, limits: DeliveryLimits = .init()) -> (tried: [Int64], ending: Scheduler.Ending?)
{
    var scheduler = Scheduler(limits: limits, random: SeededRandom(seed: seed))
    var now: Int64 = 1_000_000
    let start = now
    var tried: [Int64] = []
    var ending = scheduler.submit(0, terms, bytes: 1, now: now)
    while ending == nil {
        let work = scheduler.takeWork(now: now)
        ending = work.endings.first
        for attempt in work.attempts {
            tried.append(now - start)
            if case .ended(let end) = scheduler.finished(attempt.id, full, now: now) { ending = end }
        }
        guard ending == nil else { break }
        guard let next = scheduler.nextDeadline ?? (work.attempts.isEmpty ? nil : now) else { break }
        now = max(now, next)
    }
    #expect(scheduler.count == 0 && scheduler.bytes == 0)
    return (tried, ending)
}

@Suite struct DeliverySchedulerTests {
    @Test("185 retries over a day, whichever limit comes first", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func wholeDay(seed: UInt64) throws {
        let (tried, ending) = failing(lane("a"), seed: seed)
        let end = try #require(ending)
        let backOff = BackOff(firstMilliseconds: 1_000, longestMilliseconds: 900_000)
        for (retry, pair) in zip(tried, tried.dropFirst()).enumerated() {
            #expect(pair.1 - pair.0 <= backOff.bound(retries: retry))
        }
        #expect(tried.count == end.retries + 1)
        #expect(try #require(tried.last) < 86_400_000)
        switch try #require(end.exhaustion) {
        case .attempts: #expect(end.retries == 185)
        case .age: #expect(end.retries < 185 && tried.last ?? 0 > 86_400_000 - 900_000)
        }
        // The same seed, the same schedule.
        #expect(failing(lane("a"), seed: seed).tried == tried)
    }

    @Test("Destinations that come and go leave no pace behind, and those that were called just now keep theirs")
    func pacesAreForgotten() {
        var scheduler = Scheduler(limits: DeliveryLimits(), random: SeededRandom(seed: 1))
        func call(_ name: String, at now: Int64) -> Int {
            _ = scheduler.submit(0, lane("lane \(name)", pace: DeliveryTerms.Pace(name: name, perSecond: 1)), bytes: 1, now: now)
            let attempts = scheduler.takeWork(now: now).attempts
            for attempt in attempts { _ = scheduler.finished(attempt.id, nil, now: now) }
            return attempts.count
        }
        for number in 0..<10_000 { #expect(call("\(number)", at: Int64(number) * 10) == 1) }
        #expect(scheduler.pacedCount <= 2 * DeliveryTerms.pacersKeptMin)
        #expect(call("9999", at: 100_000) == 0)
    }

    @Test func bothLimitsAreReached() {
        let few = failing(lane("a", attempts: 3), seed: 7)
        #expect(few.tried.count == 4)
        #expect(few.ending?.exhaustion == .attempts && few.ending?.retries == 3)
        let short = failing(lane("a", seconds: 60), seed: 7)
        #expect(short.ending?.exhaustion == .age)
        #expect((short.tried.last ?? .max) < 60_000)
        let none = failing(lane("a", attempts: 0), seed: 7)
        #expect(none.tried == [0] && none.ending?.exhaustion == .attempts && none.ending?.retries == 0)
    }

    @Test func theWaitsGrowToTheLongestOne() {
        let backOff = BackOff(firstMilliseconds: 1_000, longestMilliseconds: 900_000)
        #expect([0, 1, 2, 9, 10, 184, 1_000_000].map(backOff.bound) == [1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000])
        var random = SeededRandom(seed: 1)
        let waits = (0..<2_000).map { _ in backOff.wait(retries: 4, using: &random) }
        // Full jitter: from nothing to the bound.
        #expect(waits.min() ?? .max < 800 && waits.max() ?? 0 > 15_200 && waits.allSatisfy { $0 <= 16_000 })
    }

    @Test func whatCannotSucceedIsNotTriedAgain() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(1, lane("a"), bytes: 1, now: 0) == nil)
        let attempt = try #require(scheduler.takeWork(now: 0).attempts.first)
        guard case .ended(let ending) = scheduler.finished(attempt.id, gone, now: 1) else {
            Issue.record("it is tried again")
            return
        }
        #expect(ending.exhaustion == nil && ending.retries == 0)
    }

    @Test func anAttemptThatFailedBeforeCounts() {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(1, lane("a", attempts: 0), bytes: 1, after: full, now: 0)?.exhaustion == .attempts)
        #expect(scheduler.submit(1, lane("a", attempts: 1), bytes: 1, after: full, now: 0) == nil)
        #expect(scheduler.takeWork(now: 1_000).attempts.map(\.isRetry) == [true])
    }

    @Test func aTargetHasFewAttemptsUnderWay() {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        for item in 0..<10 { #expect(scheduler.submit(item, lane("slow"), bytes: 1, now: 0) == nil) }
        let first = scheduler.takeWork(now: 0).attempts
        #expect(first.map(\.item) == [0, 1, 2, 3])
        #expect(scheduler.submit(99, lane("quick"), bytes: 1, now: 0) == nil)
        #expect(scheduler.takeWork(now: 0).attempts.map(\.item) == [99])
        if case .delivered(2) = scheduler.finished(first[2].id, nil, now: 5) {} else { Issue.record("not delivered") }
        #expect(scheduler.takeWork(now: 5).attempts.map(\.item) == [4])
    }

    @Test func thereIsRoomForSoManyAndNoMore() {
        var limits = DeliveryLimits()
        limits.pendingDeliveriesPerTargetMax = 2
        limits.pendingDeliveryBytesPerTargetMax = 100
        limits.pendingDeliveriesMax = 3
        limits.pendingDeliveryBytesMax = 150
        limits.deliveriesInFlightPerTargetMax = 0
        var scheduler = Scheduler(limits: limits, random: SeededRandom(seed: 1))
        func refusal(_ name: String, _ bytes: Int) -> String? {
            guard case .tooManyPending(let limit)? = scheduler.submit(0, lane(name), bytes: bytes, now: 0)?.failure else {
                return nil
            }
            return limit
        }
        #expect(refusal("a", 101) == "pendingDeliveryBytesPerTargetMax")
        #expect(refusal("a", 60) == nil)
        #expect(refusal("a", 10) == nil)
        #expect(refusal("a", 1) == "pendingDeliveriesPerTargetMax")
        #expect(refusal("b", 90) == "pendingDeliveryBytesMax")
        #expect(refusal("b", 10) == nil)
        #expect(refusal("c", 10) == "pendingDeliveriesMax")
    }

    /// Dead targets that hold all the room there is do not cost a healthy one its deliveries.
    @Test func aTargetWithNothingWaitingAlwaysHasRoom() {
        var limits = DeliveryLimits()
        limits.pendingDeliveriesMax = 20
        var scheduler = Scheduler(limits: limits, random: SeededRandom(seed: 1))
        for item in 0..<20 { #expect(scheduler.submit(item, lane("dead"), bytes: 1, now: 0) == nil) }
        for item in 0..<4 { #expect(scheduler.submit(item, lane("healthy"), bytes: 1, now: 0) == nil) }
        #expect(scheduler.submit(4, lane("healthy"), bytes: 1, now: 0) != nil)
        for attempt in scheduler.takeWork(now: 0).attempts { _ = scheduler.finished(attempt.id, nil, now: 0) }
        #expect(scheduler.submit(5, lane("healthy"), bytes: 1, now: 0) == nil)
    }

    /// What a target asks for holds for all, also where the delivery that heard it is not tried again.
    @Test func aTargetThatAsksForTimeGetsItFromAll() {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        let once = DeliveryTerms(lane: "a", policy: RetryPolicy(maximumRetryAttempts: 0))
        for item in 0..<6 { #expect(scheduler.submit(item, once, bytes: 1, now: 0) == nil) }
        let attempts = scheduler.takeWork(now: 0).attempts
        #expect(attempts.count == 4)
        for attempt in attempts {
            if case .ended = scheduler.finished(attempt.id, .asked(30_000), now: 1) {} else { Issue.record("it is tried again") }
        }
        #expect(scheduler.takeWork(now: 2).attempts.isEmpty)
        #expect(scheduler.takeWork(now: 30_001).attempts.map(\.item) == [4, 5])
    }

    @Test func whatHasWaitedTooLongForItsTurnIsNotTried() {
        var limits = DeliveryLimits()
        limits.deliveriesInFlightPerTargetMax = 1
        var scheduler = Scheduler(limits: limits, random: SeededRandom(seed: 1))
        for item in 0..<2 { #expect(scheduler.submit(item, lane("a", seconds: 60), bytes: 1, now: 0) == nil) }
        let attempt = scheduler.takeWork(now: 0).attempts[0]
        _ = scheduler.finished(attempt.id, nil, now: 60_000)
        let work = scheduler.takeWork(now: 60_000)
        #expect(work.attempts.isEmpty)
        #expect(work.endings.map(\.item) == [1] && work.endings.first?.exhaustion == .age)
    }

    @Test(arguments: [1, 7, 300])
    func aPaceIsKept(perSecond: Int) {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        let pace = DeliveryTerms.Pace(name: "p", perSecond: perSecond)
        let count = perSecond * 3
        for item in 0..<count {
            let terms = lane(item % 2 == 0 ? "a" : "b", pace: pace)
            #expect(scheduler.submit(item, terms, bytes: 1, now: 0) == nil)
        }
        var started: [Int64] = []
        var now: Int64 = 0
        while scheduler.count > 0 {
            for attempt in scheduler.takeWork(now: now).attempts {
                started.append(now)
                _ = scheduler.finished(attempt.id, nil, now: now)
            }
            now = max(now, scheduler.nextDeadline ?? now)
        }
        for (index, time) in started.enumerated() where index + perSecond < started.count {
            #expect(started[index + perSecond] - time >= 999)
        }
        #expect(started.last ?? .max <= 3_010)
    }

    @Test func stoppingEndsEverything() {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        for item in 0..<6 { #expect(scheduler.submit(item, lane("a"), bytes: 1, now: 0) == nil) }
        #expect(scheduler.submit(6, lane("b"), bytes: 1, after: DeliveryFailure.asked(20_000), now: 0) == nil)
        let attempts = scheduler.takeWork(now: 0).attempts
        #expect(scheduler.stop(by: 5_000).map(\.item) == [6])
        // A first attempt is still made, a retry is not.
        #expect(scheduler.submit(7, lane("b"), bytes: 1, now: 0) == nil)
        #expect(scheduler.takeWork(now: 0).attempts.map(\.item) == [7])
        #expect(scheduler.submit(8, lane("b"), bytes: 1, after: full, now: 0)?.failure.code == "SHUTDOWN")
        if case .ended(let ending) = scheduler.finished(attempts[0].id, full, now: 1) {
            #expect(ending.failure.code == "SHUTDOWN")
        } else {
            Issue.record("it is tried again")
        }
        if case .delivered(1) = scheduler.finished(attempts[1].id, nil, now: 1) {} else { Issue.record("not delivered") }
        #expect(scheduler.takeWork(now: 1).attempts.map(\.item) == [4, 5])
        let endings = scheduler.abandon()
        #expect(Set(endings.map(\.item)) == [2, 3, 4, 5, 7])
        // All of them were under way: their targets may have taken them.
        #expect(endings.allSatisfy { $0.failure.message.contains("the target may have taken it") })
        #expect(scheduler.submit(9, lane("b"), bytes: 1, now: 0)?.failure.code == "SHUTDOWN")
        #expect(scheduler.count == 0 && scheduler.bytes == 0)
        if case .unknown = scheduler.finished(attempts[2].id, nil, now: 2) {} else { Issue.record("it was given up") }
    }
}

@Suite struct BusyFunctionTests {
    /// A runtime emulator has one function at work, and answers 400 to all others meanwhile.
    @Test func aFunctionThatIsAtWorkIsCalledAgain() {
        #expect(FailedCall(.answered(status: 400), kind: .function, now: 0)?.retry == .later())
        #expect(FailedCall(.answered(status: 400), kind: .http, now: 0)?.retry == .never)
        #expect(FailedCall(.answered(status: 404), kind: .function, now: 0)?.retry == .never)
    }
}

extension DeliveryFailure {
    /// The target is busy, and says for how long.
    fileprivate static func asked(_ milliseconds: Int64) -> DeliveryFailure {
        guard let failed = FailedCall(.answered(status: 503, retryAfter: "\(milliseconds / 1_000)"), kind: .http, now: 0) else {
            preconditionFailure("503 is no success")
        }
        return .call(name: "t", failed)
    }
}

@Suite struct RetryAfterTests {
    @Test func aTargetIsLeftAloneForAsLongAsItAsks() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 3))
        for item in 0..<5 { #expect(scheduler.submit(item, lane("a"), bytes: 1, now: 0) == nil) }
        let first = try #require(scheduler.takeWork(now: 0).attempts.first)
        _ = scheduler.finished(first.id, .asked(20_000), now: 100)
        #expect(scheduler.takeWork(now: 100).attempts.isEmpty)
        #expect(scheduler.nextDeadline == 20_100)
        #expect(scheduler.takeWork(now: 20_099).attempts.isEmpty)
        #expect(scheduler.takeWork(now: 20_100).attempts.map(\.item) == [4])
        #expect(scheduler.takeWork(now: 900_000).attempts.isEmpty)
    }

    @Test func noTargetHoldsUpTheOthersOfItsLaneForDays() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 3))
        for item in 0..<2 { #expect(scheduler.submit(item, lane("a"), bytes: 1, now: 0) == nil) }
        let attempts = scheduler.takeWork(now: 0).attempts
        guard case .ended(let ending) = scheduler.finished(attempts[0].id, .asked(86_400_000), now: 0) else {
            Issue.record("it waits beyond its time")
            return
        }
        #expect(ending.exhaustion == .age)
        _ = scheduler.finished(attempts[1].id, .asked(80_000_000), now: 0)
        #expect(scheduler.submit(2, lane("a"), bytes: 1, now: 1) == nil)
        #expect(scheduler.takeWork(now: 1).attempts.isEmpty)
        #expect(scheduler.takeWork(now: 900_000).attempts.map(\.item) == [2])
    }

    @Test(
        "Seconds and dates",
        arguments: [
            ("7", .wait(milliseconds: 7_000)), ("0", .wait(milliseconds: 0)), ("99999999999", .wait(milliseconds: 1_000_000_000)),
            ("Thu, 01 Jan 1970 00:01:30 GMT", .wait(milliseconds: 30_000)), ("Thu, 01 Jan 1970 00:00:30 GMT", .wait(milliseconds: 0)),
            ("-1", .stop), ("-99999999999", .stop), ("soon", .nothing), ("Thu, 32 Jan 1970 00:01:30 GMT", .nothing),
            ("Thu, 01 Jan 1970 00:01 GMT", .nothing), ("", .nothing),
        ] as [(String, RetryAfter)])
    func forms(text: String, expected: RetryAfter) {
        #expect(RetryAfter(text, now: 60_000) == expected)
    }
}

@Suite struct FailedCallTests {
    @Test(
        "What is tried again, and what the service calls it",
        arguments: [
            (HTTPOutcome.answered(status: 200), nil, nil), (.answered(status: 204), nil, nil),
            (.answered(status: 301), .never, "SDK_CLIENT_ERROR"), (.answered(status: 400), .never, "SDK_CLIENT_ERROR"),
            (.answered(status: 401), .later(), "NO_PERMISSIONS"), (.answered(status: 403), .never, "NO_PERMISSIONS"),
            (.answered(status: 404), .never, "NO_RESOURCE"), (.answered(status: 407), .later(), "NO_PERMISSIONS"),
            (.answered(status: 408), .never, "TIMEOUT"), (.answered(status: 409), .later(), "SDK_CLIENT_ERROR"),
            (.answered(status: 410), .never, "NO_RESOURCE"), (.answered(status: 429), .later(), "THROTTLING"),
            (.answered(status: 429, retryAfter: "-1"), .never, "THROTTLING"),
            (.answered(status: 503, retryAfter: "-1"), .never, "SDK_CLIENT_ERROR"),
            (.answered(status: 429, retryAfter: "3"), .later(afterMilliseconds: 3_000), "THROTTLING"),
            (.answered(status: 500), .later(), "SDK_CLIENT_ERROR"), (.answered(status: 503, retryAfter: "x"), .later(), "SDK_CLIENT_ERROR"),
            (.failed(.timedOut(seconds: 5)), .later(), "TIMEOUT"), (.failed(.unreachable("refused")), .later(), "SDK_CLIENT_ERROR"),
            (.failed(.denied("no")), .never, "NO_PERMISSIONS"), (.failed(.invalid("no")), .never, "SDK_CLIENT_ERROR"),
        ] as [(HTTPOutcome, RetryAdvice?, String?)])
    func outcomes(outcome: HTTPOutcome, retry: RetryAdvice?, code: String?) {
        let failed = FailedCall(outcome, kind: .http, now: 0)
        #expect(failed?.retry == retry)
        #expect(failed?.code == code)
    }

    @Test func aFunctionsErrorIsAFailureAlthoughItsStatusIsNone() {
        let outcome = HTTPOutcome.answered(status: 200, functionError: "Unhandled")
        #expect(FailedCall(outcome, kind: .function, now: 0)?.code == "FUNCTION_ERROR")
        #expect(FailedCall(outcome, kind: .function, now: 0)?.retry == .rerun)
        #expect(FailedCall(outcome, kind: .http, now: 0) == nil)
        // It was run, and took longer than a function may.
        #expect(FailedCall(.failed(.timedOut(seconds: 900)), kind: .function, now: 0)?.retry == .rerun)
        // Nobody knows whether it was run, or it was not.
        #expect(FailedCall(.failed(.unreachable("refused")), kind: .function, now: 0)?.retry == .later())
        #expect(FailedCall(.answered(status: 500), kind: .function, now: 0)?.retry == .later())
    }
}
