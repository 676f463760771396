/// How often something may happen: so many in a second, and a burst of them at once.
struct Rate {
    /// Nanoseconds in which one token comes back.
    let interval: Int64
    /// Nanoseconds that a bucket may lack of being full and still give a token.
    let tolerance: Int64

    /// What an empty bucket lacks.
    var lackMax: Int64 {
        let (sum, overflow) = tolerance.addingReportingOverflow(interval)
        return overflow ? .max : sum
    }

    init(perSecond: Int, burst: Int) {
        interval = 1_000_000_000 / Int64(max(1, perSecond))
        let (product, overflow) = interval.multipliedReportingOverflow(by: Int64(max(1, burst)) - 1)
        tolerance = overflow ? .max : product
    }
}

/// A token bucket, kept as the time at which it is full again: one number, exact, and nothing to do while time passes.
struct TokenBucket {
    private var fullAt: Instant

    init(fullAt: Instant) { self.fullAt = fullAt }

    /// Whether there is a token.
    ///
    /// A bucket that lacks more than all it holds now was emptied under another rate: it counts as empty, and nobody waits for what was
    /// allowed once.
    mutating func hasToken(_ rate: Rate, at now: Instant) -> Bool {
        let (emptyUntil, overflow) = now.nanoseconds.addingReportingOverflow(rate.lackMax)
        if !overflow { fullAt = min(fullAt, Instant(nanoseconds: emptyUntil)) }
        return max(fullAt, now).nanoseconds - now.nanoseconds <= rate.tolerance
    }

    /// Takes a token; answers false when there is none.
    mutating func take(_ rate: Rate, at now: Instant) -> Bool {
        guard hasToken(rate, at: now) else { return false }
        let start = max(fullAt, now)
        let (full, overflow) = start.nanoseconds.addingReportingOverflow(rate.interval)
        fullAt = overflow ? .distantFuture : Instant(nanoseconds: full)
        return true
    }
}
