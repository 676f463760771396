package import BrokerCore
package import EventBus
package import Hummingbird
package import Logging
package import NIOCore
import ServiceLifecycle

/// One HTTP listener for people: health, metrics, the inspection API.
///
/// Runs until its task is cancelled or a graceful shutdown is triggered, which ends live streams and lets other requests finish.
/// Whoever starts it keeps it up while the rest drains, so that `/readyz` can say so.
package struct InspectionServer: Service {
    /// Where and how to listen.
    package struct Configuration: Sendable {
        package var host: String
        /// 0 lets the system choose.
        package var port: Int
        /// Whether anybody who reaches the listener may read.
        ///
        /// Without it only `/livez` and `/readyz` answer.
        package var anonymous: Bool
        package var limits: InspectionLimits

        package init(host: String, port: Int, anonymous: Bool, limits: InspectionLimits = InspectionLimits()) {
            self.host = host
            self.port = port
            self.anonymous = anonymous
            self.limits = limits
        }
    }

    private let configuration: Configuration
    private let responder: InspectionResponder
    private let eventLoopGroup: any EventLoopGroup
    private let log: Logger
    private let onListening: @Sendable (SocketAddress) async -> Void

    /// Prepares a listener that says it is of `version`.
    ///
    /// `requestCounts` answers what the listeners for programs counted, for `/metrics`. `onListening` is called once with the bound address,
    /// before the first connection is accepted.
    package init(
        configuration: Configuration,
        version: String,
        readiness: Readiness,
        broker: any BrokerAccess,
        engine: EventEngine,
        requestCounts: @escaping @Sendable () -> [RequestCount] = { [] },
        eventLoopGroup: any EventLoopGroup,
        log: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.log = log
        self.onListening = onListening
        responder = InspectionResponder(
            version: version, limits: configuration.limits, anonymous: configuration.anonymous,
            hosts: HostGuard(boundTo: configuration.host), readiness: readiness, broker: broker, engine: engine,
            requestCounts: requestCounts, tails: TailStreams(limit: configuration.limits.tailStreamsMax), log: log)
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
                    idleTimeout: .seconds(Int64(limits.adminIdleSecondsMax)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.adminHeaderBytesMax, maxHeaderListSize: limits.adminHeaderBytesMax,
                        maxHeaderFieldCount: limits.adminHeadersMax))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                availableConnectionsDelegate: .maximum(limits.adminConnectionsMax, logger: quiet)),
            onServerRunning: { [onListening] channel in
                if let address = channel.localAddress { await onListening(address) }
            },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: quiet
        )
    }
}
