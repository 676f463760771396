package import Logging
import Synchronization

/// The least level that is logged now: what the configuration says, or for a while what an operator asked for.
///
/// Every logger looks here at each line, so a change holds at once and everywhere. Safe from any thread.
package final class LogLevels: Sendable {
    private struct State {
        var configured: Logger.Level
        /// Tells the change in force from earlier ones, whose time is not up for it.
        var change: UInt64 = 0
        var reverts: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
    }

    private let state: Mutex<State>
    private let inForce: Atomic<Int>

    package init(_ configured: Logger.Level) {
        state = Mutex(State(configured: configured))
        inForce = Atomic(Self.index(configured))
    }

    private static func index(_ level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }

    package var current: Logger.Level { Logger.Level.allCases[inForce.load(ordering: .relaxed)] }

    package var configured: Logger.Level { state.withLock { $0.configured } }

    /// Until the configured level holds again; `nil` while it does.
    package var timeLeft: Duration? { state.withLock { $0.reverts.map { max(.zero, $0.at - .now) } } }

    /// Logs from this level on, until the time is over; then again what the configuration says.
    package func set(_ level: Logger.Level, for time: Duration) {
        let end = ContinuousClock.now + time
        state.withLock { state in
            state.reverts?.task.cancel()
            state.change += 1
            let change = state.change
            inForce.store(Self.index(level), ordering: .relaxed)
            let task = Task {
                guard (try? await Task.sleep(until: end, clock: .continuous)) != nil else { return }
                self.revert(change)
            }
            state.reverts = (end, task)
        }
    }

    /// Takes another level from the configuration; what an operator asked for stays until its time is over.
    package func configure(_ level: Logger.Level) {
        state.withLock { state in
            state.configured = level
            if state.reverts == nil { inForce.store(Self.index(level), ordering: .relaxed) }
        }
    }

    private func revert(_ change: UInt64) {
        state.withLock { state in
            guard state.change == change else { return }
            state.reverts = nil
            inForce.store(Self.index(state.configured), ordering: .relaxed)
        }
    }
}
