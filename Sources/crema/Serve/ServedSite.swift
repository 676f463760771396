import AdminServer
import BrokerCore
import BrokerServer
import Documents
import EventBus
import Foundation
import Gateway
import HTTPListening
import Logging
import NIOCore
import NIOPosix
import Queues
import Records
import ServiceLifecycle
import Things
import Tokens
import Trust

/// Everything that one `crema serve` runs, put together.
struct ServedSite {
    private let loaded: LoadedConfiguration
    private let options: ConfigurationOptions
    private let log: Logger
    private let siteLog: SiteLog
    private let delivery: RuleDelivery
    private let control: ControlPlane
    private let things: ThingRegistry
    private let authorizer: SiteAuthorizer
    private let signatures: SignatureVerifier
    private let keySets: FetchedKeySets
    private let tokens: TokensInForce
    private let administrators: Administrators
    private let broker: Broker
    private let store: SiteStore
    private let readiness = Readiness()
    private let gatewayCounters = GatewayCounters()
    private let spans: SpanQueue?
    private let opened = OpenedListeners()
    private let reloadHistory = ReloadHistory()

    /// - Throws: for a data directory that cannot be used, and for what another version kept there.
    init(loaded: LoadedConfiguration, options: ConfigurationOptions, log: Logger, siteLog: SiteLog) throws {
        self.loaded = loaded
        self.options = options
        self.log = log
        self.siteLog = siteLog
        let limits = loaded.configuration.limits
        OpenFiles.warn(KnownLimits.broker(limits), log: log)
        spans = loaded.configuration.tracing.map { SpanQueue(sample: $0.sample, isRead: $0.otlp != nil) }
        store = try SiteStore(loaded.configuration, log: log)
        let records = store.takeRecords()
        delivery = RuleDelivery(
            engine: EventEngine(
                resources: loaded.resources, limits: KnownLimits.eventBus(limits), logger: Logger(label: "crema.rules"),
                store: store.records, spans: spans),
            queues: SharedQueues(limits: KnownLimits.queues(limits), makeID: EventSource.system.makeID, store: store.records),
            limits: KnownLimits.deliveries(limits), store: store.records)
        signatures = SignatureVerifier(keys: loaded.accessKeys, limits: KnownLimits.signatures(limits))
        keySets = FetchedKeySets(limits: KnownLimits.tokens(limits))
        tokens = loaded.tokens.begin(with: keySets)
        administrators = Administrators(loaded.administrators(tokens))
        authorizer = SiteAuthorizer(
            credentials: loaded.scramUsers, passwords: loaded.passwords, tokens: tokens.byListener,
            authorizers: loaded.authorizers, signatures: signatures, policies: loaded.policies,
            limits: KnownLimits.credentials(limits))
        control = ControlPlane(delivery: delivery, templates: loaded.resources, host: RuleHost.host, store: store.records)
        things = ThingRegistry(
            policies: loaded.policies, limits: KnownLimits.things(limits), store: store.records,
            putInForce: { [authorizer] rights in authorizer.replace(registered: rights) })
        try Self.restore(records, store, delivery, control, things, log: log)
        broker = Broker(
            limits: KnownLimits.broker(limits), authorizer: authorizer, rules: delivery,
            loopCount: KnownLimits.eventLoops(limits, cores: System.coreCount), logger: Logger(label: "crema.broker"),
            version: CremaVersion.text, kept: store.take(log: log),
            credentialThreads: KnownLimits.credentials(limits).passwordThreadsMax,
            lifecycleEvents: loaded.configuration.lifecycleEvents, spans: spans)
        store.start(for: broker)
    }

    /// Takes up what was kept of what came by API, and of queues.
    private static func restore(
        _ records: [KeptRecord], _ store: SiteStore, _ delivery: RuleDelivery, _ control: ControlPlane, _ things: ThingRegistry,
        log: Logger
    ) throws {
        guard store.records != nil else { return }
        try delivery.queues.restore(records)
        let (count, leftOut) = try control.restore(records)
        let (registered, notInForce) = try things.restore(records)
        guard !things.lacksBase else {
            throw DocumentError(
                "the store has policies, or certificates that are not ACTIVE, by AWS IoT's API, and without rights in the configuration nobody "
                    + "would keep to them: write `policies: []`, or declare a policy", at: SourceLocation(file: "data"))
        }
        for reason in leftOut + notInForce { log.warning("kept, and not in force: \(reason)", metadata: .event("kept_not_in_force")) }
        if !records.isEmpty { log.info("restored", metadata: ["resources": "\(count + registered)", "records": "\(records.count)"]) }
    }

    private func restoreDeliveries() throws {
        let kept = store.takeLateRecords()
        guard !kept.isEmpty else { return }
        let (waiting, gone) = try delivery.pending.restore(kept, now: .now)
        log.info("restored", metadata: ["deliveries": "\(waiting)", "dropped": "\(gone)", "records": "\(kept.count)"])
    }

    /// Serves until a signal ends it, and reads the site's files anew whenever somebody asks.
    ///
    /// - Throws: for a listener that cannot be opened, for more queues than there may be, and for a service that ended early.
    func run(until stops: StopRequests, _ reloads: ReloadRequests) async throws {
        log.info("\(loaded.rightsText)", metadata: .event("rights"))
        for warning in loaded.warningTexts { log.warning("\(warning)", metadata: .event("configuration_warning")) }
        try delivery.declare(loaded.resources, buses: control.busNames)
        try restoreDeliveries()
        QueueAlarm.set(for: delivery.queues, on: broker.eventLoopGroup.next())
        let bindings = try await broker.start(loaded.configuration.mqttListeners(signatures))
        // Only now: nobody would end its threads if a listener could not be opened.
        let deliveries = DeliveryService(
            pending: delivery.pending, policy: loaded.calls.policy, limits: KnownLimits.deliveries(loaded.configuration.limits),
            broker: broker, log: log)
        deliveries.begin()
        for (binding, listener) in zip(bindings, listeners(.mqtt, .mqtts, .ws, .wss)) {
            opened.add(listener, address: binding.address)
            logOpen(listener, address: binding.address)
        }

        let http = listeners(.http)
        let admin = listeners(.admin)
        let opening = await OpeningListeners(count: http.count + admin.count) { [broker, readiness, log] in
            await broker.beginAccepting()
            readiness.becameReady()
            log.info("ready")
        }
        let gateways = http.map { (name: $0.name, server: gateway($0, opening)) }
        // Shut down from the last to the first: not ready, then no more requests, then no more clients, and health to the very end.
        var services: [any Service] = []
        services += admin.map { HTTPListenerService(listener: $0, server: inspection($0, opening, reloads)) }
        services.append(BrokerService(broker: broker, serverReference: loaded.configuration.serverReference))
        services.append(deliveries)
        services += zip(http, gateways).map { HTTPListenerService(listener: $0, server: $1.server) }
        let watched = WatchedPaths([options.config].compactMap(\.self) + loaded.configuration.namedFiles)
        let supervisor = await Supervisor.connect(
            ProcessInfo.processInfo.environment, on: MultiThreadedEventLoopGroup.singleton, log: log)
        services.append(
            ReloadService(
                requests: reloads, watched: watched, options: options, started: loaded.configuration, control: control,
                things: things, authorizer: authorizer, signatures: signatures, administrators: administrators, keySets: keySets,
                broker: broker,
                gateways: gateways, supervisor: supervisor, readiness: readiness, log: log, siteLog: siteLog, history: reloadHistory))
        services.append(TokenKeysService(sets: keySets, broker: broker, log: log))
        if loaded.configuration.watchFiles { services.append(FileWatchService(watched: watched, requests: reloads)) }
        services.append(EventClockService(delivery: delivery, broker: broker))
        if let spans, let address = loaded.configuration.tracing?.otlp {
            services.append(SpanExportService(queue: spans, address: address, version: CremaVersion.text, log: log))
        }
        services.append(ReadinessService(readiness: readiness))
        if let supervisor { services.append(SupervisorService(supervisor: supervisor, readiness: readiness, broker: broker)) }

        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        let stopping = StopService(stops: stops, deadline: ShutdownDeadline(log: log, writer: siteLog.writer), log: log)
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) } + [
                .init(service: stopping, successTerminationBehavior: .gracefullyShutdownGroup)
            ],
            logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(ShutdownDeadline.secondsMax)
        let group = ServiceGroup(configuration: configuration)
        try await group.run()
        log.info("stopped")
    }

    // MARK: - Listeners

    private func listeners(_ kinds: ListenerConfiguration.ListenerProtocol...) -> [ListenerConfiguration] {
        loaded.configuration.listeners.filter { kinds.contains($0.protocol) }
    }

    private func gateway(_ listener: ListenerConfiguration, _ opening: OpeningListeners) -> GatewayServer {
        let connections = ConnectionCount()
        return GatewayServer(
            configuration: .init(
                host: listener.host, port: listener.port, anonymous: listener.anonymous, hosts: listener.hosts,
                signatures: listener.accessKeys ? signatures : nil,
                tokens: GatewayTokens(all: tokens.all, taken: tokens.byListener[listener.name] ?? []),
                pages: loaded.pages[listener.name] ?? PageTable(),
                limits: KnownLimits.gateway(loaded.configuration.limits)),
            authorizer: authorizer, routes: loaded.routes, broker: broker, control: control,
            topicFiltersChanged: { [broker, delivery] in await broker.setRules(delivery) },
            things: things, rightsChanged: { [broker] in await broker.rightsChanged() }, counters: gatewayCounters,
            webSocket: webSocketPort(listener), connections: connections, spans: spans,
            // Where its connections may become MQTT's.
            eventLoopGroup: broker.eventLoopGroup, log: Logger(label: "crema.gateway"),
            onListening: { [self] address in
                isOpen(listener, port: address.port, connections)
                await opening.opened()
            })
    }

    /// MQTT over WebSocket on a listener for programs.
    private func webSocketPort(_ listener: ListenerConfiguration) -> WebSocketPort {
        let webSocket = listener.webSocket
        let adoption = broker.webSocketAdoption(Listener(listener, .ws(webSocket), signatures)) { [gatewayCounters] status in
            gatewayCounters.record(.webSocket, status: status)
        }
        return WebSocketPort(path: webSocket.path, claims: { adoption.claims($0) }, take: { try adoption.adopt($0) })
    }

    /// Who administers through a listener; `nil` where nobody does.
    private func administratorCheck(_ listener: ListenerConfiguration) -> AdministratorCheck? {
        guard listener.adminToken != nil || !listener.tokens.isEmpty else { return nil }
        return { [administrators] shown in administrators.refusal(of: shown, on: listener.name) }
    }

    private func inspection(
        _ listener: ListenerConfiguration, _ opening: OpeningListeners, _ reloads: ReloadRequests
    ) -> InspectionServer {
        let connections = ConnectionCount()
        return InspectionServer(
            configuration: .init(
                host: listener.host, port: listener.port, anonymous: listener.anonymous, hosts: listener.hosts,
                administrators: administratorCheck(listener),
                limits: KnownLimits.inspection(loaded.configuration.limits)),
            version: CremaVersion.text, readiness: readiness, broker: broker, delivery: delivery,
            kept: { [control] in (try? await control.kept()) != nil },
            certificates: { [broker] in CertificateDocument.all(of: broker, nowMilliseconds: EventSource.system.nowMilliseconds()) },
            queueStatistics: { [queues = delivery.queues] in
                queues.statistics(at: EventSource.system.nowMilliseconds())
            },
            storeStatistics: { [store] in store.statistics },
            requestCounts: { [gatewayCounters] in
                gatewayCounters.counts.map { RequestCount(handler: $0.handler.rawValue, status: $0.status, requests: $0.requests) }
            },
            logLinesDropped: { [siteLog] in siteLog.writer.dropped }, reload: { await reloads.answer() },
            site: siteFigures, connections: connections,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, log: Logger(label: "crema.admin"),
            onListening: { [self] address in
                isOpen(listener, port: address.port, connections)
                await opening.opened()
            })
    }

    // MARK: - What the operator reads

    private var siteFigures: SiteFigures {
        SiteFigures(
            listeners: { [opened, broker] in opened.all(certificateEnds: broker.certificateEnds) }, process: { .current },
            reloads: { [reloadHistory] in reloadHistory.figures },
            spans: { [spans] in spans.map { SpanFigures(sent: $0.sent, dropped: $0.dropped) } ?? SpanFigures() }, log: siteLog)
    }

    private func isOpen(_ listener: ListenerConfiguration, port: Int?, _ connections: ConnectionCount) {
        let address = "\(listener.host):\(port ?? listener.port)"
        opened.add(listener, address: address, connections: connections)
        logOpen(listener, address: address)
    }

    private func logOpen(_ listener: ListenerConfiguration, address: String) {
        let authentication = listener.authentication
        log.log(
            level: authentication.isOpen || authentication == .closed ? .warning : .info,
            "listening on \(address): \(listener.protocol.rawValue) (\(listener.transport)), authentication: \(authentication.text)",
            metadata: .event("listening"))
    }
}

/// Keeps the broker until the shutdown, and lets its clients' packets finish then.
private struct BrokerService: Service {
    /// How long clients may take to read their last bytes.
    private static let drainLimit = Duration.seconds(5)

    let broker: Broker
    let serverReference: String?

    func run() async throws {
        try? await gracefulShutdown()
        await broker.drain(within: Self.drainLimit, serverReference: serverReference)
    }
}

/// Says that Crema is not ready any more as soon as the shutdown begins.
private struct ReadinessService: Service {
    let readiness: Readiness

    func run() async throws {
        try? await gracefulShutdown()
        readiness.drainingBegan()
    }
}
