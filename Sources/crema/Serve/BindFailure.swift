import Documents
import Glibc
import NIOCore
import ServiceLifecycle

/// An HTTP listener's address that cannot be had, with what to do about it.
struct BindFailure: Error, CustomStringConvertible {
    let listener: ListenerConfiguration
    let error: IOError

    var description: String {
        let advice =
            switch error.errnoCode {
            case EADDRINUSE: "another program listens there: end it (`ss -ltnp` names it), or choose another port"
            case EACCES, EPERM: "ports below 1024 are for root: choose another port, or grant CAP_NET_BIND_SERVICE"
            case EADDRNOTAVAIL: "no interface of this machine has that address: choose another one"
            default: "\(error)"
            }
        return "cannot listen on \(listener.address) (\(listener.location)): \(advice)"
    }
}

/// One HTTP listener, whose failure to bind says which one it was.
struct HTTPListenerService<Server: Service>: Service {
    let listener: ListenerConfiguration
    let server: Server

    /// How long requests that have begun may take to finish once the shutdown begins: MQTT's clients wait for it.
    private static var finishLimit: Duration { .seconds(5) }

    func run() async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                group.addTask {
                    try await gracefulShutdown()
                    try await Task.sleep(for: Self.finishLimit)
                }
                defer { group.cancelAll() }
                _ = try await group.next()
            }
        } catch let error as IOError {
            throw BindFailure(listener: listener, error: error)
        }
    }
}
