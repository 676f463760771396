import AdminServer
import BrokerServer
import ServiceLifecycle

/// Keeps the supervisor told: when Crema serves, that it lives, and when it stops.
///
/// A sign of life is sent when every event loop has answered: if one hangs, the supervisor's watchdog ends the process.
struct SupervisorService: Service {
    /// How often readiness is looked at while Crema starts.
    private static let startPause = Duration.milliseconds(20)
    /// Between looks at nothing, where no sign of life is wanted.
    private static let day = Duration.seconds(86_400)

    let supervisor: Supervisor
    let readiness: Readiness
    let broker: Broker

    func run() async throws {
        // Ends by being cancelled.
        _ = try? await cancelWhenGracefulShutdown { try await serve() }
        supervisor.tell(.stopping)
    }

    private func serve() async throws {
        while readiness.state == .starting { try await Task.sleep(for: Self.startPause) }
        supervisor.tell(.ready)
        while true {
            // Twice as often as wanted, as `sd_watchdog_enabled(3)` advises.
            try await Task.sleep(for: supervisor.watchdog.map { $0 / 2 } ?? Self.day)
            if supervisor.watchdog != nil, await broker.loopsAnswer() { supervisor.tell(.alive) }
        }
    }
}
