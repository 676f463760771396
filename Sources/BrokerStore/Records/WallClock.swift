import BrokerCore

/// Between the broker's clock, which begins anew with each start of the machine, and one that goes on.
struct WallClock {
    private let instant: Int64
    private let milliseconds: Int64

    /// At this instant it is this time.
    init(_ instant: Instant, isMilliseconds milliseconds: Int64) {
        self.instant = instant.nanoseconds
        self.milliseconds = milliseconds
    }

    /// Milliseconds since 1970.
    func milliseconds(at time: Instant) -> Int64 {
        if time == .distantFuture { return .max }
        let (distance, overflow) = time.nanoseconds.subtractingReportingOverflow(instant)
        if overflow { return .max }
        let (sum, isTooMuch) = milliseconds.addingReportingOverflow(distance / 1_000_000)
        return isTooMuch ? .max : sum
    }

    func instant(at time: Int64) -> Instant {
        if time == .max { return .distantFuture }
        let (distance, overflow) = time.subtractingReportingOverflow(milliseconds)
        if overflow { return .distantFuture }
        let (step, isTooMuch) = distance.multipliedReportingOverflow(by: 1_000_000)
        if isTooMuch { return distance < 0 ? Instant(nanoseconds: .min / 2) : .distantFuture }
        let (sum, isBeyond) = instant.addingReportingOverflow(step)
        return isBeyond ? .distantFuture : Instant(nanoseconds: sum)
    }
}
