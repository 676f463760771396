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
    /// By which the principal was proved, where that may be taken back.
    var credential: CredentialFingerprint?
    /// When the proof holds no more; `nil` for one that does not end.
    var proofEndsAt: Instant?
    /// What was proved beside the name.
    var attributes: [String: String] = [:]

    /// Its place among all CONNECTs, from the shard where it came; 0 until then.
    var attempt: UInt64 = 0

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
    }

    /// Seconds that the session outlives its connection.
    ///
    /// MQTT 3.1.1 cannot ask for a number: there it is all that the broker gives, on IoT Core an hour.
    func sessionExpirySeconds(on connection: ClientConnection) -> Int {
        let secondsMax = connection.limits.values.sessionExpirySecondsMax
        switch connect.version {
        case .v311: return connect.cleanStart ? 0 : connection.isAWS ? min(secondsMax, AWSQuotas.sessionSecondsUnasked) : secondsMax
        case .v5: return min(Int(connect.properties.sessionExpiryInterval ?? 0), secondsMax)
        }
    }
}
