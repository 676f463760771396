package import NIOCore

/// CONNECT (MQTT 3.1.1 and MQTT 5 section 3.1).
package struct Connect: Equatable, Sendable {
    /// Empty when the client leaves the choice to the server.
    package var clientID: String
    /// Whether a session that exists is to be discarded; MQTT 3.1.1 calls it clean session, and it then also ends with the connection.
    package var cleanStart: Bool
    /// Seconds; 0 turns the check off.
    package var keepAlive: UInt16
    package var version: ProtocolVersion
    /// MQTT 5 only.
    package var properties: Properties
    package var will: Will?
    package var userName: String?
    package var password: ByteBuffer?

    package init(
        clientID: String, cleanStart: Bool = true, keepAlive: UInt16 = 0, version: ProtocolVersion = .v311,
        properties: Properties = Properties(), will: Will? = nil, userName: String? = nil, password: ByteBuffer? = nil
    ) {
        self.clientID = clientID
        self.cleanStart = cleanStart
        self.keepAlive = keepAlive
        self.version = version
        self.properties = properties
        self.will = will
        self.userName = userName
        self.password = password
    }

    private struct Flags {
        static let reserved: UInt8 = 0x01
        static let cleanStart: UInt8 = 0x02
        static let will: UInt8 = 0x04
        static let willRetain: UInt8 = 0x20
        static let password: UInt8 = 0x40
        static let userName: UInt8 = 0x80
    }
}

extension ProtocolVersion {
    /// What CONNECT begins with.
    fileprivate var protocolName: String { self == .v31 ? "MQIsdp" : "MQTT" }
}

// MARK: Decoding

extension Connect {
    /// The version that a CONNECT asks for, whatever follows in it: what a server answers in when the packet does not decode.
    ///
    /// Throws for another protocol or level, as decoding does.
    package static func version(of packet: ByteBuffer, header: FixedHeader) throws(DecodeError) -> ProtocolVersion {
        var body = packet
        guard body.readSlice(length: header.headerLength) != nil else { throw .truncated(.connect) }
        var fields = FieldReader(body, of: .connect)
        return try version(from: &fields, header: header)
    }

    private static func version(from fields: inout FieldReader, header: FixedHeader) throws(DecodeError) -> ProtocolVersion {
        let name = try fields.binary()
        // Only MQTT 3.1 calls itself MQIsdp; its clients understand the refusal of another level.
        let isOldName = name.readableBytesView.elementsEqual(ProtocolVersion.v31.protocolName.utf8)
        guard isOldName || name.readableBytesView.elementsEqual(ProtocolVersion.v5.protocolName.utf8) else {
            throw .wrongProtocolName  // [MQTT-3.1.2-1] [MQTT5-3.1.2-1]
        }
        let level = try fields.byte()
        guard let version = ProtocolVersion(rawValue: level), isOldName == (version == .v31) else {
            throw .unsupportedProtocolLevel(level, ofOldName: isOldName)  // [MQTT-3.1.2-2] [MQTT5-3.1.2-2]
        }
        // Its header may have been read as one of MQTT 3.1 [MQTT-2.2.2-1] [MQTT-2.2.2-2] [MQTT5-2.1.3-1].
        if version != .v31, header.flags != 0 { throw .reservedFlags(.connect, header.flags) }
        return version
    }

    init(decoding body: ByteBuffer, header: FixedHeader, limits: DecodingLimits) throws(DecodeError) {
        var fields = FieldReader(body, of: .connect)
        version = try Self.version(from: &fields, header: header)
        let context = DecodingContext(version: version, sender: .client, limits: limits)
        if version == .v5, !header.isMinimal { throw .integerNotMinimal(.connect) }  // [MQTT5-1.5.5-1]
        let flags = try fields.byte()
        if flags & Flags.reserved != 0, version != .v31 { throw .reservedConnectFlag }  // [MQTT-3.1.2-3] [MQTT5-3.1.2-3]
        keepAlive = try fields.twoByteInteger()
        cleanStart = flags & Flags.cleanStart != 0
        properties = try fields.properties(of: .connect, context)
        // [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.3-4] [MQTT5-3.1.3-1] [MQTT5-3.1.3-3] [MQTT5-3.1.3-4]
        clientID = try fields.text()
        will = try Self.will(flags: flags, from: &fields, context)
        // [MQTT-3.1.2-22]
        if version != .v5, flags & (Flags.userName | Flags.password) == Flags.password { throw .passwordWithoutUserName }
        // [MQTT-3.1.2-19] [MQTT-3.1.3-11] [MQTT5-3.1.2-17] [MQTT5-3.1.3-12]
        userName = flags & Flags.userName != 0 && !Self.leavesOut(fields, version) ? try fields.text() : nil
        // [MQTT-3.1.2-21] [MQTT5-3.1.2-19]
        password = flags & Flags.password != 0 && !Self.leavesOut(fields, version) ? try fields.binary() : nil
        try fields.end()  // [MQTT-3.1.2-18] [MQTT-3.1.2-20] [MQTT5-3.1.2-16] [MQTT5-3.1.2-18]
        if properties.authenticationData != nil, properties.authenticationMethod == nil { throw .noAuthenticationMethod(.connect) }
    }

    /// In MQTT 3.1 the remaining length goes before the flags: a user name or password that it leaves no room for is not there (V3.1 section
    /// 3.1), as with clients of the version before.
    private static func leavesOut(_ fields: FieldReader, _ version: ProtocolVersion) -> Bool { version == .v31 && fields.isAtEnd }

    private static func will(flags: UInt8, from fields: inout FieldReader, _ context: DecodingContext) throws(DecodeError) -> Will? {
        let qosBits = (flags >> 3) & 0b11
        let retain = flags & Flags.willRetain != 0
        guard flags & Flags.will != 0 else {
            // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15] [MQTT5-3.1.2-11] [MQTT5-3.1.2-13]
            if qosBits != 0 || retain, context.version != .v31 { throw .willFlagsWithoutWill }
            return nil
        }
        guard let qos = QoS(rawValue: qosBits) else { throw .invalidQoS(.connect) }  // [MQTT-3.1.2-14] [MQTT5-3.1.2-12]
        let properties = try fields.properties(of: .will, context)
        let topic = try fields.topicName()  // [MQTT-3.1.2-9] [MQTT-3.1.3-10] [MQTT5-3.1.2-9] [MQTT5-3.1.3-11]
        let payload = try fields.binary()
        return Will(topic: topic, payload: payload, qos: qos, retain: retain, properties: properties)
    }
}

// MARK: Encoding

/// CONNECT is written in its own ``version``, whatever version the caller names.
extension Connect: EncodablePacket {
    package var firstByte: UInt8 { PacketType.connect.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        var size = 8 + self.version.protocolName.utf8.count + clientID.utf8.count
        if let will { size += 4 + will.topic.readableBytes + will.payload.readableBytes }
        if let userName { size += 2 + userName.utf8.count }
        if let password { size += 2 + password.readableBytes }
        if self.version == .v5 { size += properties.encodedSize + (will?.properties.encodedSize ?? 0) }
        return size
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeMQTTText(self.version.protocolName)
        buffer.writeMultipleIntegers(self.version.rawValue, flags, keepAlive)
        if self.version == .v5 { buffer.writeProperties(properties) }
        buffer.writeMQTTText(clientID)
        if let will {
            if self.version == .v5 { buffer.writeProperties(will.properties) }
            buffer.writeMQTTBinary(will.topic)
            buffer.writeMQTTBinary(will.payload)
        }
        if let userName { buffer.writeMQTTText(userName) }
        if let password { buffer.writeMQTTBinary(password) }
    }

    private var flags: UInt8 {
        var flags: UInt8 = cleanStart ? Flags.cleanStart : 0
        if let will {
            flags |= Flags.will | will.qos.rawValue << 3
            if will.retain { flags |= Flags.willRetain }
        }
        if userName != nil { flags |= Flags.userName }
        if password != nil { flags |= Flags.password }
        return flags
    }
}
