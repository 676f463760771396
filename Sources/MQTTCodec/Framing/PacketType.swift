/// The control packet types (MQTT 3.1.1 table 2.1, MQTT 5 table 2-1).
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
    /// MQTT 5 only.
    case auth = 15

    /// The four flag bits that this type must carry; `nil` for PUBLISH, whose flags mean something.
    package var requiredFlags: UInt8? {
        switch self {
        case .publish: nil
        case .pubrel, .subscribe, .unsubscribe:
            0b0010  // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT5-3.6.1-1] [MQTT5-3.8.1-1] [MQTT5-3.10.1-1]
        default: 0  // for DISCONNECT also [MQTT-3.14.1-1] [MQTT5-3.14.1-1], for AUTH [MQTT5-3.15.1-1]
        }
    }

    /// Whether a packet of this type may carry the flags in MQTT 3.1, where DUP and RETAIN are no error where they mean nothing, nor is QoS
    /// in a type that has none (V3.1 sections 2.1 and 3.1 to 3.14).
    ///
    /// A client of MQTT 3.1 sets DUP when it sends SUBSCRIBE, UNSUBSCRIBE or PUBREL again.
    func allowsInMQTT31(_ flags: UInt8) -> Bool { requiredFlags != 0b0010 || flags & 0b0110 == 0b0010 }

    /// The remaining length of a type whose packets all have the same; `nil` where it differs from packet to packet.
    package func exactRemainingLength(in version: ProtocolVersion) -> Int? {
        switch self {
        case .pingreq, .pingresp: 0
        case .disconnect: version != .v5 ? 0 : nil
        case .connack, .puback, .pubrec, .pubrel, .pubcomp, .unsuback: version != .v5 ? 2 : nil
        case .connect, .publish, .subscribe, .suback, .unsubscribe, .auth: nil
        }
    }

    /// The least remaining length that a packet of MQTT 5 can have, where its header is to be judged by it.
    ///
    /// Acknowledgements consist at least of their packet identifier, CONNACK of flags, reason code and property length, SUBACK and UNSUBACK
    /// of identifier, property length and one reason code.
    var leastRemainingLength: Int {
        switch self {
        case .puback, .pubrec, .pubrel, .pubcomp: 2
        case .connack: 3
        case .suback, .unsuback: 4
        default: 0
        }
    }

    /// Whether a client may send this type to a server.
    package var isSentByClients: Bool {
        switch self {
        case .connack, .suback, .unsuback, .pingresp: false
        default: true
        }
    }

    /// The first byte of a packet of this type; for PUBLISH with all flags 0.
    var firstByte: UInt8 { rawValue << 4 | (requiredFlags ?? 0) }

    /// The type's name as the specification writes it.
    package var name: String { "\(self)".uppercased() }
}
