import Testing

@testable import LoadGenerator

@Suite struct SpreadTests {
    @Test func medianOfAnOddNumberIsTheMiddleAndOfAnEvenNumberTheMean() throws {
        let odd = try #require(Spread([9, 1, 5]))
        #expect((odd.minimum, odd.median, odd.maximum) == (1, 5, 9))
        #expect(Spread([4, 1, 3, 2])?.median == 2.5)
        #expect(Spread([]) == nil)
    }

    @Test func ratiosAreTakenPairByPair() throws {
        // Medians alone would say 20 / 20; the pairs say 2, 1 and 0.5.
        let ratio = try #require(Spread(ratiosOf: [20, 40, 10], to: [10, 40, 20]))
        #expect((ratio.minimum, ratio.median, ratio.maximum) == (0.5, 1, 2))
    }

    @Test func pairWithoutADenominatorIsLeftOut() {
        #expect(Spread(ratiosOf: [1, 6], to: [0, 2]) == Spread([3]))
        #expect(Spread(ratiosOf: [1], to: [0]) == nil)
    }
}

@Suite struct LatencyRecorderTests {
    @Test func percentilesAreWithinAThousandth() throws {
        var recorder = LatencyRecorder()
        recorder.reset(recordsAll: true)
        for microseconds in 1...1_000 as ClosedRange<UInt64> { recorder.record(nanoseconds: microseconds * 1_000) }
        let summary = try #require(recorder.summary)
        #expect(summary.samples == 1_000)
        for (found, expected) in [(summary.p50, 500.0), (summary.p90, 900), (summary.p99, 990), (summary.p999, 999), (summary.max, 1_000)] {
            #expect(abs(found - expected) <= expected / 500)
        }
    }

    @Test func closedLoopRecordsOneInSixteen() {
        var recorder = LatencyRecorder()
        recorder.reset(recordsAll: false)
        for sequence in 0..<160 as Range<UInt64> { recorder.record(sequence: sequence, intendedAt: 0, now: 5) }
        #expect(recorder.summary?.samples == 10)
    }

    @Test func resetForgetsAndMergeAdds() {
        var first = LatencyRecorder()
        var second = LatencyRecorder()
        first.record(nanoseconds: 1)
        first.reset(recordsAll: true)
        #expect(first.summary == nil)
        first.record(nanoseconds: 10)
        second.record(nanoseconds: 20)
        first.merge(second)
        #expect(first.summary?.samples == 2)
    }

    @Test func timesBeforeTheIntendedOneAndBeyondAnHourAreClamped() throws {
        var recorder = LatencyRecorder()
        recorder.reset(recordsAll: true)
        recorder.record(sequence: 0, intendedAt: 9, now: 5)
        recorder.record(nanoseconds: .max)
        let summary = try #require(recorder.summary)
        #expect(summary.samples == 2)
        #expect(abs(summary.max - 3.6e9) < 3.6e9 / 500)
    }
}

@Suite struct ProcessUsageTests {
    @Test func commandWithSpacesAndParenthesesDoesNotShiftTheFields() throws {
        let stat = "42 (my) (odd broker) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 2 0 100 1000 200 18446744073709551615"
        let usage = try #require(ProcessUsage(stat: stat, statm: "1000 200 30 1 0 50 0\n", ticksPerSecond: 100, pageBytes: 4_096))
        #expect(usage.cpuSeconds == 3)
        #expect(usage.residentBytes == 819_200)
    }

    @Test("What does not look like the files is refused", arguments: [("", "1 2"), ("1 (a) S 1 2", "1 2"), ("1 a S", "1 2")])
    func refused(stat: String, statm: String) {
        #expect(ProcessUsage(stat: stat, statm: statm, ticksPerSecond: 100, pageBytes: 4_096) == nil)
    }

    @Test func ownUsageIsThereAndAProcessThatCannotBeIsNot() throws {
        #expect(try #require(ProcessUsage.own()).residentBytes > 0)
        #expect(ProcessUsage(of: -1) == nil)
    }
}

@Suite struct OpenLoopScheduleTests {
    @Test func publishersTakeTurnsAtTheRateOfTheWholeRun() {
        let schedule = OpenLoopSchedule(start: 1_000_000, rate: 1_000, publishers: 2)
        let times = [(0, 0), (1, 0), (0, 1), (1, 1)].map { schedule.intendedAt(publisher: $0.0, message: $0.1) }
        #expect(times == [1_000_000, 2_000_000, 3_000_000, 4_000_000])
    }
}

@Suite struct RunFiguresTests {
    @Test func ratesDivideByTheirOwnSeconds() {
        var figures = RunFigures(broker: BrokerAddress(host: "h", port: 1), threads: 1)
        figures.completed = 1_000
        figures.seconds = 4
        figures.setUsage(
            broker: (ProcessUsage(cpuSeconds: 1, residentBytes: 10), ProcessUsage(cpuSeconds: 1.5, residentBytes: 20)),
            own: (ProcessUsage(cpuSeconds: 0, residentBytes: 1), ProcessUsage(cpuSeconds: 2, residentBytes: 1)))
        #expect(figures.perSecond == 250)
        #expect(figures.perBrokerCPUSecond == 2_000)
        #expect(figures.perGeneratorCPUSecond == 500)
        #expect(figures.brokerResidentBytesAfter == 20)
    }

    @Test func generatorThatUsedUpItsThreadsIsTheBottleneck() {
        var figures = RunFigures(broker: BrokerAddress(host: "h", port: 1), threads: 2)
        (figures.seconds, figures.generatorCPUSeconds) = (1, 1.9)
        #expect(figures.isGeneratorBottleneck)
        figures.threads = 4
        #expect(!figures.isGeneratorBottleneck)
        (figures.seconds, figures.generatorCPUSeconds) = (0.01, 0.1)
        #expect(figures.generatorShare == nil)
    }

    @Test func brokerWithoutMeasurableTimeHasNoRate() {
        var figures = RunFigures(broker: BrokerAddress(host: "h", port: 1), threads: 1)
        figures.completed = 5
        #expect(figures.perBrokerCPUSecond == nil)
        figures.brokerCPUSeconds = 0
        #expect(figures.perBrokerCPUSecond == nil)
        #expect(figures.perSecond == 0)
    }
}
