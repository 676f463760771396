import AdminServer
import BrokerCore
import BrokerServer
import Documents
import EventBus
import Foundation
import Gateway
import HTTPListening
import Logging
import Rights
import ServiceLifecycle
import Things
import Tokens
import Trust

/// Reads the site's files anew whenever somebody asks for it, one reload after the other.
struct ReloadService: Service {
    let requests: ReloadRequests
    let watched: WatchedPaths
    let options: ConfigurationOptions
    /// What was read at the start: what a reload does not take is compared with it.
    let started: Configuration
    let control: ControlPlane
    let things: ThingRegistry
    let authorizer: SiteAuthorizer
    let signatures: SignatureVerifier
    let administrators: Administrators
    let keySets: FetchedKeySets
    let broker: Broker
    /// With the names of their listeners.
    let gateways: [(name: String, server: GatewayServer)]
    /// Who started the program, where it wants to be told.
    let supervisor: Supervisor?
    let readiness: Readiness
    let log: Logger
    let siteLog: SiteLog
    let history: ReloadHistory

    func run() async throws {
        var files = SiteFiles(watched.paths)
        await requests.serve(requests.wakes.cancelOnGracefulShutdown()) {
            // While Crema starts it is not ready yet, and says so once, when it is.
            let isServing = readiness.state == .ready
            if isServing { supervisor?.tell(.reloading(monotonicMicroseconds: Instant.now.nanoseconds / 1_000)) }
            let document = await reload(&files)
            if isServing { supervisor?.tell(.ready) }
            return document
        }
    }

    /// What was read and is ready to be taken into use: nothing of it fails any more.
    private struct Prepared {
        let loaded: LoadedConfiguration
        let tls: RenewedTLS
    }

    /// Takes everything new into use, or changes nothing.
    private func reload(_ files: inout SiteFiles) async -> ReloadDocument {
        watched.paths = options.namedFiles ?? watched.paths
        let found = SiteFiles(watched.paths)
        do {
            let prepared = try prepare()
            // Of all that is taken into use this alone may still fail, and then nothing was changed.
            try control.replace(templates: prepared.loaded.resources)
            let document = await take(prepared, changed: found.changes(since: files))
            files = found
            history.succeeded()
            return document
        } catch {
            for problem in error.problems { log.error("reload: \(problem)", metadata: .event("reload_problem")) }
            log.error("reload failed: nothing has changed", metadata: .event("reload_failed"))
            history.failed()
            return ReloadDocument(failedBecause: error.problems.map(\.description))
        }
    }

    private func prepare() throws(DocumentError) -> Prepared {
        let loaded = try options.load(LoadedConfiguration.checkCertificates)
        var losses = ProblemCollector()
        for loss in started.lossesOfUsers(loaded.configuration) {
            losses.add(loss, at: SourceLocation(file: options.config ?? "environment"))
        }
        // Most likely half written.
        for listener in loaded.configuration.listeners where authorizer.hasUsers(on: listener.name) {
            let counts = [loaded.passwords[listener.name]?.count, loaded.scramUsers[listener.name]?.count].compactMap(\.self)
            guard !counts.isEmpty, counts.allSatisfy({ $0 == 0 }) else { continue }
            losses.add(
                "the file has no users any more, and nobody would get in by a password on the listener \(listener.name); restart to serve so",
                at: SourceLocation(file: listener.passwords ?? listener.scramUsers ?? listener.name))
        }
        try losses.finish()
        try things.check(loaded.policies)
        guard authorizer.isUnrestricted || loaded.policies.isEnforced else {
            throw DocumentError(
                """
                no template declares a policy any more, and the configuration has neither `policies` nor `acl`: whoever is let in could publish and \
                subscribe everywhere. Write `policies: []` to allow nothing, or restart to serve without rights
                """, at: SourceLocation(file: options.config ?? "environment"))
        }
        do throws(ListenerErrors) {
            return Prepared(loaded: loaded, tls: try broker.renewedTLS(of: loaded.configuration.mqttListeners(signatures)))
        } catch {
            var problems = ProblemCollector()
            for problem in error.errors {
                let location = loaded.configuration.listeners.first { $0.name == problem.listener }?.location
                problems.add(problem.reason, at: location ?? SourceLocation(file: problem.listener))
            }
            try problems.finish()
            preconditionFailure("there is no error without a problem")
        }
    }

    private func take(_ prepared: Prepared, changed files: [String]) async -> ReloadDocument {
        let loaded = prepared.loaded
        var document = ReloadDocument(changed: files + prepared.tls.changes)
        signatures.replace(keys: loaded.accessKeys)
        siteLog.take(loaded.configuration.log)
        let tokens = loaded.tokens.begin(with: keySets)
        things.replace(policies: loaded.policies)
        authorizer.replace(
            credentials: loaded.scramUsers, passwords: loaded.passwords, tokens: tokens.byListener,
            authorizers: loaded.authorizers, policies: loaded.policies,
            limits: KnownLimits.credentials(loaded.configuration.limits))
        administrators.replace(with: loaded.administrators(tokens))
        let limits = await broker.take(KnownLimits.broker(loaded.configuration.limits))
        if !limits.isEmpty { document.changed.append("the limits \(limits.joined(separator: ", "))") }
        document.connectionsClosed = await broker.take(prepared.tls)
        await broker.rightsChanged()
        await broker.setRules(control.delivery)
        for (name, gateway) in gateways {
            gateway.replace(
                routes: loaded.routes, tokens: GatewayTokens(all: tokens.all, taken: tokens.byListener[name] ?? []),
                pages: loaded.pages[name] ?? PageTable())
        }
        document.needsRestart = started.needingRestart(loaded.configuration)
        document.warnings = loaded.warningTexts
        report(document, loaded)
        return document
    }

    private func report(_ document: ReloadDocument, _ loaded: LoadedConfiguration) {
        log.info("\(loaded.rightsText)", metadata: .event("rights"))
        for warning in document.warnings { log.warning("\(warning)", metadata: .event("configuration_warning")) }
        for need in document.needsRestart {
            log.warning("reload: a change needs a restart: \(need)", metadata: .event("reload_needs_restart"))
        }
        let rules = loaded.resources.eventRuleCount + loaded.resources.topicRuleCount
        let routes = loaded.documents.apis.flatMap(\.routes).count
        log.notice(
            "reloaded: \(rules) rules, \(routes) API routes",
            metadata: [
                Logger.MetadataValue.eventKey: "reloaded",
                "changed": "\(document.changed.isEmpty ? "nothing" : document.changed.joined(separator: "; "))",
                "certificatesLost": "\(document.connectionsClosed)",
            ])
    }
}

extension ConfigurationOptions {
    /// The configuration's own file and those that it names; `nil` when it cannot be read.
    fileprivate var namedFiles: [String]? {
        let environment = ProcessInfo.processInfo.environment
        let configuration = try? Configuration(file: config, environment: environment, knownLimits: KnownLimits.settable)
        return configuration.map { [config].compactMap(\.self) + $0.namedFiles }
    }
}
