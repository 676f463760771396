import ServiceLifecycle
import Synchronization

/// Waits for listeners that open each at its own time, and tells once when all have.
///
/// None accepts before: a start that fails, because another program has an address, has served nobody.
final class OpeningListeners: Sendable {
    private struct State {
        var missing: Int
        var waiting: [AsyncStream<Never>.Continuation] = []
    }

    private let state: Mutex<State>
    private let onAllOpen: @Sendable () async -> Void

    /// - Parameters:
    ///   - count: how many there are.
    ///   - onAllOpen: called once, before ``opened()`` returns for any of them.
    init(count: Int, onAllOpen: @escaping @Sendable () async -> Void) async {
        state = Mutex(State(missing: count))
        self.onAllOpen = onAllOpen
        if count == 0 { await onAllOpen() }
    }

    /// One of them is open; returns when all are, or when the task is to end.
    func opened() async {
        let (allOpen, continuation) = AsyncStream<Never>.makeStream()
        let isLast = state.withLock { state in
            state.missing -= 1
            state.waiting.append(continuation)
            return state.missing == 0
        }
        if isLast {
            await onAllOpen()
            for waiting in state.withLock({ $0.waiting }) { waiting.finish() }
        }
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in allOpen {}
        } onCancelOrGracefulShutdown: {
            continuation.finish()
        }
    }
}
