import CremaTesting
import Gateway
import Logging

/// A gateway that listens on a port of its own.
typealias RunningGateway = RunningListener<GatewayFixture>

extension RunningListener<GatewayFixture> {
    static func with(
        limits: GatewayLimits = GatewayLimits(), log: Logger? = nil, _ body: @Sendable (RunningGateway) async throws -> Void
    ) async throws {
        try await with(
            { onListening in
                let fixture = try GatewayFixture(limits: limits, log: log, onListening: onListening)
                return (fixture, fixture.server)
            }, body)
    }
}
