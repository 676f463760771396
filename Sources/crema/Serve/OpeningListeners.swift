import Synchronization

/// Waits for listeners that open each at its own time, and tells once when all have.
final class OpeningListeners: Sendable {
    private let waiting: Mutex<Int>
    private let onAllOpen: @Sendable () -> Void

    init(count: Int, onAllOpen: @escaping @Sendable () -> Void) {
        waiting = Mutex(count)
        self.onAllOpen = onAllOpen
        if count == 0 { onAllOpen() }
    }

    func opened() {
        let isLast = waiting.withLock { waiting in
            waiting -= 1
            return waiting == 0
        }
        if isLast { onAllOpen() }
    }
}
