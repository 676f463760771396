import BrokerCore
import Dispatch
import Synchronization

/// What shards have handed over and the writer has not taken.
final class StoreInbox: Sendable {
    private struct State {
        var batches: [ChangeBatch] = []
        var changes = 0
        var isClosing = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    func append(_ batch: ChangeBatch, enough: Int) {
        let isNews = state.withLock { state in
            let before = state.changes
            state.batches.append(batch)
            state.changes += batch.changes.count + 1
            return before == 0 || before < enough && state.changes >= enough
        }
        if isNews { wake.signal() }
    }

    func close() {
        state.withLock { $0.isClosing = true }
        wake.signal()
    }

    var isClosing: Bool { state.withLock { $0.isClosing } }
    var waitingChanges: Int { state.withLock { $0.changes } }

    /// Waits for the first batch; answers nothing when the store is being closed and all is taken.
    func take() -> [ChangeBatch]? {
        while true {
            let isClosing = isClosing
            let batches = takeNow()
            if !batches.isEmpty { return batches }
            if isClosing { return nil }
            wake.wait()
        }
    }

    func takeNow() -> [ChangeBatch] {
        state.withLock { state in
            var batches: [ChangeBatch] = []
            swap(&batches, &state.batches)
            state.changes = 0
            return batches
        }
    }

    /// Waits for more to come with what is there, for so many milliseconds or until it is enough.
    func gather(milliseconds: Int, enough: Int) {
        let end = DispatchTime.now() + .milliseconds(milliseconds)
        while true {
            let isEnough = state.withLock { $0.changes >= enough || $0.isClosing }
            if isEnough || wake.wait(timeout: end) == .timedOut { return }
        }
    }

    /// Waits, unless the store is being closed.
    func pause(milliseconds: Int) {
        let end = DispatchTime.now() + .milliseconds(milliseconds)
        while !isClosing, wake.wait(timeout: end) == .success {}
    }
}
