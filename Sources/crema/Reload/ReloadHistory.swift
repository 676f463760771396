import AdminServer
import EventBus
import Synchronization

/// How the reloads of this process went, for operators.
final class ReloadHistory: Sendable {
    private let current: Mutex<ReloadFigures>

    /// The start counts as a success.
    init() {
        var figures = ReloadFigures()
        figures.lastSuccessSeconds = Self.now
        current = Mutex(figures)
    }

    var figures: ReloadFigures { current.withLock { $0 } }

    func succeeded() {
        let now = Self.now
        current.withLock { figures in
            figures.succeeded += 1
            (figures.lastSucceeded, figures.lastSuccessSeconds) = (true, now)
        }
    }

    func failed() {
        current.withLock { figures in
            figures.failed += 1
            figures.lastSucceeded = false
        }
    }

    private static var now: Double { Double(EventSource.system.nowMilliseconds()) / 1_000 }
}
