import AdminServer
import BrokerServer
import Documents
import HTTPListening
import Synchronization

/// The listeners that are open, with the addresses that they were given.
final class OpenedListeners: Sendable {
    private struct Entry {
        let listener: ListenerConfiguration
        let address: String
        /// `nil` where the broker counts.
        let connections: ConnectionCount?
    }

    private let entries = Mutex<[Entry]>([])

    func add(_ listener: ListenerConfiguration, address: String, connections: ConnectionCount? = nil) {
        entries.withLock { $0.append(Entry(listener: listener, address: address, connections: connections)) }
    }

    /// What operators see of them, in the order of the configuration.
    func all(certificateEnds: [String: Int64]) -> [OpenedListener] {
        let open = entries.withLock { $0 }.sorted { ($0.listener.location.line, $0.address) < ($1.listener.location.line, $1.address) }
        return open.map { entry in
            OpenedListener(
                name: entry.listener.name, protocol: entry.listener.protocol.rawValue, address: entry.address,
                isTLS: entry.listener.tls != nil, authentication: entry.listener.authentication.text,
                connections: entry.connections.map { ($0.open, $0.accepted, $0.timesFull) },
                certificateNotAfter: certificateEnds[entry.listener.name])
        }
    }
}
