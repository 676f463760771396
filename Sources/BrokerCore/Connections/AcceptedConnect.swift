import MQTTCodec
import NIOCore

/// A CONNECT whose client has proved who it is: what goes to the shard that holds the session.
package struct AcceptedConnect: Sendable {
    var connect: Connect
    var principal: String?
    /// The client left its identifier to the broker, and is told which it got [MQTT5-3.1.3-7].
    var isAssignedClientID = false
    /// What enhanced authentication says last.
    var authenticationData: ByteBuffer?
    /// By which the client proved the principal.
    var credential: CredentialFingerprint?
    /// When the proof holds no more; `nil` for one that does not end.
    var proofEndsAt: Instant?
    /// What was proved beside the name.
    var attributes: [String: String] = [:]
    /// Of these, the names of those that another proof would replace.
    var provedNames: Set<String> = []

    /// Its place among all CONNECTs, from the shard where it came; 0 until it is claimed, unless its proof took a while.
    var attempt: UInt64 = 0
    /// It has come from another shard, which has looked at it.
    var isHandedOver = false

    var clientID: String { connect.clientID }

    /// Whom the authorizer is asked about before there is a session.
    var client: Publisher {
        Publisher(clientID: clientID, principal: principal, notes: attributes.isEmpty ? nil : AuthorizerNotes(attributes: attributes))
    }

    mutating func take(_ proof: Proof?, at now: Instant) {
        guard let proof else { return }
        credential = proof.credential
        proofEndsAt = proof.seconds.map { now.advanced(bySeconds: Double($0)) }
        attributes = proof.attributes
        provedNames = Set(proof.attributes.keys)
    }

    /// Seconds that the session outlives its connection.
    ///
    /// MQTT 3.1.1 cannot ask for a number: there it is all that the broker gives, on IoT Core an hour.
    func sessionExpirySeconds(on connection: ClientConnection) -> Int {
        let secondsMax = connection.limits.values.sessionExpirySecondsMax
        switch connect.version {
        case .v31, .v311: return connect.cleanStart ? 0 : connection.isAWS ? min(secondsMax, AWSQuotas.sessionSecondsUnasked) : secondsMax
        case .v5: return min(Int(connect.properties.sessionExpiryInterval ?? 0), secondsMax)
        }
    }
}
