import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// Whether a listener that is bound accepts connections yet.
final class AcceptStart: Sendable {
    private let begun = Atomic(false)

    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    /// From here on it accepts, when it reads next: what it was to read before was held back.
    func begin() { begun.store(true, ordering: .releasing) }
}

/// Connections up to a number, and none before the start.
///
/// Hummingbird binds and accepts in one step, and asks this before each read of the socket that accepts. Lives on that socket's event loop.
struct HeldConnections: AvailableConnectionsDelegate {
    /// Seconds between two lines of the log that say that there is no room.
    private static let logSecondsMin: Int64 = 10

    private let start: AcceptStart
    private let connectionsMax: Int
    private let count: ConnectionCount
    /// Takes the lines, with the listener's name in its metadata.
    private let log: Logger
    private var open = 0
    private var quietUntil: NIODeadline?

    init(until start: AcceptStart, connectionsMax: Int, count: ConnectionCount, log: Logger) {
        (self.start, self.connectionsMax, self.count, self.log) = (start, connectionsMax, count, log)
    }

    mutating func connectionOpened() {
        open += 1
        guard open == connectionsMax else { return }
        count.becameFull()
        let now = NIODeadline.now()
        if let quietUntil, now < quietUntil { return }
        quietUntil = now + .seconds(Self.logSecondsMin)
        log.warning(
            "the listener has as many connections as it may: further ones wait until one ends",
            metadata: ["connections": "\(connectionsMax)", "timesFull": "\(count.timesFull)"])
    }

    mutating func connectionClosed() { open -= 1 }
    func isAcceptingNewConnections() -> Bool { start.hasBegun && open < connectionsMax }
}
