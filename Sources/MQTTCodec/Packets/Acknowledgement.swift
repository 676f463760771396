package import NIOCore

/// PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 3.1.1 and MQTT 5 sections 3.4 to 3.7).
package struct Acknowledgement: Equatable, Sendable {
    package var packetID: UInt16
    /// MQTT 5 only.
    package var reasonCode: ReasonCode
    /// MQTT 5 only.
    package var properties: Properties

    package init(packetID: UInt16, reasonCode: ReasonCode = .success, properties: Properties = Properties()) {
        self.packetID = packetID
        self.reasonCode = reasonCode
        self.properties = properties
    }

    /// Decodes a whole packet.
    ///
    /// Nearly all consist of their identifier, which is read where it lies.
    init(
        decoding packet: ByteBuffer, header: FixedHeader, in place: PropertyPlace, _ context: DecodingContext
    ) throws(DecodeError) {
        let bytes = packet.readableBytesUInt8Span
        let start = header.headerLength
        if header.remainingLength == 2, bytes.count == start + 2 {
            let identifier = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
            if identifier == 0 { throw .zeroPacketIdentifier(header.type) }  // [MQTT-2.3.1-1]
            self.init(packetID: identifier)
        } else {
            try self.init(decodingFieldsOf: packet, header: header, in: place, context)
        }
    }

    private init(
        decodingFieldsOf packet: ByteBuffer, header: FixedHeader, in place: PropertyPlace, _ context: DecodingContext
    ) throws(DecodeError) {
        var body = packet
        body.moveReaderIndex(forwardBy: header.headerLength)
        var fields = FieldReader(body, of: header.type)
        packetID = try fields.packetIdentifier()
        // MQTT 5 leaves out what says nothing: success without properties, then an empty property block.
        let hasReason = context.version == .v5 && !fields.isAtEnd
        reasonCode = hasReason ? try fields.reasonCode(from: context.sender) : .success
        properties = hasReason && !fields.isAtEnd ? try fields.properties(of: place, context) : Properties()
        try fields.end()
    }

    /// Bytes of the whole packet.
    package func encodedSize(version: ProtocolVersion) -> Int {
        let body = bodySize(version: version)
        return 1 + ByteBuffer.variableByteIntegerBytes(body) + body
    }

    /// Appends the packet as one of `type`, in the shortest form that the version has.
    package func encode(as type: PacketType, into buffer: inout ByteBuffer, version: ProtocolVersion) {
        if properties.isEmpty || version != .v5 {
            return buffer.writeAcknowledgement(type, packetID: packetID, reasonCode: reasonCode, version: version)
        }
        let size = bodySize(version: version)
        buffer.reserveCapacity(minimumWritableBytes: 5 + size)
        buffer.writeInteger(type.firstByte)
        buffer.writeVariableByteInteger(size)
        buffer.writeInteger(packetID)
        buffer.writeInteger(reasonCode.rawValue)
        buffer.writeProperties(properties)
    }

    private func bodySize(version: ProtocolVersion) -> Int {
        if version != .v5 { return 2 }
        if properties.isEmpty { return reasonCode == .success ? 2 : 3 }
        return 3 + properties.encodedSize
    }
}

extension ByteBuffer {
    /// PUBACK, PUBREC, PUBREL or PUBCOMP that says success, which both versions write alike; of MQTT 3.1.1 also UNSUBACK: four bytes.
    package mutating func writeAcknowledgement(_ type: PacketType, packetID: UInt16) {
        writeInteger(UInt32(type.firstByte) << 24 | 2 << 16 | UInt32(packetID))
    }

    /// PUBACK, PUBREC, PUBREL or PUBCOMP without properties: four bytes, or five for a reason code that is not success.
    ///
    /// MQTT 3.1.1 has no reason code: there it is not written.
    package mutating func writeAcknowledgement(
        _ type: PacketType, packetID: UInt16, reasonCode: ReasonCode, version: ProtocolVersion
    ) {
        if reasonCode == .success || version != .v5 { return writeAcknowledgement(type, packetID: packetID) }
        writeInteger(UInt32(type.firstByte) << 24 | 3 << 16 | UInt32(packetID))
        writeInteger(reasonCode.rawValue)
    }

    /// PINGREQ or PINGRESP, or a DISCONNECT that says no more than that it is normal: two bytes.
    package mutating func writeEmptyPacket(_ type: PacketType) {
        writeInteger(UInt16(type.firstByte) << 8)
    }
}

extension Packet {
    /// A PUBACK that says success.
    package static func puback(packetID: UInt16) -> Packet { .puback(Acknowledgement(packetID: packetID)) }
    /// A PUBREC that says success.
    package static func pubrec(packetID: UInt16) -> Packet { .pubrec(Acknowledgement(packetID: packetID)) }
    /// A PUBREL that says success.
    package static func pubrel(packetID: UInt16) -> Packet { .pubrel(Acknowledgement(packetID: packetID)) }
    /// A PUBCOMP that says success.
    package static func pubcomp(packetID: UInt16) -> Packet { .pubcomp(Acknowledgement(packetID: packetID)) }
}
