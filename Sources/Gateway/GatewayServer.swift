package import BrokerCore
import Documents
package import EventBus
package import Hummingbird
package import Logging
package import NIOCore
import ServiceLifecycle

/// One HTTP listener for programs.
///
/// Runs until its task is cancelled or a graceful shutdown is triggered; a shutdown lets requests that have begun finish.
package struct GatewayServer: Service {
    /// Where and how to listen.
    package struct Configuration: Sendable {
        package var host: String
        /// 0 lets the system choose.
        package var port: Int
        /// Whether unsigned requests are taken.
        ///
        /// Without it every request is refused, since signatures cannot be checked yet.
        package var anonymous: Bool
        package var limits: GatewayLimits

        package init(host: String, port: Int, anonymous: Bool, limits: GatewayLimits = GatewayLimits()) {
            self.host = host
            self.port = port
            self.anonymous = anonymous
            self.limits = limits
        }
    }

    private let configuration: Configuration
    private let responder: GatewayResponder
    private let eventLoopGroup: any EventLoopGroup
    private let log: Logger
    private let onListening: @Sendable (SocketAddress) async -> Void

    /// Prepares a listener that serves `routes` besides the AWS-compatible endpoint `POST /`.
    ///
    /// `onListening` is called once with the bound address, before the first connection is accepted.
    package init(
        configuration: Configuration,
        routes: RouteTable,
        broker: any BrokerAccess,
        engine: EventEngine,
        counters: GatewayCounters = GatewayCounters(),
        eventLoopGroup: any EventLoopGroup,
        log: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.log = log
        self.onListening = onListening
        responder = GatewayResponder(
            routes: CurrentRoutes(routes), limits: configuration.limits, anonymous: configuration.anonymous, broker: broker, engine: engine,
            counters: counters, source: .system, log: log)
    }

    /// Puts other API routes in force.
    ///
    /// Requests that have begun are answered with the old ones.
    package func replace(routes: RouteTable) {
        responder.routes.replace(with: routes)
    }

    package func run() async throws {
        try await application.run()
    }

    /// The listener with its pipeline, not running yet.
    ///
    /// Tests send it requests without a socket.
    package var application: some ApplicationProtocol {
        let limits = configuration.limits
        // Hummingbird's own lines are not for the operator: the start-up line is written by whoever starts the listener.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        return Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(Int64(limits.httpIdleSecondsMax)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.httpHeaderBytesMax, maxHeaderListSize: limits.httpHeaderBytesMax,
                        maxHeaderFieldCount: limits.httpHeadersMax))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: .maximum(limits.httpConnectionsMax, logger: quiet)),
            onServerRunning: { [onListening] channel in
                if let address = channel.localAddress { await onListening(address) }
            },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: quiet
        )
    }
}
