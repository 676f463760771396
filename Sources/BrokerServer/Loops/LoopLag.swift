import NIOCore

/// How late the tasks of one event loop run: what everything that the loop serves waits for.
///
/// A task that is due every ``pause`` looks at how late it is.
struct LoopLag {
    static let pause = TimeAmount.milliseconds(500)
    /// Measurements of which the worst is told: those of the last ten seconds.
    private static let measurementsKept = 20

    private var recent: [Int64] = []
    private var next = 0

    mutating func ran(late: TimeAmount) {
        let nanoseconds = max(0, late.nanoseconds)
        if recent.count < Self.measurementsKept { recent.append(nanoseconds) } else { recent[next] = nanoseconds }
        next = (next + 1) % Self.measurementsKept
    }

    var worstSeconds: Double { Double(recent.max() ?? 0) / 1_000_000_000 }
}
