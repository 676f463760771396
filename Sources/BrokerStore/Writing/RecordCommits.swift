import Synchronization

/// Who waits for something to be on disk, other than shards.
final class RecordCommits: Sendable {
    private struct State {
        var committed: UInt64 = 0
        var isOver = false
        var waiting: [(number: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let state = Mutex(State())
    private let failing = Atomic<Bool>(false)

    /// Whether nothing is written any more.
    var isOver: Bool { state.withLock { $0.isOver } }

    var isFailing: Bool { failing.load(ordering: .relaxed) }

    /// Waits until as much as this was committed; answers false when the disk takes nothing.
    func reached(_ number: UInt64) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.committed >= number { return true }
                if state.isOver || isFailing { return false }
                state.waiting.append((number, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func commit(upTo number: UInt64) {
        let reached = state.withLock { state in
            state.committed = max(state.committed, number)
            let reached = state.waiting.filter { $0.number <= number }
            if !reached.isEmpty { state.waiting.removeAll { $0.number <= number } }
            return reached
        }
        for waiter in reached { waiter.continuation.resume(returning: true) }
    }

    /// Those who wait are told now; what they wait for may be written later.
    func fail() { refuse { _ in failing.store(true, ordering: .relaxed) } }

    func recover() { failing.store(false, ordering: .relaxed) }

    /// Nothing is written any more.
    func end() { refuse { $0.isOver = true } }

    private func refuse(_ note: (inout State) -> Void) {
        let refused = state.withLock { state in
            note(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in refused { waiter.continuation.resume(returning: false) }
    }
}
