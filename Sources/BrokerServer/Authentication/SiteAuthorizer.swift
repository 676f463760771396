package import BrokerCore
package import MQTTCodec
import Synchronization
package import Trust

/// Who may connect, by what each listener says: a client certificate, SCRAM, or nothing where it takes anonymous clients.
///
/// Once in, a client may do everything.
package final class SiteAuthorizer: Authorizer {
    private let base = ListenerAuthorizer()
    /// By the listener's name.
    private let credentials: Mutex<[String: ScramCredentials]>

    package init(credentials: [String: ScramCredentials] = [:]) { self.credentials = Mutex(credentials) }

    /// Takes other credentials, as after a reload.
    ///
    /// Exchanges that have begun end by the old ones.
    package func replace(credentials: [String: ScramCredentials]) { self.credentials.withLock { $0 = credentials } }

    package var isUnrestricted: Bool { base.isUnrestricted }

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        let answer = base.authenticate(connect, on: connection)
        if case .refused(let code, _) = answer, offersScram(connection) {
            return .refused(code, "the listener takes clients that authenticate by \(ScramServer.mechanism), with MQTT 5")
        }
        return answer
    }

    package func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? {
        guard method == ScramServer.mechanism, let known = credentials.withLock({ $0[connection.listener] }) else { return nil }
        return ScramExchange(credentials: known)
    }

    private func offersScram(_ connection: ConnectionInfo) -> Bool { credentials.withLock { $0[connection.listener] != nil } }

    package func allowsPublish(to topic: String, by publisher: Publisher) -> Bool { base.allowsPublish(to: topic, by: publisher) }
    package func allowsSubscribe(to filter: String, by subscriber: Publisher) -> Bool { base.allowsSubscribe(to: filter, by: subscriber) }
    package func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { base.allowsDelivery(of: topic, to: subscriber) }
}
