import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Turns SIGTERM and SIGINT into a shutdown: the first lets everything finish, the second ends the process at once.
final class StopRequests: Sendable {
    private let isStopping = Mutex(false)
    private let group: ServiceGroup
    private let log: Logger

    init(group: ServiceGroup, log: Logger) {
        self.group = group
        self.log = log
    }

    func received(_ signal: Int32) {
        let isSecond = isStopping.withLock { isStopping in
            defer { isStopping = true }
            return isStopping
        }
        // 128 + the signal's number, as shells report it.
        if isSecond { Foundation.exit(128 + signal) }
        log.info("stopping: no new connections, what has begun is finished; a second signal ends at once")
        let group = group
        Task { await group.triggerGracefulShutdown() }
    }
}
