package import BrokerCore
package import MQTTCodec
package import Rights
import Synchronization
package import Trust

/// Who may connect, by what each listener says, and what they may do then, by the site's policies.
///
/// A listener takes clients with a certificate, by SCRAM, or anonymous ones.
/// Where no policy is declared, whoever is let in may do everything.
package final class SiteAuthorizer: Authorizer {
    /// Clients whose grants are kept; at more, all are worked out anew.
    private static let grantsKeptMax = 20_000

    private struct Site {
        /// By the listener's name.
        var credentials: [String: ScramCredentials]
        var policies: PolicyBook
        /// Of clients that asked lately: what a policy's text means for one client is worked out once.
        var grants: [PolicySubject: Grants] = [:]
    }

    private let base = ListenerAuthorizer()
    private let site: Mutex<Site>
    /// Read for every message, so not behind the lock.
    private let isEnforced: Atomic<Bool>

    package init(credentials: [String: ScramCredentials] = [:], policies: PolicyBook = PolicyBook()) {
        site = Mutex(Site(credentials: credentials, policies: policies))
        isEnforced = Atomic(policies.isEnforced)
    }

    /// Takes other credentials and policies, as after a reload.
    ///
    /// Exchanges that have begun end by the old credentials. What clients may not do any more is taken back by
    /// ``Broker/rightsChanged()``.
    package func replace(credentials: [String: ScramCredentials], policies: PolicyBook) {
        site.withLock { $0 = Site(credentials: credentials, policies: policies) }
        isEnforced.store(policies.isEnforced, ordering: .releasing)
    }

    // MARK: Who is this

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        let answer = base.authenticate(connect, on: connection)
        if case .refused(let code, _) = answer, offersScram(connection) {
            return .refused(code, "the listener takes clients that authenticate by \(ScramServer.mechanism), with MQTT 5")
        }
        return answer
    }

    package func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? {
        guard method == ScramServer.mechanism, let known = site.withLock({ $0.credentials[connection.listener] }) else { return nil }
        return ScramExchange(credentials: known)
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

    private func refusal(of action: PolicyAction, _ name: String, by client: Publisher) -> String? {
        if isUnrestricted { return nil }
        return grants(of: client).decide(action, name).refusal(of: action, name)
    }

    private func grants(of client: Publisher) -> Grants {
        let subject = PolicySubject(clientID: client.clientID ?? "", principal: client.principal)
        return site.withLock { site in
            if let known = site.grants[subject] { return known }
            if site.grants.count >= Self.grantsKeptMax { site.grants.removeAll() }
            let grants = site.policies.grants(of: subject)
            site.grants[subject] = grants
            return grants
        }
    }
}
