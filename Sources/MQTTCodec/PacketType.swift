/// The control packet types of MQTT 3.1.1, table 2.1.
package enum PacketType: UInt8, Sendable, CaseIterable {
    case connect = 1
    case connack = 2
    case publish = 3
    case puback = 4
    case pubrec = 5
    case pubrel = 6
    case pubcomp = 7
    case subscribe = 8
    case suback = 9
    case unsubscribe = 10
    case unsuback = 11
    case pingreq = 12
    case pingresp = 13
    case disconnect = 14

    /// The four flag bits that this type must carry; `nil` for PUBLISH, whose flags mean something.
    package var requiredFlags: UInt8? {
        switch self {
        case .publish: nil
        case .pubrel, .subscribe, .unsubscribe: 0b0010  // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
        default: 0  // for DISCONNECT also [MQTT-3.14.1-1]
        }
    }

    /// The remaining length of a type whose packets all have the same; `nil` where it differs from packet to packet.
    package var exactRemainingLength: Int? {
        switch self {
        case .pingreq, .pingresp, .disconnect: 0
        case .connack, .puback, .pubrec, .pubrel, .pubcomp, .unsuback: 2
        case .connect, .publish, .subscribe, .suback, .unsubscribe: nil
        }
    }

    /// Whether a client may send this type to a server.
    package var isSentByClients: Bool {
        switch self {
        case .connack, .suback, .unsuback, .pingresp: false
        default: true
        }
    }

    /// The type's name as the specification writes it.
    package var name: String { "\(self)".uppercased() }
}
