/// The versions of MQTT that the codec speaks; the raw value is the protocol level of CONNECT.
package enum ProtocolVersion: UInt8, Sendable, CaseIterable {
    /// MQTT 3.1.1.
    case v311 = 4
    /// MQTT 5.
    case v5 = 5

    /// The version as people write it: `3.1.1` or `5`.
    package var name: String {
        switch self {
        case .v311: "3.1.1"
        case .v5: "5"
        }
    }
}

/// The side of a connection that a packet comes from.
///
/// Some reason codes and properties of MQTT 5 are for one side only.
package enum Sender: Sendable, CaseIterable {
    case client
    case server
}
