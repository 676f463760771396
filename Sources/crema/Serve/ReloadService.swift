import BrokerCore
import BrokerServer
import Documents
import EventBus
import Gateway
import Logging
import Rights
import ServiceLifecycle
import Tokens
import Trust

/// Reads the resources, the files of users and the keys of tokens anew on every SIGHUP, one reload after the other.
struct ReloadService: Service {
    let hangups: AsyncStream<Void>
    let options: ConfigurationOptions
    let control: ControlPlane
    let authorizer: SiteAuthorizer
    let signatures: SignatureVerifier
    let administrators: Administrators
    let keySets: FetchedKeySets
    let broker: Broker
    /// With the names of their listeners.
    let gateways: [(name: String, server: GatewayServer)]
    let log: Logger

    func run() async throws {
        for await _ in hangups.cancelOnGracefulShutdown() { await reload() }
    }

    /// Takes the new resources into use, or changes nothing.
    private func reload() async {
        let loaded: LoadedConfiguration
        do {
            loaded = try options.load()
        } catch {
            for problem in error.problems { log.error("reload: \(problem)") }
            log.error("reload failed: nothing has changed")
            return
        }
        guard authorizer.isUnrestricted || loaded.policies.isEnforced else {
            log.error(
                """
                reload: no template declares a policy any more, and the configuration has no `policies`: whoever is let in could publish and \
                subscribe everywhere. Write `policies: []` to allow nothing, or restart to serve without rights
                """)
            log.error("reload failed: nothing has changed")
            return
        }
        do {
            try control.replace(templates: loaded.resources)
        } catch {
            for problem in error.problems { log.error("reload: \(problem)") }
            log.error("reload failed: nothing has changed")
            return
        }
        signatures.replace(keys: loaded.accessKeys)
        let tokens = loaded.tokens.begin(with: keySets)
        authorizer.replace(
            credentials: loaded.scramUsers, passwords: loaded.passwords, tokens: tokens.byListener, policies: loaded.policies)
        administrators.replace(with: loaded.administrators(tokens))
        await broker.rightsChanged()
        await broker.setRules(control.delivery)
        for (name, gateway) in gateways {
            gateway.replace(routes: loaded.routes, tokens: GatewayTokens(all: tokens.all, taken: tokens.byListener[name] ?? []))
        }
        log.info("\(loaded.rightsText)")
        for warning in loaded.warnings { log.warning("\(warning.location): \(warning.text)") }
        let rules = loaded.resources.eventRuleCount + loaded.resources.topicRuleCount
        let routes = loaded.documents.apis.flatMap(\.routes).count
        log.notice(
            "reloaded: \(rules) rules, \(routes) API routes; a change to listeners, certificates, limits or `http` needs a restart")
    }
}
