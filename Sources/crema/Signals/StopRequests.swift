import BrokerServer
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Turns SIGTERM and SIGINT into a shutdown: the first lets everything finish, the second ends the process at once.
///
/// One that comes hard on the first is its echo: a terminal and `timeout` signal a process and its whole group, which it is one of.
/// One that comes before there is anything to shut down is kept until then.
final class StopRequests: Sendable {
    fileprivate let requests: AsyncStream<Void>
    private let request: AsyncStream<Void>.Continuation
    private let firstAt = Mutex<ContinuousClock.Instant?>(nil)
    private static let echoMax = Duration.milliseconds(250)

    init() {
        (requests, request) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func received(_ signal: Int32) {
        let isSecond = firstAt.withLock { firstAt in
            let now = ContinuousClock.now
            defer { firstAt = firstAt ?? now }
            return firstAt.map { now - $0 > Self.echoMax } ?? false
        }
        // 128 + the signal's number, as shells report it.
        if isSecond { Foundation.exit(128 + signal) }
        request.yield()
    }
}

/// Ends when a stop is asked for, and is to end its group by that.
struct StopService: Service {
    let stops: StopRequests
    let log: Logger

    func run() async throws {
        for await _ in stops.requests.cancelOnGracefulShutdown() {
            log.info(
                "stopping: no new connections, what has begun is finished; a second signal after a moment ends at once",
                metadata: .event("stopping"))
            return
        }
    }
}
