import BrokerCore
import Dispatch
import Records
import Synchronization

/// What is to be written in one transaction: shards' batches, and the records of others.
struct StoreGroup {
    var batches: [ChangeBatch] = []
    var records: [RecordChange] = []
    /// How often something had been handed over when this was taken.
    var number: UInt64 = 0

    var isEmpty: Bool { batches.isEmpty && records.isEmpty }
    var changes: Int { batches.reduce(records.count) { $0 + $1.changes.count } }

    mutating func append(_ later: StoreGroup) {
        batches += later.batches
        records += later.records
        number = max(number, later.number)
    }
}

/// What was handed over and the writer has not taken.
final class StoreInbox: Sendable {
    private struct State {
        var group = StoreGroup()
        var changes = 0
        var isClosing = false
        /// Changes for which somebody waits; more than there ever are while nobody does.
        var enough = Int.max
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    func append(_ batch: ChangeBatch) {
        hand(batch.changes.count + 1) { $0.batches.append(batch) }
    }

    func append(_ records: [RecordChange]) {
        hand(records.count) { $0.records += records }
    }

    private func hand(_ changes: Int, _ add: (inout StoreGroup) -> Void) {
        let isNews = state.withLock { state in
            let before = state.changes
            add(&state.group)
            state.group.number += 1
            state.changes += changes
            return before == 0 || before < state.enough && state.changes >= state.enough
        }
        if isNews { wake.signal() }
    }

    /// How often something was handed over.
    var number: UInt64 { state.withLock { $0.group.number } }

    func close() {
        state.withLock { $0.isClosing = true }
        wake.signal()
    }

    var isClosing: Bool { state.withLock { $0.isClosing } }
    var waitingChanges: Int { state.withLock { $0.changes } }

    /// Waits for the first change; answers nothing when the store is being closed and all is taken.
    func take() -> StoreGroup? {
        while true {
            let isClosing = isClosing
            let group = takeNow()
            if !group.isEmpty { return group }
            if isClosing { return nil }
            wake.wait()
        }
    }

    func takeNow() -> StoreGroup {
        state.withLock { state in
            var group = StoreGroup(number: state.group.number)
            swap(&group, &state.group)
            state.changes = 0
            return group
        }
    }

    /// Waits for more to come with what is there, for so many milliseconds or until it is enough.
    func gather(milliseconds: Int, enough: Int) {
        let end = DispatchTime.now() + .milliseconds(milliseconds)
        while true {
            let isEnough = state.withLock { state in
                state.enough = enough
                return state.changes >= enough || state.isClosing
            }
            if isEnough || wake.wait(timeout: end) == .timedOut { break }
        }
        state.withLock { $0.enough = .max }
    }

    /// Waits, unless the store is being closed.
    func pause(milliseconds: Int) {
        let end = DispatchTime.now() + .milliseconds(milliseconds)
        while !isClosing, wake.wait(timeout: end) == .success {}
    }
}
