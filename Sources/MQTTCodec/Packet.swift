package import NIOCore

/// One control packet of MQTT 3.1.1, of either direction.
///
/// The broker's hot path reads PUBLISH through ``PublishLayout`` and never makes a `Packet` of it.
package enum Packet: Equatable, Sendable {
    case connect(Connect)
    case connack(Connack)
    case publish(Publish)
    case puback(packetID: UInt16)
    case pubrec(packetID: UInt16)
    case pubrel(packetID: UInt16)
    case pubcomp(packetID: UInt16)
    case subscribe(Subscribe)
    case suback(Suback)
    case unsubscribe(Unsubscribe)
    case unsuback(packetID: UInt16)
    case pingreq
    case pingresp
    case disconnect

    /// Takes the next whole packet off the front of `buffer`; `nil`, and nothing taken, when more bytes are needed.
    ///
    /// A packet of more than `packetBytesMax` bytes throws as soon as its header is there; `filtersMax` bounds the topic filters of one
    /// SUBSCRIBE or UNSUBSCRIBE. After an error the stream has no next packet: the connection is to be closed.
    package static func read(
        from buffer: inout ByteBuffer, packetBytesMax: Int = 268_435_460, filtersMax: Int = .max
    ) throws(DecodeError) -> Packet? {
        guard let header = try FixedHeader(reading: buffer.readableBytesUInt8Span, at: 0, packetBytesMax: packetBytesMax),
            let packet = buffer.readSlice(length: header.packetLength)
        else { return nil }
        return try Packet(decoding: packet, header: header, filtersMax: filtersMax)
    }

    /// Decodes one whole packet, fixed header included.
    package init(decoding packet: ByteBuffer, header: FixedHeader, filtersMax: Int = .max) throws(DecodeError) {
        var body = packet
        body.moveReaderIndex(forwardBy: header.headerLength)
        switch header.type {
        case .connect: self = .connect(try Connect(decoding: body))
        case .connack: self = .connack(try Self.connack(body))
        case .publish: self = .publish(try Publish(decoding: packet, header: header))
        case .puback: self = .puback(packetID: try Self.identifier(body, of: header.type))
        case .pubrec: self = .pubrec(packetID: try Self.identifier(body, of: header.type))
        case .pubrel: self = .pubrel(packetID: try Self.identifier(body, of: header.type))
        case .pubcomp: self = .pubcomp(packetID: try Self.identifier(body, of: header.type))
        case .subscribe: self = .subscribe(try Subscribe(decoding: body, filtersMax: filtersMax))
        case .suback: self = .suback(try Suback(decoding: body))
        case .unsubscribe: self = .unsubscribe(try Unsubscribe(decoding: body, filtersMax: filtersMax))
        case .unsuback: self = .unsuback(packetID: try Self.identifier(body, of: header.type))
        case .pingreq:
            try FieldReader(body, of: .pingreq).end()
            self = .pingreq
        case .pingresp:
            try FieldReader(body, of: .pingresp).end()
            self = .pingresp
        case .disconnect:
            try FieldReader(body, of: .disconnect).end()
            self = .disconnect
        }
    }

    private static func identifier(_ body: ByteBuffer, of type: PacketType) throws(DecodeError) -> UInt16 {
        var fields = FieldReader(body, of: type)
        let value = try fields.packetIdentifier()
        try fields.end()
        return value
    }

    private static func connack(_ body: ByteBuffer) throws(DecodeError) -> Connack {
        var fields = FieldReader(body, of: .connack)
        let flags = try fields.byte()
        guard flags & 0xFE == 0 else { throw .reservedFlags(.connack, flags) }  // [MQTT-2.2.2-2]
        guard let code = ConnectReturnCode(rawValue: try fields.byte()) else { throw .invalidReturnCode(.connack) }
        if code != .accepted && flags != 0 { throw .reservedFlags(.connack, flags) }  // [MQTT-3.2.2-4]
        try fields.end()
        return Connack(sessionPresent: flags & 1 != 0, returnCode: code)
    }

    package func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .connect(let packet): packet.encode(into: &buffer)
        case .connack(let packet): buffer.writeConnack(packet)
        case .publish(let packet):
            buffer.writePublish(
                topic: packet.topic, payload: packet.payload, qos: packet.qos, retain: packet.retain, duplicate: packet.duplicate,
                packetID: packet.packetID)
        case .puback(let packetID): buffer.writeAcknowledgement(.puback, packetID: packetID)
        case .pubrec(let packetID): buffer.writeAcknowledgement(.pubrec, packetID: packetID)
        case .pubrel(let packetID): buffer.writeAcknowledgement(.pubrel, packetID: packetID)
        case .pubcomp(let packetID): buffer.writeAcknowledgement(.pubcomp, packetID: packetID)
        case .subscribe(let packet): packet.encode(into: &buffer)
        case .suback(let packet): buffer.writeSuback(packet)
        case .unsubscribe(let packet): packet.encode(into: &buffer)
        case .unsuback(let packetID): buffer.writeAcknowledgement(.unsuback, packetID: packetID)
        case .pingreq: buffer.writeEmptyPacket(.pingreq)
        case .pingresp: buffer.writeEmptyPacket(.pingresp)
        case .disconnect: buffer.writeEmptyPacket(.disconnect)
        }
    }
}

extension ByteBuffer {
    /// PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK: four bytes.
    package mutating func writeAcknowledgement(_ type: PacketType, packetID: UInt16) {
        let first = type.rawValue << 4 | (type.requiredFlags ?? 0)
        writeInteger(UInt32(first) << 24 | 2 << 16 | UInt32(packetID))
    }

    /// PINGREQ, PINGRESP or DISCONNECT: two bytes.
    package mutating func writeEmptyPacket(_ type: PacketType) {
        writeInteger(UInt16(type.rawValue) << 12)
    }

    package mutating func writeConnack(_ packet: Connack) {
        let sessionPresent: UInt32 = packet.sessionPresent && packet.returnCode == .accepted ? 1 : 0  // [MQTT-3.2.2-4]
        writeInteger(UInt32(PacketType.connack.rawValue) << 28 | 2 << 16 | sessionPresent << 8 | UInt32(packet.returnCode.rawValue))
    }

    package mutating func writeSuback(_ packet: Suback) {
        writeInteger(PacketType.suback.rawValue << 4)
        writeRemainingLength(2 + packet.returnCodes.count)
        writeInteger(packet.packetID)
        for code in packet.returnCodes { writeInteger(code.rawValue) }
    }
}
