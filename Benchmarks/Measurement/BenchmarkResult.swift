import Foundation

/// CPU time per operation over several rounds, in nanoseconds.
package struct BenchmarkResult: Encodable {
    package var name: String
    package var bytes: Int?
    package var rounds: Int
    package var operationsPerRound: Int
    package var nanosecondsMin: Double
    package var nanosecondsMedian: Double
    package var nanosecondsMax: Double
    /// From the median.
    package var operationsPerCPUSecond: Double

    /// Runs `test` until a round takes `roundSeconds` of CPU time, then `rounds` such rounds.
    package init(measuring test: BenchmarkCase, rounds: Int = 9, roundSeconds: Double = 0.05) {
        var calls = 1
        while true {
            let seconds = Self.cpuSeconds(calls: calls, of: test)
            if seconds >= roundSeconds / 4 {
                calls = max(1, Int(Double(calls) * roundSeconds / seconds))
                break
            }
            calls *= 2
        }
        let operations = calls * test.operations
        let times = (0..<rounds).map { _ in Self.cpuSeconds(calls: calls, of: test) * 1e9 / Double(operations) }.sorted()
        name = test.name
        bytes = test.bytes
        self.rounds = rounds
        operationsPerRound = operations
        nanosecondsMin = times[0]
        nanosecondsMedian = times[times.count / 2]
        nanosecondsMax = times[times.count - 1]
        operationsPerCPUSecond = 1e9 / nanosecondsMedian
    }

    private static func cpuSeconds(calls: Int, of test: BenchmarkCase) -> Double {
        let start = processNanoseconds()
        var kept = 0
        for _ in 0..<calls { kept &+= test.run() }
        let end = processNanoseconds()
        withExtendedLifetime(kept) {}
        return Double(end - start) / 1e9
    }

    private static func processNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
