/// Watches the event loops of a run from outside, and ends a wait when nothing moves any more.
struct RunWatch: Sendable {
    enum Ending {
        case reached
        case stalled
    }

    /// How often progress is told, in nanoseconds.
    private static let progressInterval: UInt64 = 200_000_000

    private let counters: [LoopCounters]
    private let timeoutSeconds: Double
    private let progress: @Sendable (RunProgress) -> Void

    init(counters: [LoopCounters], timeoutSeconds: Double, progress: @escaping @Sendable (RunProgress) -> Void) {
        self.counters = counters
        self.timeoutSeconds = timeoutSeconds
        self.progress = progress
    }

    var published: UInt64 { counters.reduce(0) { $0 + $1.published } }
    var delivered: UInt64 { counters.reduce(0) { $0 + $1.delivered } }
    var acknowledged: UInt64 { counters.reduce(0) { $0 + $1.acknowledged } }
    var pingsAnswered: UInt64 { counters.reduce(0) { $0 + $1.pingsAnswered } }
    var failed: UInt64 { counters.reduce(0) { $0 + $1.failed } }
    /// Why an attempt to connect failed, the first of them.
    var failedAttempt: LoadError? { counters.lazy.compactMap(\.failedAttempt).first }
    var lastProgress: UInt64 { counters.reduce(0) { max($0, $1.lastProgress) } }

    /// Waits until `isReached`, or until nothing was sent or received for the timeout and `patience` (seconds).
    ///
    /// Throws what ended a connection.
    func wait(
        stage: RunProgress.Stage, every interval: UInt64, patience: Double = 0, until isReached: @Sendable () -> Bool
    ) async throws -> Ending {
        let allowance = UInt64((timeoutSeconds + patience) * 1e9)
        var seen = published &+ delivered &+ acknowledged
        var seenAt = monotonicNanoseconds()
        var toldAt = seenAt
        while !isReached() {
            for counters in counters {
                if let failure = counters.failure { throw failure }
            }
            try await Task.sleep(nanoseconds: interval)
            let now = monotonicNanoseconds()
            let sum = published &+ delivered &+ acknowledged
            if sum != seen { (seen, seenAt) = (sum, now) }
            if now - seenAt > allowance { return .stalled }
            if now - toldAt >= Self.progressInterval {
                toldAt = now
                progress(RunProgress(stage: stage, completed: delivered))
            }
        }
        return .reached
    }
}
