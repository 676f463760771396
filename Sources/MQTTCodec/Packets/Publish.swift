package import NIOCore

/// PUBLISH (MQTT 3.1.1 and MQTT 5 section 3.3).
package struct Publish: Equatable, Sendable {
    /// In MQTT 5 empty where a topic alias stands for it.
    package var topic: ByteBuffer
    package var payload: ByteBuffer
    package var qos: QoS
    package var retain: Bool
    package var duplicate: Bool
    /// 0 at QoS 0, where the packet carries none.
    package var packetID: UInt16
    /// MQTT 5 only.
    package var properties: Properties

    package init(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool = false, duplicate: Bool = false, packetID: UInt16 = 0,
        properties: Properties = Properties()
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.duplicate = duplicate
        self.packetID = packetID
        self.properties = properties
    }

    init(decoding packet: ByteBuffer, header: FixedHeader, _ context: DecodingContext) throws(DecodeError) {
        let layout = try PublishLayout(
            reading: packet.readableBytesUInt8Span, at: 0, header: header, version: context.version, sender: context.sender,
            limits: context.limits)
        guard let topic = packet.getSlice(at: packet.readerIndex + layout.topicStart, length: layout.topicLength),
            let payload = packet.getSlice(at: packet.readerIndex + layout.payloadStart, length: layout.payloadLength),
            let properties = Properties(checkedBy: layout, in: packet)
        else { throw .truncated(.publish) }
        if layout.topicAlias == nil || topic.readableBytes > 0 { try Topics.validate(name: topic.readableBytesUInt8Span, in: .publish) }
        self.init(
            topic: topic, payload: payload, qos: layout.qos, retain: layout.retain, duplicate: layout.duplicate,
            packetID: layout.packetID, properties: properties)
    }
}

extension Publish: EncodablePacket {
    package var firstByte: UInt8 { PublishFlags.firstByte(qos: qos, retain: retain, duplicate: duplicate) }

    package func bodySize(version: ProtocolVersion) -> Int {
        let size = 2 + topic.readableBytes + (qos == .atMostOnce ? 0 : 2) + payload.readableBytes
        return version != .v5 ? size : size + properties.encodedSize
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeInteger(UInt16(truncatingIfNeeded: topic.readableBytes))  // topic names come from a two-byte length
        buffer.writeImmutableBuffer(topic)
        if qos != .atMostOnce { buffer.writeInteger(packetID) }  // [MQTT-2.3.1-5] [MQTT5-2.2.1-2]
        if version == .v5 { buffer.writeProperties(properties) }
        buffer.writeImmutableBuffer(payload)
    }
}

private enum PublishFlags {
    static func firstByte(qos: QoS, retain: Bool, duplicate: Bool) -> UInt8 {
        var first = PacketType.publish.rawValue << 4 | qos.rawValue << 1
        if retain { first |= 0b0001 }
        if duplicate { first |= 0b1000 }
        return first
    }
}

extension ByteBuffer {
    /// Bytes of a PUBLISH as `writePublish` writes it; `properties` are `nil` for MQTT 3.1.1.
    package static func publishSize(topicBytes: Int, payloadBytes: Int, qos: QoS, properties: PublishProperties?) -> Int {
        var body = 2 + topicBytes + (qos == .atMostOnce ? 0 : 2) + payloadBytes
        if let properties {
            let block = properties.blockBytes
            body += variableByteIntegerBytes(block) + block
        }
        return 1 + variableByteIntegerBytes(body) + body
    }

    /// Appends a PUBLISH of MQTT 3.1.1.
    ///
    /// At QoS 0 `packetID` is not written.
    package mutating func writePublish(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool, duplicate: Bool, packetID: UInt16
    ) {
        let length = 2 + topic.readableBytes + (qos == .atMostOnce ? 0 : 2) + payload.readableBytes
        reserveCapacity(minimumWritableBytes: 5 + length)
        writeInteger(PublishFlags.firstByte(qos: qos, retain: retain, duplicate: duplicate))
        writeVariableByteInteger(length)
        writeInteger(UInt16(truncatingIfNeeded: topic.readableBytes))  // topic names come from a two-byte length
        writeImmutableBuffer(topic)
        if qos != .atMostOnce { writeInteger(packetID) }  // [MQTT-2.3.1-5]
        writeImmutableBuffer(payload)
    }

    /// Appends a PUBLISH of MQTT 5; the topic may be empty where `properties` have an alias that stands for it.
    ///
    /// At QoS 0 `packetID` is not written.
    package mutating func writePublish(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool, duplicate: Bool, packetID: UInt16, properties: PublishProperties
    ) {
        let block = properties.blockBytes
        let length =
            2 + topic.readableBytes + (qos == .atMostOnce ? 0 : 2) + Self.variableByteIntegerBytes(block) + block + payload.readableBytes
        reserveCapacity(minimumWritableBytes: 5 + length)
        writeInteger(PublishFlags.firstByte(qos: qos, retain: retain, duplicate: duplicate))
        writeVariableByteInteger(length)
        writeInteger(UInt16(truncatingIfNeeded: topic.readableBytes))  // topic names come from a two-byte length
        writeImmutableBuffer(topic)
        if qos != .atMostOnce { writeInteger(packetID) }  // [MQTT5-2.2.1-2]
        writeVariableByteInteger(block)  // [MQTT5-2.2.2-1]
        properties.write(into: &self)
        writeImmutableBuffer(payload)
    }
}
