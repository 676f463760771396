import HummingbirdCore
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
/// Hummingbird binds and accepts in one step, and asks this before each read of the socket that accepts.
struct HeldConnections: AvailableConnectionsDelegate {
    private let start: AcceptStart
    private var connections: MaximumAvailableConnections

    init(until start: AcceptStart, connections: MaximumAvailableConnections) {
        self.start = start
        self.connections = connections
    }

    mutating func connectionOpened() { connections.connectionOpened() }
    mutating func connectionClosed() { connections.connectionClosed() }
    func isAcceptingNewConnections() -> Bool { start.hasBegun && connections.isAcceptingNewConnections() }
}
