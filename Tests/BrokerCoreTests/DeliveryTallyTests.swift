import Testing

@testable import BrokerCore

/// What leaves in one turn counts once, by when it was accepted.
@Suite struct DeliveryTallyTests {
    private static let second: Int64 = 1_000_000_000

    private func time(_ seconds: Int64) -> AcceptTime { AcceptTime(Instant(nanoseconds: seconds * Self.second)) }
    private let now = Instant(nanoseconds: 100 * DeliveryTallyTests.second)

    @Test func whatWasAcceptedAtSeveralTimesCountsByEachOfThem() {
        var tally = DeliveryTally()
        tally.delivered(time(99), now: now)
        tally.delivered(time(99), messages: 2, now: now)
        tally.delivered(time(90), now: now)
        tally.delivered(time(99), now: now)
        #expect(tally.latency.count == 0)
        tally.endTurn(now: now)
        #expect(tally.latency.count == 5 && abs(tally.latency.sumSeconds - 14) < 0.01)
        // Once, whatever comes after it.
        tally.endTurn(now: now)
        tally.delivered(time(99), now: now)
        tally.endTurn(now: now)
        #expect(tally.latency.count == 6 && abs(tally.latency.sumSeconds - 15) < 0.01)
    }

    @Test func whatHasNoTimeCountsNowhereAndTakesNothingAlong() {
        var tally = DeliveryTally()
        tally.delivered(.unknown, messages: 3, now: now)
        tally.delivered(time(99), now: now)
        tally.delivered(.unknown, messages: 3, now: now)
        tally.endTurn(now: now)
        #expect(tally.latency.count == 1)
        tally.delivered(.unknown, messages: 3, now: now)
        tally.endTurn(now: now)
        #expect(tally.latency.count == 1)
    }

    @Test("Times that are told apart in one turn are bounded")
    func bound() {
        var tally = DeliveryTally()
        for second in 0..<66 as Range<Int64> { tally.delivered(time(second), now: now) }
        // Those so far were counted as of now, when the next one had no room.
        #expect(tally.latency.count == 65)
        tally.endTurn(now: now)
        #expect(tally.latency.count == 66)
    }

    @Test("The beginning of the clock, and where its steps come round, are times like others")
    func zero() {
        for nanoseconds in [0, 1, 1 << 48] as [Int64] {
            #expect(AcceptTime(Instant(nanoseconds: nanoseconds)).isKnown, "\(nanoseconds)")
        }
    }

    @Test("What took less than nothing took nothing")
    func negative() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: -5 * Self.second, times: 3)
        #expect(histogram.count == 3 && histogram.sumSeconds == 0)
    }

    @Test("An earlier look that saw more, as after a restart, leaves nothing")
    func restarted() {
        var (earlier, now) = (LatencyHistogram(), LatencyHistogram())
        earlier.record(nanoseconds: Self.second, times: 5)
        now.record(nanoseconds: Self.second, times: 2)
        #expect(now.since(earlier).count == 0 && now.since(earlier).sumSeconds == 0)
        now.record(nanoseconds: Self.second, times: 7)
        #expect(now.since(earlier).count == 4 && now.since(earlier).sumSeconds == 4)
    }

    @Test("Even the least part is in a bucket that has something")
    func leastQuantile() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 20_000_000, times: 2)  // 10 to 25 ms
        #expect(histogram.quantile(0) == 0.01)
    }
}
