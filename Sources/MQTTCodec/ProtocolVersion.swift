/// The versions of MQTT that the codec speaks; the raw value is the protocol level of CONNECT.
package enum ProtocolVersion: UInt8, Sendable, CaseIterable {
    /// MQTT 3.1, whose protocol name is `MQIsdp`.
    ///
    /// Read and written as MQTT 3.1.1, but where IBM's and Eurotech's specification differs: CONNECT, the flags of the fixed header, and
    /// what CONNACK and SUBACK cannot say.
    case v31 = 3
    /// MQTT 3.1.1.
    case v311 = 4
    /// MQTT 5.
    case v5 = 5

    /// The version as people write it: `3.1`, `3.1.1` or `5`.
    package var name: String {
        switch self {
        case .v31: "3.1"
        case .v311: "3.1.1"
        case .v5: "5"
        }
    }

    /// Whether packets have properties and reason codes; without them a PUBLISH is the same bytes in every version.
    package var hasProperties: Bool { self == .v5 }
}

/// The side of a connection that a packet comes from.
///
/// Some reason codes and properties of MQTT 5 are for one side only.
package enum Sender: Sendable, CaseIterable {
    case client
    case server
}
