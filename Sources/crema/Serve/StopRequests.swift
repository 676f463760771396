import Foundation
import Synchronization

/// Turns SIGTERM and SIGINT into a shutdown: the first lets everything finish, the second ends the process at once.
///
/// One that comes before there is anything to shut down is kept until then.
final class StopRequests: Sendable {
    private struct State {
        var isStopping = false
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    func received(_ signal: Int32) {
        let (isSecond, stop) = state.withLock { state in
            defer { state.isStopping = true }
            return (state.isStopping, state.stop)
        }
        // 128 + the signal's number, as shells report it.
        if isSecond { Foundation.exit(128 + signal) }
        stop?()
    }

    /// What a shutdown is, from now on; begun at once if somebody has asked for it already.
    func answer(by stop: @escaping @Sendable () -> Void) {
        let isStopping = state.withLock { state in
            state.stop = stop
            return state.isStopping
        }
        if isStopping { stop() }
    }
}
