/// How long something took each time, counted by how long: a histogram as Prometheus has them.
///
/// The bounds are the same everywhere, so that the parts of several shards add up.
package struct LatencyHistogram: Sendable, Equatable {
    /// The upper bounds of the buckets, in microseconds; beyond the last of them is one more bucket.
    package static let boundsMicroseconds: [Int64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
        30_000_000,
    ]

    /// One for each bound, and one for what took longer; not cumulative.
    package private(set) var counts = [UInt64](repeating: 0, count: LatencyHistogram.boundsMicroseconds.count + 1)
    package private(set) var sumSeconds = 0.0

    package init() {}

    /// How often it was measured.
    package var count: UInt64 { counts.reduce(0, &+) }

    /// Counts `times` of the same length; a negative one counts as none.
    package mutating func record(nanoseconds: Int64, times: UInt64 = 1) {
        let length = max(0, nanoseconds)
        let bucket = Self.boundsMicroseconds.firstIndex { length <= $0 * 1_000 } ?? Self.boundsMicroseconds.count
        counts[bucket] &+= times
        sumSeconds += Double(length) / 1_000_000_000 * Double(times)
    }

    package mutating func add(_ other: LatencyHistogram) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sumSeconds += other.sumSeconds
    }

    /// What came since an earlier look at the same histogram.
    package func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        var result = self
        for index in counts.indices { result.counts[index] &-= min(earlier.counts[index], counts[index]) }
        result.sumSeconds = max(0, sumSeconds - earlier.sumSeconds)
        return result
    }

    /// The length in seconds that a part of all, 0.99 for instance, did not exceed, as far as the buckets tell; `nil` while there is none.
    ///
    /// Inside a bucket all lengths are taken as equally likely, as Prometheus' `histogram_quantile` does; beyond the last bound it is
    /// that bound.
    package func quantile(_ part: Double) -> Double? {
        let all = count
        guard all > 0 else { return nil }
        let rank = part * Double(all)
        var below: UInt64 = 0
        for (index, bound) in Self.boundsMicroseconds.enumerated() {
            let inside = counts[index]
            if Double(below &+ inside) >= rank, inside > 0 {
                let start = index == 0 ? 0 : Double(Self.boundsMicroseconds[index - 1])
                return (start + (Double(bound) - start) * (rank - Double(below)) / Double(inside)) / 1_000_000
            }
            below &+= inside
        }
        return Double(Self.boundsMicroseconds[Self.boundsMicroseconds.count - 1]) / 1_000_000
    }
}
