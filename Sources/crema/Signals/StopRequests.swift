import BrokerServer
import Foundation
import Logging
import ServiceLifecycle

/// Turns SIGTERM and SIGINT into a shutdown: the first lets everything finish, the second ends the process at once.
///
/// One that comes before there is anything to shut down is kept until then.
final class StopRequests: Sendable {
    fileprivate let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation
    private let signals = StopSignals()

    init() {
        (requests, request) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func received(_ signal: Int32) {
        // 128 + the signal's number, as shells report it.
        if signals.received() == .second { Foundation.exit(128 + signal) }
        request.yield()
    }
}

/// Ends when a stop is asked for, and is to end its group by that.
struct StopService: Service {
    let stops: StopRequests
    let deadline: ShutdownDeadline
    let log: Logger

    func run() async throws {
        for await _ in stops.requests.cancelOnGracefulShutdown() {
            log.info(
                "stopping: no new connections, what has begun is finished; a second signal after a moment ends at once",
                metadata: .event("stopping"))
            deadline.begin()
            return
        }
    }
}
