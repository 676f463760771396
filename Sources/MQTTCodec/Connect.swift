package import NIOCore

/// The message that the broker publishes for a client that leaves without DISCONNECT.
package struct Will: Equatable, Sendable {
    package var topic: ByteBuffer
    package var payload: ByteBuffer
    package var qos: QoS
    package var retain: Bool

    package init(topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
    }
}

/// CONNECT (MQTT 3.1.1 section 3.1).
package struct Connect: Equatable, Sendable {
    /// Empty when the client leaves the choice to the server.
    package var clientID: String
    package var cleanSession: Bool
    /// Seconds; 0 turns the check off.
    package var keepAlive: UInt16
    package var will: Will?
    package var userName: String?
    package var password: ByteBuffer?

    package init(
        clientID: String, cleanSession: Bool = true, keepAlive: UInt16 = 0, will: Will? = nil, userName: String? = nil,
        password: ByteBuffer? = nil
    ) {
        self.clientID = clientID
        self.cleanSession = cleanSession
        self.keepAlive = keepAlive
        self.will = will
        self.userName = userName
        self.password = password
    }

    private struct Flags {
        static let reserved: UInt8 = 0x01
        static let cleanSession: UInt8 = 0x02
        static let will: UInt8 = 0x04
        static let willRetain: UInt8 = 0x20
        static let password: UInt8 = 0x40
        static let userName: UInt8 = 0x80
    }

    init(decoding body: ByteBuffer) throws(DecodeError) {
        var fields = FieldReader(body, of: .connect)
        let name = try fields.binary()
        // MQTT 3.1 calls itself MQIsdp; its clients understand the refusal of their level.
        let isOldName = name.readableBytesView.elementsEqual("MQIsdp".utf8)
        guard isOldName || name.readableBytesView.elementsEqual("MQTT".utf8) else { throw .wrongProtocolName }  // [MQTT-3.1.2-1]
        let level = try fields.byte()
        guard level == 4, !isOldName else { throw .unsupportedProtocolLevel(level) }  // [MQTT-3.1.2-2]
        let flags = try fields.byte()
        if flags & Flags.reserved != 0 { throw .reservedConnectFlag }  // [MQTT-3.1.2-3]
        keepAlive = try fields.twoByteInteger()
        cleanSession = flags & Flags.cleanSession != 0
        clientID = try fields.text()  // [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.3-4]
        will = try Self.will(flags: flags, from: &fields)
        userName = flags & Flags.userName != 0 ? try fields.text() : nil  // [MQTT-3.1.2-19] [MQTT-3.1.3-11]
        if flags & Flags.password != 0 {
            if userName == nil { throw .passwordWithoutUserName }  // [MQTT-3.1.2-22]
            password = try fields.binary()  // [MQTT-3.1.2-21]
        } else {
            password = nil
        }
        try fields.end()  // [MQTT-3.1.2-18] [MQTT-3.1.2-20]
    }

    private static func will(flags: UInt8, from fields: inout FieldReader) throws(DecodeError) -> Will? {
        let qosBits = (flags >> 3) & 0b11
        let retain = flags & Flags.willRetain != 0
        guard flags & Flags.will != 0 else {
            if qosBits != 0 || retain { throw .willFlagsWithoutWill }  // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]
            return nil
        }
        guard let qos = QoS(rawValue: qosBits) else { throw .invalidQoS(.connect) }  // [MQTT-3.1.2-14]
        let topic = try fields.topicName()  // [MQTT-3.1.2-9] [MQTT-3.1.3-10]
        let payload = try fields.binary()
        return Will(topic: topic, payload: payload, qos: qos, retain: retain)
    }

    func encode(into buffer: inout ByteBuffer) {
        var flags: UInt8 = cleanSession ? Flags.cleanSession : 0
        if let will {
            flags |= Flags.will | will.qos.rawValue << 3
            if will.retain { flags |= Flags.willRetain }
        }
        if userName != nil { flags |= Flags.userName }
        if password != nil { flags |= Flags.password }
        var body = ByteBuffer()
        body.writeMQTTText("MQTT")
        body.writeInteger(UInt8(4))
        body.writeInteger(flags)
        body.writeInteger(keepAlive)
        body.writeMQTTText(clientID)
        if let will {
            body.writeMQTTBinary(will.topic)
            body.writeMQTTBinary(will.payload)
        }
        if let userName { body.writeMQTTText(userName) }
        if let password { body.writeMQTTBinary(password) }
        buffer.writeInteger(PacketType.connect.rawValue << 4)
        buffer.writeRemainingLength(body.readableBytes)
        buffer.writeBuffer(&body)
    }
}

/// The return codes of CONNACK (MQTT 3.1.1 table 3.1).
package enum ConnectReturnCode: UInt8, Sendable, CaseIterable {
    case accepted = 0
    case unacceptableProtocolVersion = 1
    case identifierRejected = 2
    case serverUnavailable = 3
    case badUserNameOrPassword = 4
    case notAuthorized = 5
}

/// CONNACK (MQTT 3.1.1 section 3.2).
package struct Connack: Equatable, Sendable {
    /// Means something with ``ConnectReturnCode/accepted`` only, and is written as 0 with any other code.
    package var sessionPresent: Bool
    package var returnCode: ConnectReturnCode

    package init(sessionPresent: Bool, returnCode: ConnectReturnCode) {
        self.sessionPresent = sessionPresent
        self.returnCode = returnCode
    }
}

extension ByteBuffer {
    /// A text or bytes with their two-byte length in front.
    ///
    /// - Precondition: at most 65,535 bytes; what came off the wire always fits, what the program makes is checked where it is made.
    mutating func writeMQTTText(_ text: String) {
        precondition(text.utf8.count <= 65_535, "an MQTT text has at most 65,535 bytes")
        writeInteger(UInt16(text.utf8.count))
        writeString(text)
    }

    mutating func writeMQTTBinary(_ bytes: ByteBuffer) {
        precondition(bytes.readableBytes <= 65_535, "an MQTT binary field has at most 65,535 bytes")
        writeInteger(UInt16(bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }
}
