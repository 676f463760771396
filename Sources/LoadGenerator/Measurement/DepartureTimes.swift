/// When the messages of one publisher left (or should have), until each is acknowledged.
package struct DepartureTimes: Sendable {
    /// Nanoseconds of the monotonic clock, by sequence number modulo the capacity, a power of two that grows with what waits.
    private var times: [UInt64] = []
    /// Messages whose wait is over.
    private var settled: UInt64 = 0
    /// Messages that were noted.
    private var noted: UInt64 = 0

    package init() {}

    /// Notes that the next `count` messages left from the time `at` on, `interval` nanoseconds one after the other.
    package mutating func note(_ count: Int, at: UInt64, interval: Double) {
        reserve(Int(noted - settled) + count)
        for index in 0..<count {
            times[slot(noted)] = interval == 0 ? at : at + UInt64(Double(index) * interval)
            noted += 1
        }
    }

    /// Records the waits of all messages before `count` that are not settled yet.
    package mutating func settle(upTo count: UInt64, now: UInt64, into latencies: inout LatencyRecorder) {
        while settled < min(count, noted) {
            latencies.record(sequence: settled, intendedAt: times[slot(settled)], now: now)
            settled += 1
        }
    }

    private mutating func reserve(_ count: Int) {
        guard count > times.count else { return }
        var capacity = max(64, times.count)
        while capacity < count { capacity *= 2 }
        var larger = [UInt64](repeating: 0, count: capacity)
        for sequence in settled..<noted { larger[Int(sequence) & (capacity - 1)] = times[slot(sequence)] }
        times = larger
    }

    private func slot(_ sequence: UInt64) -> Int { Int(truncatingIfNeeded: sequence) & (times.count - 1) }
}
