/// A point on a clock that only goes forward.
///
/// The core is told the time with every event and never asks for it.
package struct Instant: Comparable, Hashable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// Later by `seconds`, at most ``distantFuture``: limits from the configuration may be any number.
    package func advanced(bySeconds seconds: Double) -> Instant {
        guard let step = Int64(exactly: (seconds * 1_000_000_000).rounded()) else { return .distantFuture }
        let (sum, overflow) = nanoseconds.addingReportingOverflow(step)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    package static let distantFuture = Instant(nanoseconds: .max)

    /// Whole seconds since `earlier`, never negative.
    package func seconds(since earlier: Instant) -> Int {
        max(0, Int((nanoseconds &- earlier.nanoseconds) / 1_000_000_000))
    }
}
