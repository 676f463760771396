package import BrokerCore
import Documents
package import EventBus
import HTTPExchange
package import HTTPListening
package import Hummingbird
package import Logging
package import NIOCore
import ServiceLifecycle
package import Things
package import Trust

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
        /// Without it only those are that are signed rightly, where ``signatures`` are looked at.
        package var anonymous: Bool
        /// Names by which the listener may be asked for, beside addresses and names of this machine.
        package var hosts: [String]
        /// Knows the access keys that requests are signed with; `nil` where signatures are not looked at.
        package var signatures: SignatureVerifier?
        /// The tokens that callers may show.
        package var tokens: GatewayTokens
        /// The files that browsers get, whoever asks.
        package var pages: PageTable
        package var limits: GatewayLimits

        package init(
            host: String, port: Int, anonymous: Bool, hosts: [String] = [], signatures: SignatureVerifier? = nil,
            tokens: GatewayTokens = GatewayTokens(), pages: PageTable = PageTable(), limits: GatewayLimits = GatewayLimits()
        ) {
            self.host = host
            self.port = port
            self.anonymous = anonymous
            self.hosts = hosts
            self.signatures = signatures
            self.tokens = tokens
            self.pages = pages
            self.limits = limits
        }
    }

    private let listener: HTTPListener
    private let responder: GatewayResponder

    /// Prepares a listener that serves `routes` besides the AWS-compatible endpoints: `POST /` for EventBridge and queues, and the paths of
    /// AWS IoT's APIs for topic rules and for messages.
    ///
    /// Callers' rights are asked for at `authorizer`.
    ///
    /// `topicFiltersChanged` makes the broker ask for the filters of topic rules again, and returns when it has.
    ///
    /// Connections whose first request asks for WebSocket go to `webSocket`, which must serve the event loops of `eventLoopGroup`.
    ///
    /// `spans` takes the steps of traces that requests belong to; without it their `traceparent` or `X-Amzn-Trace-Id` is not looked at.
    ///
    /// `onListening` is called once with the bound address; no connection is accepted before it returns.
    package init(
        configuration: Configuration,
        authorizer: any Authorizer = ListenerAuthorizer(),
        routes: RouteTable,
        broker: any BrokerAccess,
        control: ControlPlane,
        topicFiltersChanged: @escaping @Sendable () async -> Void,
        things: ThingRegistry = ThingRegistry(),
        rightsChanged: @escaping @Sendable () async -> Void = {},
        counters: GatewayCounters = GatewayCounters(),
        webSocket: WebSocketPort? = nil,
        connections: ConnectionCount = ConnectionCount(),
        spans: (any SpanRecorder)? = nil,
        eventLoopGroup: any EventLoopGroup,
        log: Logger,
        onListening: @escaping @Sendable (SocketAddress) async -> Void = { _ in }
    ) {
        let limits = configuration.limits
        listener = HTTPListener(
            host: configuration.host, port: configuration.port,
            limits: HTTPListenerLimits(
                idleSecondsMax: limits.httpIdleSecondsMax, headSecondsMax: limits.httpHeadSecondsMax,
                bodySecondsMax: limits.httpBodySecondsMax, connectionsMax: limits.httpConnectionsMax,
                headerBytesMax: limits.httpHeaderBytesMax, headersMax: limits.httpHeadersMax,
                unfinishedHeads: .init(bytesMax: limits.httpHeaderBytesInAllMax, name: "httpHeaderBytesInAllMax")),
            eventLoopGroup: eventLoopGroup, log: log,
            takeover: webSocket.map {
                ConnectionTakeover(
                    connectionsMax: limits.httpWebSocketsMax, limitName: "httpWebSocketsMax", claims: $0.claims, take: $0.take)
            },
            connections: connections, countRefusal: { counters.record(.unmatched, status: $0) }, onListening: onListening)
        responder = GatewayResponder(
            routes: CurrentRoutes(routes), limits: limits,
            callers: CallerCheck(
                anonymous: configuration.anonymous, signatures: configuration.signatures, authorizer: authorizer),
            hosts: HostGuard(boundTo: configuration.host, names: configuration.hosts), tokens: CurrentTokens(configuration.tokens),
            pages: CurrentPages(configuration.pages),
            events: EventsService(limits: limits, broker: broker, control: control),
            queues: QueuesService(
                queues: control.delivery.queues, bodyBytesMax: limits.queueBodyBytesMax,
                formFieldsMax: limits.queueFormFieldsMax, source: .system, spans: spans,
                notePolicy: { control.delivery.engine.notePolicy(queue: $0) }),
            topicRules: TopicRulesService(
                control: control, things: things, limits: limits, topicFiltersChanged: topicFiltersChanged),
            things: ThingsService(registry: things, limits: limits, rightsChanged: rightsChanged),
            dataPlane: DataPlaneService(
                broker: broker, limits: limits, kept: { () async throws(ControlError) in try await control.kept() }),
            webSocketPath: webSocket?.path, counters: counters, refusals: listener.refusals.log, source: .system, spans: spans, log: log)
    }

    /// Puts other API routes, other tokens and other pages in force.
    ///
    /// Requests that have begun are answered with the old ones.
    package func replace(routes: RouteTable, tokens: GatewayTokens = GatewayTokens(), pages: PageTable = PageTable()) {
        responder.pages.replace(with: pages)
        responder.tokens.replace(with: tokens)
        responder.routes.replace(with: routes)
    }

    package func run() async throws {
        try await application.run()
    }

    /// The listener with its pipeline, not running yet.
    ///
    /// Tests send it requests without a socket.
    package var application: some ApplicationProtocol { listener.application(answeredBy: responder) }
}
