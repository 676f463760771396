package import BrokerCore
package import EventBus
import HTTPExchange
package import HTTPListening
package import Hummingbird
package import Logging
package import NIOCore
package import Queues
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
        /// Without it only `/livez` and `/readyz` answer those who are no administrators.
        package var anonymous: Bool
        /// Names by which the listener may be asked for, beside addresses and names of this machine.
        package var hosts: [String]
        /// How administrators prove themselves; `nil` where none can.
        package var administrators: AdministratorCheck?
        package var limits: InspectionLimits

        package init(
            host: String, port: Int, anonymous: Bool, hosts: [String] = [], administrators: AdministratorCheck? = nil,
            limits: InspectionLimits = InspectionLimits()
        ) {
            self.hosts = hosts
            self.administrators = administrators
            self.host = host
            self.port = port
            self.anonymous = anonymous
            self.limits = limits
        }
    }

    private let listener: HTTPListener
    private let responder: InspectionResponder

    /// Prepares a listener that says it is of `version`.
    ///
    /// `queueStatistics` answers what the queues count, `storeStatistics` what the durable store does, if there is one, `requestCounts` what the listeners for programs counted, and `logLinesDropped` how
    /// many lines of the log nobody took, all for `/metrics`; `site` tells what else is known of the program. `reload` has the site's files read anew. `onListening` is called once with the bound address;
    /// no connection is accepted before it returns.
    package init(
        configuration: Configuration,
        version: String,
        readiness: Readiness,
        broker: any OperatorAccess,
        delivery: RuleDelivery,
        kept: @escaping @Sendable () async -> Bool = { true },
        certificates: @escaping @Sendable () -> [CertificateDocument] = { [] },
        queueStatistics: @escaping @Sendable () -> QueueStatistics = { QueueStatistics() },
        storeStatistics: @escaping @Sendable () -> StoreStatistics? = { nil },
        requestCounts: @escaping @Sendable () -> [RequestCount] = { [] },
        logLinesDropped: @escaping @Sendable () -> UInt64 = { 0 },
        reload: (@Sendable () async -> ReloadDocument)? = nil,
        site: SiteFigures = SiteFigures(),
        connections: ConnectionCount = ConnectionCount(),
        eventLoopGroup: any EventLoopGroup,
        log: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        let limits = configuration.limits
        listener = HTTPListener(
            host: configuration.host, port: configuration.port,
            limits: HTTPListenerLimits(
                idleSecondsMax: limits.adminIdleSecondsMax, headSecondsMax: limits.adminHeadSecondsMax,
                bodySecondsMax: limits.adminIdleSecondsMax,
                connectionsMax: limits.adminConnectionsMax, headerBytesMax: limits.adminHeaderBytesMax,
                headersMax: limits.adminHeadersMax,
                unfinishedHeads: .init(bytesMax: limits.adminHeaderBytesInAllMax, name: "adminHeaderBytesInAllMax")),
            eventLoopGroup: eventLoopGroup, log: log, connections: connections, onListening: onListening)
        responder = InspectionResponder(
            version: version, limits: limits, anonymous: configuration.anonymous, administrators: configuration.administrators,
            hosts: HostGuard(boundTo: configuration.host, names: configuration.hosts), readiness: readiness, broker: broker,
            delivery: delivery, kept: kept, certificates: certificates,
            queueStatistics: queueStatistics, storeStatistics: storeStatistics, requestCounts: requestCounts,
            logLinesDropped: logLinesDropped, reload: reload, site: site,
            tails: TailStreams(limit: limits.tailStreamsMax, name: "tailStreamsMax"),
            traces: TailStreams(limit: limits.tracesMax, name: "tracesMax"),
            refusals: listener.refusals.log, log: log, routes: AdminRoutes(InspectionResponder.calls(limits)))
    }

    package func run() async throws {
        try await application.run()
    }

    /// The listener with its pipeline, not running yet.
    ///
    /// Tests send it requests without a socket.
    package var application: some ApplicationProtocol { listener.application(answeredBy: responder) }
}
