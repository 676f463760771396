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

    /// Its place among all CONNECTs, from the shard where it came; 0 until then.
    var attempt: UInt64 = 0

    var clientID: String { connect.clientID }

    /// Seconds that the session outlives its connection.
    func sessionExpirySeconds(limits: BrokerLimits) -> Int {
        switch connect.version {
        case .v311: connect.cleanStart ? 0 : limits.sessionExpirySecondsMax
        case .v5: min(Int(connect.properties.sessionExpiryInterval ?? 0), limits.sessionExpirySecondsMax)
        }
    }
}
