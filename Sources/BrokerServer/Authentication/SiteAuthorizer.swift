package import BrokerCore
package import MQTTCodec
package import Rights
import Synchronization
package import Tokens
package import Trust

/// Who may connect, by what each listener says, and what they may do then, by the site's policies.
///
/// A listener takes clients with a certificate, by SCRAM, with a token, or anonymous ones.
/// Where no policy is declared, whoever is let in may do everything.
package final class SiteAuthorizer: Authorizer {
    private struct Site {
        /// By the listener's name.
        var credentials: [String: ScramCredentials]
        var tokens: TokenCheck
        var policies: PolicyBook
        /// How often they were replaced.
        var generation: UInt64 = 0
    }

    /// What the policies mean for one client, worked out once and kept with its session.
    private final class KeptGrants: Sendable {
        let grants: Grants
        let generation: UInt64

        init(_ grants: Grants, of generation: UInt64) { (self.grants, self.generation) = (grants, generation) }
    }

    private let base = ListenerAuthorizer()
    /// Seconds since 1970.
    private let clock: @Sendable () -> Int64
    private let site: Mutex<Site>
    // Read for every message, so not behind the lock.
    private let isEnforced: Atomic<Bool>
    private let asksForAttributes: Atomic<Bool>
    private let generation = Atomic<UInt64>(0)
    private let grantsMade = Atomic<UInt64>(0)

    /// How often it was worked out what the policies mean for a client.
    package var grantsWorkedOut: UInt64 { grantsMade.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - credentials: by the listener's name, of those that take SCRAM.
    ///   - tokens: by the listener's name, of those that take tokens.
    ///   - policies: what clients may do.
    ///   - clock: seconds since 1970, by which tokens expire.
    package init(
        credentials: [String: ScramCredentials] = [:], tokens: [String: [TokenVerifier]] = [:], policies: PolicyBook = PolicyBook(),
        clock: @escaping @Sendable () -> Int64 = WallClock.now
    ) {
        self.clock = clock
        site = Mutex(Site(credentials: credentials, tokens: TokenCheck(verifiers: tokens), policies: policies))
        isEnforced = Atomic(policies.isEnforced)
        asksForAttributes = Atomic(policies.asksForAttributes)
    }

    /// Takes other credentials and policies, as after a reload.
    ///
    /// Exchanges that have begun prove the old credentials, which are compared with these before anybody is let in. Clients that proved
    /// one that is gone, and what clients may not do any more, are for ``Broker/rightsChanged()``.
    package func replace(
        credentials: [String: ScramCredentials], tokens: [String: [TokenVerifier]] = [:], policies: PolicyBook
    ) {
        let next = site.withLock { site in
            site = Site(
                credentials: credentials, tokens: TokenCheck(verifiers: tokens), policies: policies, generation: site.generation + 1)
            return site.generation
        }
        generation.store(next, ordering: .releasing)
        isEnforced.store(policies.isEnforced, ordering: .releasing)
        asksForAttributes.store(policies.asksForAttributes, ordering: .releasing)
    }

    // MARK: Who is this

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        let tokens = site.withLock { $0.tokens }
        // A certificate has named the client already.
        if connection.principal == nil,
            let answer = tokens.authenticate(connect, on: connection, takesPasswords: false, now: clock())
        {
            return answer
        }
        let answer = base.authenticate(connect, on: connection)
        if case .refused(let code, _) = answer, tokens.takesTokens(connection) {
            return .refused(code, "the listener takes clients that show a token (JWT) as password")
        }
        if case .refused(let code, _) = answer, offersScram(connection) {
            return .refused(code, "the listener takes clients that authenticate by \(ScramServer.mechanism), with MQTT 5")
        }
        return answer
    }

    package func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? {
        guard method == ScramServer.mechanism, let known = site.withLock({ $0.credentials[connection.listener] }) else { return nil }
        return ScramExchange(credentials: known)
    }

    package func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String? {
        let (known, tokens) = site.withLock { ($0.credentials[connection.listener], $0.tokens) }
        if TokenCheck.isToken(credential) { return tokens.refusal(of: credential, on: connection) }
        if let principal, let now = known?.fingerprint(of: principal), CredentialFingerprint(now) == credential { return nil }
        return "the user is not in the listener's file any more, or has another password"
    }

    package var wantsAttributes: Bool { asksForAttributes.load(ordering: .acquiring) }

    package func attributes(of connect: Connect, on connection: ConnectionInfo) -> [String: String] {
        ClientAttributes.of(connect, on: connection)
    }

    private func offersScram(_ connection: ConnectionInfo) -> Bool { site.withLock { $0.credentials[connection.listener] != nil } }

    // MARK: What may they do

    package var isUnrestricted: Bool { !isEnforced.load(ordering: .acquiring) }

    package func refusal(ofConnect client: Publisher) -> String? {
        refusal(of: .connect, client.clientID ?? "", by: client)
    }

    package func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String? {
        if let refusal = refusal(of: .publish, topic, by: publisher) { return refusal }
        return retain ? refusal(of: .retainPublish, topic, by: publisher) : nil
    }

    package func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? {
        refusal(of: .subscribe, filter, by: subscriber)
    }

    package func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool {
        isUnrestricted || grants(of: subscriber).decide(.receive, topic).isAllowed
    }

    package func refusal(ofDelivery topic: String, to subscriber: Publisher) -> String {
        refusal(of: .receive, topic, by: subscriber) ?? "it was not allowed a moment ago"
    }

    private func refusal(of action: PolicyAction, _ name: String, by client: Publisher) -> String? {
        if isUnrestricted { return nil }
        return grants(of: client).decide(action, name).refusal(of: action, name)
    }

    private func grants(of client: Publisher) -> Grants {
        let current = generation.load(ordering: .acquiring)
        if let known = client.notes?.note as? KeptGrants, known.generation == current { return known.grants }
        let (policies, generation) = site.withLock { ($0.policies, $0.generation) }
        let grants = policies.grants(
            of: PolicySubject(clientID: client.clientID ?? "", principal: client.principal, attributes: client.notes?.attributes ?? [:]))
        grantsMade.add(1, ordering: .relaxed)
        client.notes?.keep(KeptGrants(grants, of: generation))
        return grants
    }
}
