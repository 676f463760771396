/// A point on a clock that only goes forward. The core is told the time with every event and never asks for it.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    package func advanced(bySeconds seconds: Double) -> Instant {
        Instant(nanoseconds: nanoseconds &+ Int64(seconds * 1_000_000_000))
    }

    /// Whole seconds since `earlier`, never negative.
    package func seconds(since earlier: Instant) -> Int {
        max(0, Int((nanoseconds &- earlier.nanoseconds) / 1_000_000_000))
    }
}
