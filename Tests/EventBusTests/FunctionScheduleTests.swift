import CremaTesting
import Testing

@testable import EventBus

private typealias Scheduler = DeliveryScheduler<Int, SeededRandom>

private func target(_ lane: String, function: String = "make", attempts: Int = 185, seconds: Int = 86_400) -> DeliveryTerms {
    DeliveryTerms(
        lane: lane, policy: RetryPolicy(maximumRetryAttempts: attempts, maximumEventAgeSeconds: seconds), function: function)
}

private func failure(_ outcome: HTTPOutcome) throws -> DeliveryFailure {
    .call(name: "make", try #require(FailedCall(outcome, kind: .function, now: 0)))
}

@Suite("How functions take their turns") struct FunctionScheduleTests {
    /// A runtime emulator runs one function at a time: another call meanwhile would be refused.
    @Test func aFunctionHasOneCallWhateverTheTargetsAre() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        for item in 0..<3 { #expect(scheduler.submit(item, target("a"), bytes: 1, now: 0) == nil) }
        for item in 10..<12 { #expect(scheduler.submit(item, target("b"), bytes: 1, now: 0) == nil) }
        #expect(scheduler.submit(20, target("c", function: "other"), bytes: 1, now: 0) == nil)
        var attempts = scheduler.takeWork(now: 0).attempts
        #expect(attempts.map(\.item) == [0, 20])
        var order: [Int] = []
        // Targets of one function take turns.
        while let attempt = attempts.first {
            order.append(attempt.item)
            if case .delivered = scheduler.finished(attempt.id, nil, now: 1) {} else { Issue.record("not delivered") }
            attempts = attempts.dropFirst() + scheduler.takeWork(now: 1).attempts
        }
        #expect(order.filter { $0 < 20 } == [0, 10, 1, 11, 2])
        #expect(scheduler.count == 0)
    }

    @Test func asManyCallsAsTheLimitSays() {
        var limits = DeliveryLimits()
        limits.lambdaCallsInFlightMax = 3
        var scheduler = Scheduler(limits: limits, random: SeededRandom(seed: 1))
        for item in 0..<6 { #expect(scheduler.submit(item, target("\(item % 2)"), bytes: 1, now: 0) == nil) }
        #expect(scheduler.takeWork(now: 0).attempts.count == 3)
    }

    @Test func whatWaitsForASlowFunctionIsStillOneDayTooOld() {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(0, target("a"), bytes: 1, now: 0) == nil)
        #expect(scheduler.takeWork(now: 0).attempts.count == 1)
        #expect(scheduler.submit(1, target("b", seconds: 60), bytes: 1, now: 0) == nil)
        #expect(scheduler.takeWork(now: 0).attempts.isEmpty)
        #expect(scheduler.nextDeadline == 60_000)
        #expect(scheduler.takeWork(now: 60_000).endings.map(\.exhaustion) == [.age])
    }

    /// As asynchronous invocation does: a minute, then two, then a dead letter.
    @Test func aFunctionThatFailsIsRunTwiceAgain() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(0, target("a"), bytes: 1, now: 0) == nil)
        var now: Int64 = 0
        for wait in [60_000, 120_000] as [Int64] {
            let attempt = try #require(scheduler.takeWork(now: now).attempts.first)
            _ = scheduler.finished(attempt.id, try failure(.answered(status: 200, functionError: "Unhandled")), now: now)
            #expect(scheduler.takeWork(now: now + wait - 1).attempts.isEmpty)
            #expect(scheduler.nextDeadline == now + wait)
            now += wait
        }
        let last = try #require(scheduler.takeWork(now: now).attempts.first)
        guard case .ended(let ending) = scheduler.finished(last.id, try failure(.failed(.timedOut(seconds: 900))), now: now) else {
            Issue.record("it is run again")
            return
        }
        #expect(ending.exhaustion == .attempts && ending.retries == 2)
    }

    @Test func theRetryPolicyHoldsForFunctionsToo() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(0, target("a", attempts: 1), bytes: 1, now: 0) == nil)
        #expect(scheduler.submit(1, target("b", seconds: 60), bytes: 1, now: 0) == nil)
        let failed = try failure(.answered(status: 200, functionError: "Unhandled"))
        let first = try #require(scheduler.takeWork(now: 0).attempts.first)
        if case .waiting = scheduler.finished(first.id, failed, now: 0) {} else { Issue.record("it is not run again") }
        // Its minute would be over when it is run again.
        let second = try #require(scheduler.takeWork(now: 0).attempts.first)
        if case .ended(let ending) = scheduler.finished(second.id, failed, now: 0) {
            #expect(ending.exhaustion == .age)
        } else {
            Issue.record("it is run again")
        }
        let again = try #require(scheduler.takeWork(now: 60_000).attempts.first)
        if case .ended(let ending) = scheduler.finished(again.id, failed, now: 60_000) {
            #expect(ending.exhaustion == .attempts && ending.retries == 1)
        } else {
            Issue.record("it is run again")
        }
    }

    /// What was not run does not count as run: an emulator that is busy or away for long is asked on.
    @Test func whatWasNotRunIsTriedOn() throws {
        var scheduler = Scheduler(limits: .init(), random: SeededRandom(seed: 1))
        #expect(scheduler.submit(0, target("a"), bytes: 1, now: 0) == nil)
        var now: Int64 = 0
        for outcome in [
            HTTPOutcome.answered(status: 400), .failed(.unreachable("refused")), .answered(status: 503), .answered(status: 400),
        ] {
            let attempt = try #require(scheduler.takeWork(now: now).attempts.first)
            if case .waiting = scheduler.finished(attempt.id, try failure(outcome), now: now) {} else { Issue.record("\(outcome)") }
            now = max(now, try #require(scheduler.takeWork(now: now).attempts.isEmpty ? scheduler.nextDeadline : now))
        }
    }
}

@Suite("Errors of functions in answers") struct FunctionErrorTests {
    @Test(
        "What runtimes and their emulator write",
        arguments: [
            (#"{"errorMessage": "no milk", "errorType": "ValueError", "requestId": "1", "stackTrace": ["  File"]}"#, "ValueError"),
            (#"{"errorType":"Error","errorMessage":"failure","trace":["Error: failure"]}"#, "Error"),
            (
                #"{"errorMessage":"RequestId: 1 Error: Runtime exited with error: exit status 1","errorType":"Runtime.ExitError"}"#,
                "Runtime.ExitError"
            ),
            ("Task timed out after 3.00 seconds", "Task timed out"),
            (#"{"errorMessage":"2026-01-02T03:04:05.678Z 8b Task timed out after 3.00 seconds"}"#, "Task timed out"),
        ])
    func errors(body: String, type: String) {
        #expect(FunctionError.type(in: Array(body.utf8)) == type)
    }

    @Test(
        "What functions that succeed answer",
        arguments: [
            "", "null", "3", #""Task timed out""#, "{}", "[]", #"{"statusCode": 500}"#, #"{"errorMessage": null, "errorType": "x"}"#,
            #"{"errorMessage": "the customer's card was refused"}"#, #"{"errorMessage": "x", "errorType": 3}"#, #"{"errorType": "x"}"#,
            #"[{"errorMessage": "x", "errorType": "y"}]"#, #"{"errorMessage": "x", "errorType": "y""#, "Task timed out after lunch",
            "\u{FF}", #""{\"errorMessage\": \"x\", \"errorType\": \"y\"}""#,
        ])
    func successes(body: String) {
        #expect(FunctionError.type(in: Array(body.utf8)) == nil)
    }
}
