import Histogram

/// Collects latencies of one event loop in an HDR histogram of three significant digits, in nanoseconds.
package struct LatencyRecorder: Sendable {
    /// One hour; what takes longer is counted as that long.
    package static let latencyMax: UInt64 = 3_600_000_000_000

    private var histogram = Histogram<UInt64>(highestTrackableValue: Self.latencyMax, numberOfSignificantValueDigits: .three)
    /// Records the sequence numbers that have none of these bits: a closed loop records one in 16, because a clock does not tell
    /// the members of a batch apart and recording each would cost as much as receiving it.
    private var skippedBits: UInt64 = 0

    package init() {}

    /// Forgets everything, and records all from now on or one message in 16.
    package mutating func reset(recordsAll: Bool) {
        histogram.reset()
        skippedBits = recordsAll ? 0 : 15
    }

    @inline(__always)
    package mutating func record(sequence: UInt64, intendedAt: UInt64, now: UInt64) {
        guard sequence & skippedBits == 0 else { return }
        record(nanoseconds: now > intendedAt ? now - intendedAt : 0)
    }

    package mutating func record(nanoseconds: UInt64) {
        _ = histogram.record(min(nanoseconds, Self.latencyMax))
    }

    package mutating func merge(_ other: LatencyRecorder) { histogram.add(other.histogram) }

    /// `nil` when nothing was recorded.
    package var summary: LatencySummary? {
        guard histogram.totalCount > 0 else { return nil }
        func microseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1_000 }
        return LatencySummary(
            samples: histogram.totalCount, p50: microseconds(50), p90: microseconds(90), p99: microseconds(99),
            p999: microseconds(99.9), max: Double(histogram.max) / 1_000)
    }
}

/// Percentiles of latency, in microseconds.
package struct LatencySummary: Codable, Equatable, Sendable {
    package var samples: UInt64
    package var p50: Double
    package var p90: Double
    package var p99: Double
    package var p999: Double
    package var max: Double
}
