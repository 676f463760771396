package import BrokerCore
package import MQTTCodec
package import Rights
import Synchronization
package import Tokens
package import Trust

/// Who may connect, by what each listener says, and what they may do then, by the site's policies.
///
/// A listener takes clients with a certificate, by password, by SCRAM, with a token, by a signed request for WebSocket, or anonymous ones.
/// Where no policy is declared, whoever is let in may do everything.
package final class SiteAuthorizer: Authorizer {
    private struct Site {
        /// By the listener's name.
        var credentials: [String: ScramCredentials]
        var tokens: TokenCheck
        var passwords: [String: ListenerPasswords]
        /// By the listener's name, those that clients of AWS IoT may ask for.
        var authorizers: [String: [CustomAuthorizer]]
        /// Those of the templates and the configuration, with what came by API.
        var policies: PolicyBook
        /// Without that.
        var base: PolicyBook
        var registered = RegisteredRights()
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
    /// Knows the keys by which requests were signed.
    private let signatures: SignatureVerifier?
    /// Seconds since 1970.
    private let clock: @Sendable () -> Int64
    private let site: Mutex<Site>
    // Read for every message, so not behind the lock.
    private let isEnforced: Atomic<Bool>
    private let asksForAttributes: Atomic<Bool>
    /// Also by certificates: what is attached to them is for whoever shows them.
    private let isJudgedByAttributes: Atomic<Bool>
    private let generation = Atomic<UInt64>(0)
    private let grantsMade = Atomic<UInt64>(0)

    /// How often it was worked out what the policies mean for a client.
    package var grantsWorkedOut: UInt64 { grantsMade.load(ordering: .relaxed) }

    /// - Parameters:
    ///   - credentials: By the listener's name, the users who may authenticate by SCRAM.
    ///   - passwords: By the listener's name, the users who may give a password.
    ///   - tokens: By the listener's name, what verifies the tokens that it takes.
    ///   - authorizers: By the listener's name, the custom authorizers that clients of AWS IoT may ask for.
    ///   - signatures: The keys that requests are signed with; `nil` for none.
    ///   - policies: What clients may do.
    ///   - limits: What checks of passwords may take.
    ///   - clock: Seconds since 1970, by which tokens expire.
    package init(
        credentials: [String: ScramCredentials] = [:], passwords: [String: PasswordFile] = [:], tokens: [String: [TokenVerifier]] = [:],
        authorizers: [String: [CustomAuthorizer]] = [:], signatures: SignatureVerifier? = nil, policies: PolicyBook = PolicyBook(),
        limits: CredentialLimits = CredentialLimits(),
        clock: @escaping @Sendable () -> Int64 = WallClock.now
    ) {
        self.clock = clock
        self.signatures = signatures
        site = Mutex(
            Site(
                credentials: credentials, tokens: TokenCheck(verifiers: tokens),
                passwords: passwords.mapValues { ListenerPasswords($0, limits: limits) }, authorizers: authorizers, policies: policies,
                base: policies))
        isEnforced = Atomic(policies.isEnforced)
        asksForAttributes = Atomic(policies.asksForAttributes)
        isJudgedByAttributes = Atomic(policies.asksForAttributes)
    }

    /// Takes other credentials and policies, as after a reload.
    ///
    /// Exchanges that have begun prove the old credentials, which are compared with these before anybody is let in. Clients that proved
    /// one that is gone, and what clients may not do any more, are for ``Broker/rightsChanged()``. No password is remembered any more.
    package func replace(
        credentials: [String: ScramCredentials], passwords: [String: PasswordFile] = [:], tokens: [String: [TokenVerifier]] = [:],
        authorizers: [String: [CustomAuthorizer]] = [:], policies: PolicyBook, limits: CredentialLimits = CredentialLimits()
    ) {
        let fresh = passwords.mapValues { ListenerPasswords($0, limits: limits) }
        site.withLock { site in
            site = Site(
                credentials: credentials, tokens: TokenCheck(verifiers: tokens), passwords: fresh,
                authorizers: authorizers, policies: policies.adding(site.registered), base: policies, registered: site.registered,
                generation: site.generation + 1)
            publish(site)
        }
    }

    /// Takes other rights by API, beside the policies that are there.
    ///
    /// What clients may not do any more is for ``Broker/rightsChanged()``.
    package func replace(registered: RegisteredRights) {
        site.withLock { site in
            site.registered = registered
            site.policies = site.base.adding(registered)
            site.generation += 1
            publish(site)
        }
    }

    /// Under the lock: what is read beside it is in the order of the changes.
    private func publish(_ site: borrowing Site) {
        generation.store(site.generation, ordering: .releasing)
        isEnforced.store(site.policies.isEnforced, ordering: .releasing)
        asksForAttributes.store(site.policies.asksForAttributes, ordering: .releasing)
        let isJudged = site.policies.asksForAttributes || !site.registered.certificates.isEmpty
        isJudgedByAttributes.store(isJudged, ordering: .releasing)
    }

    // MARK: Who is this

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        guard connection.terms.dialect == .aws else { return authenticate(connect, isToken: false, on: connection) }
        do throws(AuthorizerRefusal) {
            let credentials = try AWSCredentials(connect, site.withLock { $0.authorizers[connection.listener] ?? [] })
            return authenticate(credentials.connect, isToken: credentials.isToken, on: connection)
        } catch {
            return .refused(.badUserNameOrPassword, error.reason)
        }
    }

    private func authenticate(_ connect: Connect, isToken: Bool, on connection: ConnectionInfo) -> Authentication {
        let (passwords, scram, tokens) = site.withLock {
            (isToken ? nil : $0.passwords[connection.listener], $0.credentials[connection.listener], $0.tokens)
        }
        // Where users prove who they are, nobody is let in as nobody who claims to be somebody. Who has a certificate has proved that.
        if connection.principal == nil, connect.userName != nil || connect.password != nil {
            if let answer = tokens.authenticate(connect, on: connection, takesPasswords: passwords != nil, now: clock()) { return answer }
            if let passwords { return passwords.authenticate(userName: connect.userName, password: connect.password, now: .now) }
            if scram != nil {
                return .refused(
                    .badUserNameOrPassword,
                    "the listener checks passwords by \(ScramServer.mechanism) alone, with MQTT 5, and none that come with CONNECT")
            }
        }
        let answer = base.authenticate(connect, on: connection)
        guard case .refused(let code, _) = answer else { return answer }
        let taken =
            (passwords == nil ? [] : ["give a user name and a password"])
            + (tokens.takesTokens(connection) ? ["show a token (JWT) as password"] : [])
            + (scram == nil ? [] : ["authenticate by \(ScramServer.mechanism), with MQTT 5"])
        return taken.isEmpty ? answer : .refused(code, "the listener takes clients that \(taken.joined(separator: ", or "))")
    }

    package func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? {
        if method == TokenExchange.method { return site.withLock { $0.tokens }.exchange(on: connection, clock: clock) }
        guard method == ScramServer.mechanism, let known = site.withLock({ $0.credentials[connection.listener] }) else { return nil }
        return ScramExchange(credentials: known)
    }

    package func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String? {
        if credential == connection.credential {
            if signatures?.holds(fingerprint: credential.bytes) == true { return nil }
            return "the access key by which the request was signed is gone, or another one now"
        }
        let (passwords, scram, tokens) = site.withLock {
            ($0.passwords[connection.listener], $0.credentials[connection.listener], $0.tokens)
        }
        if TokenCheck.isToken(credential) { return tokens.refusal(of: credential, on: connection) }
        if let principal {
            let now = [scram?.fingerprint(of: principal), passwords?.fingerprint(of: principal)]
            if now.contains(where: { $0.map(CredentialFingerprint.init) == credential }) { return nil }
        }
        return "the user is not in the listener's file any more, or has another password"
    }

    /// Wherever rights are asked for: what denies by an attribute may come by a reload, and is to reach who is connected by then.
    package var wantsAttributes: Bool { isEnforced.load(ordering: .acquiring) || asksForAttributes.load(ordering: .acquiring) }

    package var judgesByAttributes: Bool { isJudgedByAttributes.load(ordering: .acquiring) }

    package func attributes(ofCaller claims: [String: String], from address: String?) -> [String: String] {
        var attributes: [String: String] = [:]
        for (name, text) in claims { attributes[ClaimVariable.prefix + name] = text }
        attributes[PolicyCondition.sourceAddress] = address
        return attributes
    }

    package func attributes(of connect: Connect, on connection: ConnectionInfo) -> [String: String] {
        ClientAttributes.of(connect, on: connection)
    }

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

    package func refusal(ofCall action: String, on arn: String, by caller: Publisher) -> String? {
        if isUnrestricted { return nil }
        guard let asked = PolicyAction(named: action) else { return "\(action) is no action that policies know" }
        return grants(of: caller).decide(asked, arn: arn).refusal(of: asked, arn: arn)
    }

    /// Whether there are users of a file who get in on a listener, by a password or by SCRAM.
    package func hasUsers(on listener: String) -> Bool {
        site.withLock { ($0.passwords[listener]?.count ?? 0) + ($0.credentials[listener]?.count ?? 0) > 0 }
    }

    package func denies(call action: String, on arn: String, to caller: Publisher) -> Bool {
        if isUnrestricted { return false }
        guard let asked = PolicyAction(named: action) else { return false }
        return grants(of: caller).decide(asked, arn: arn).isDenied
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
            of: PolicySubject(
                clientID: client.clientID ?? "", principal: client.principal, attributes: client.notes?.attributes ?? [:],
                isKnown: client.notes?.isKnown ?? true))
        grantsMade.add(1, ordering: .relaxed)
        client.notes?.keep(KeptGrants(grants, of: generation))
        return grants
    }
}
