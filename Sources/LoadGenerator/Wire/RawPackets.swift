package import MQTTCodec
package import NIOCore

/// The versions of MQTT that the generator speaks.
package enum MQTTVersion: String, Codable, CaseIterable, Sendable {
    case v311 = "3.1.1"
    case v5 = "5"

    /// The protocol level in CONNECT.
    var level: UInt8 { self == .v311 ? 4 : 5 }
}

/// The few MQTT packets that a load generator sends, written out byte by byte.
///
/// The generator shares no code with the broker's codec on purpose. A generator that encodes with the broker's own codec would agree with
/// its mistakes and measure neither. It must not be the bottleneck either: what is sent a million times a second is a finished template
/// in which a few bytes change (see ``PublishTemplate``).
package enum RawPackets {
    /// The largest remaining length that the protocol can express (MQTT 3.1.1 section 2.2.3).
    package static let remainingLengthMax = 268_435_455
    /// How long an MQTT 5 broker keeps a session that outlives its connection, in seconds; a run ends its sessions itself.
    private static let sessionExpirySeconds: UInt32 = 3_600

    package static let pingRequest: [UInt8] = [0xC0, 0x00]
    package static let disconnect: [UInt8] = [0xE0, 0x00]

    /// A CONNECT without a will, for a clean session or for one that is kept.
    ///
    /// Keep-alive is 0 (off): a generator that waits for a stalled broker must not be thrown out while it waits.
    package static func connect(
        clientID: String, username: String?, password: String?, keepsSession: Bool = false, version: MQTTVersion = .v311
    ) -> [UInt8] {
        var flags: UInt8 = keepsSession ? 0 : 0x02  // clean session
        var payload = prefixed(clientID.utf8)
        if let username {
            flags |= 0x80
            payload += prefixed(username.utf8)
        }
        if let password {
            flags |= 0x40
            payload += prefixed(password.utf8)
        }
        return packet(
            firstByte: 0x10, body: prefixed("MQTT".utf8) + [version.level, flags, 0, 0] + properties(keepsSession, version) + payload)
    }

    /// MQTT 5 keeps a session for the Session Expiry Interval (0x11), and without one not at all.
    private static func properties(_ keepsSession: Bool, _ version: MQTTVersion) -> [UInt8] {
        guard version == .v5 else { return [] }
        guard keepsSession else { return [0] }
        return [5, 0x11] + (0..<4).map { UInt8(truncatingIfNeeded: sessionExpirySeconds >> (24 - 8 * $0)) }
    }

    /// A SUBSCRIBE to one filter, with packet identifier 1.
    package static func subscribe(filter: String, qos: QoS, version: MQTTVersion = .v311) -> [UInt8] {
        packet(firstByte: 0x82, body: [0, 1] + (version == .v5 ? [0] : []) + prefixed(filter.utf8) + [qos.rawValue])
    }

    /// Appends an acknowledgement of four bytes: its first byte, and the packet it answers.
    package static func appendAcknowledgement(_ kind: Acknowledgement, of packetIdentifier: UInt16, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt32(kind.rawValue) << 24 | 0x0002_0000 | UInt32(packetIdentifier))
    }

    /// The fixed header and the body of one packet.
    ///
    /// - Precondition: `body` is no longer than ``remainingLengthMax``; callers check sizes that come from the command line.
    static func packet(firstByte: UInt8, body: [UInt8]) -> [UInt8] {
        [firstByte] + remainingLength(body.count) + body
    }

    /// The variable-length form of a remaining length: seven bits a byte, lowest first (MQTT 3.1.1 section 2.2.3).
    static func remainingLength(_ length: Int) -> [UInt8] {
        precondition(length >= 0 && length <= remainingLengthMax, "a packet of \(length) bytes does not exist in MQTT")
        var rest = length
        var bytes: [UInt8] = []
        repeat {
            let byte = UInt8(truncatingIfNeeded: rest & 0x7F)
            rest >>= 7
            bytes.append(rest > 0 ? byte | 0x80 : byte)
        } while rest > 0
        return bytes
    }

    /// Text with its length before it, as MQTT writes strings; 65,535 bytes at most.
    static func prefixed(_ text: String.UTF8View) -> [UInt8] {
        precondition(text.count <= 65_535, "a string of \(text.count) bytes does not fit into an MQTT packet")
        return [UInt8(text.count >> 8), UInt8(text.count & 0xFF)] + Array(text)
    }
}

/// The four-byte packets of the QoS 1 and 2 handshakes, by their first byte.
package enum Acknowledgement: UInt8, Sendable {
    case publishAcknowledged = 0x40
    case publishReceived = 0x50
    case publishRelease = 0x62  // its flags are 0010 [MQTT-3.6.1-1]
    case publishComplete = 0x70
}
