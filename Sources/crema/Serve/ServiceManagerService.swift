import AdminServer
import BrokerServer
import ServiceLifecycle

/// Keeps the service manager told: when Crema serves, that it lives, and when it stops.
///
/// A sign of life is sent when every event loop has answered: if one hangs, the manager's watchdog ends the process.
struct ServiceManagerService: Service {
    /// How often readiness is looked at while Crema starts.
    private static let startPause = Duration.milliseconds(20)
    /// Between looks at nothing, where no sign of life is wanted.
    private static let day = Duration.seconds(86_400)

    let manager: ServiceManager
    let readiness: Readiness
    let broker: Broker

    func run() async throws {
        // Ends by being cancelled.
        _ = try? await cancelWhenGracefulShutdown { try await serve() }
        await manager.tell(.stopping)
    }

    private func serve() async throws {
        while readiness.state == .starting { try await Task.sleep(for: Self.startPause) }
        await manager.tell(.ready)
        while true {
            // Twice as often as wanted, as `sd_watchdog_enabled(3)` advises.
            try await Task.sleep(for: manager.watchdog.map { $0 / 2 } ?? Self.day)
            if manager.watchdog != nil, await broker.loopsAnswer() { await manager.tell(.alive) }
        }
    }
}
