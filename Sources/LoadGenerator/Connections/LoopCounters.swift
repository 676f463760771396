import Synchronization

/// What one event loop has done so far, for the run that watches it.
///
/// Written by the loop once per turn, read from anywhere.
package final class LoopCounters: Sendable {
    private let publishedCount = Atomic<UInt64>(0)
    private let deliveredCount = Atomic<UInt64>(0)
    private let acknowledgedCount = Atomic<UInt64>(0)
    private let pingsAnsweredCount = Atomic<UInt64>(0)
    private let progressTime = Atomic<UInt64>(0)
    private let failedCount = Atomic<UInt64>(0)
    private let failureSeen = Mutex<LoadError?>(nil)
    private let attemptSeen = Mutex<LoadError?>(nil)

    package init() {}

    package var published: UInt64 { publishedCount.load(ordering: .relaxed) }
    package var delivered: UInt64 { deliveredCount.load(ordering: .relaxed) }
    package var acknowledged: UInt64 { acknowledgedCount.load(ordering: .relaxed) }
    package var pingsAnswered: UInt64 { pingsAnsweredCount.load(ordering: .relaxed) }
    /// When something last arrived, in nanoseconds of the monotonic clock.
    package var lastProgress: UInt64 { progressTime.load(ordering: .relaxed) }
    /// Attempts to connect that failed and are tried again.
    package var failed: UInt64 { failedCount.load(ordering: .relaxed) }
    /// Why the first of them failed.
    package var failedAttempt: LoadError? { attemptSeen.withLock { $0 } }
    /// The first thing that ended a connection too early.
    package var failure: LoadError? { failureSeen.withLock { $0 } }

    package func addPublished(_ count: UInt64) { publishedCount.wrappingAdd(count, ordering: .relaxed) }

    package func addReceived(delivered: UInt64, acknowledged: UInt64, pings: UInt64, now: UInt64) {
        deliveredCount.wrappingAdd(delivered, ordering: .relaxed)
        acknowledgedCount.wrappingAdd(acknowledged, ordering: .relaxed)
        pingsAnsweredCount.wrappingAdd(pings, ordering: .relaxed)
        progressTime.store(now, ordering: .relaxed)
    }

    package func addFailed(_ error: LoadError) {
        failedCount.wrappingAdd(1, ordering: .relaxed)
        attemptSeen.withLock { $0 = $0 ?? error }
    }

    package func fail(_ error: LoadError) {
        failureSeen.withLock { $0 = $0 ?? error }
    }
}
