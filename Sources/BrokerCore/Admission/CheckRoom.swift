import Synchronization

/// Room for proofs that wait to be checked, or are being checked: one for all shards, because the threads are.
///
/// Beyond it a client is refused at once, and tries again, instead of waiting behind others until its time for CONNECT is over.
package final class CheckRoom: Sendable {
    private let waitingMax: Atomic<Int>
    private let waiting = Atomic<Int>(0)
    private let answered = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    private let abandoned = Atomic<UInt64>(0)

    init(limits: BrokerLimits) { waitingMax = Atomic(limits.passwordChecksWaitingMax) }

    /// Takes another limit: those that wait stay.
    func take(_ limits: BrokerLimits) { waitingMax.store(limits.passwordChecksWaitingMax, ordering: .relaxed) }

    /// Whether one more may wait; counts it as refused if not.
    func take() -> Bool {
        if waiting.wrappingAdd(1, ordering: .relaxed).newValue <= waitingMax.load(ordering: .relaxed) { return true }
        waiting.wrappingSubtract(1, ordering: .relaxed)
        refused.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    /// One is answered, or nobody waits for its answer any more.
    func give(isAbandoned: Bool) {
        waiting.wrappingSubtract(1, ordering: .relaxed)
        if isAbandoned { abandoned.wrappingAdd(1, ordering: .relaxed) } else { answered.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Adds what was counted here, once for all shards.
    package func count(into statistics: inout BrokerStatistics) {
        statistics.passwordChecksWaiting = waiting.load(ordering: .relaxed)
        statistics.passwordChecks = [
            "answered": answered.load(ordering: .relaxed), "abandoned": abandoned.load(ordering: .relaxed),
            "refused": refused.load(ordering: .relaxed),
        ]
    }
}
