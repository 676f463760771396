import Synchronization

/// Tells a second signal to stop, which is to end at once, from the first one and from its echo.
///
/// One that comes hard on the first is its echo: a terminal and `timeout` signal a process and its whole group, which it is one of.
final class StopSignals: Sendable {
    enum Arrival: Equatable {
        case first, echo, second
    }

    private static let echoMax = Duration.milliseconds(250)
    private let firstAt = Mutex<ContinuousClock.Instant?>(nil)

    /// A signal has come, at this time.
    func received(at now: ContinuousClock.Instant = .now) -> Arrival {
        firstAt.withLock { firstAt in
            guard let first = firstAt else {
                firstAt = now
                return .first
            }
            return now - first > Self.echoMax ? .second : .echo
        }
    }
}
