package import NIOCore

/// PUBLISH (MQTT 3.1.1 section 3.3).
package struct Publish: Equatable, Sendable {
    package var topic: ByteBuffer
    package var payload: ByteBuffer
    package var qos: QoS
    package var retain: Bool
    package var duplicate: Bool
    /// 0 at QoS 0, where the packet carries none.
    package var packetID: UInt16

    package init(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool = false, duplicate: Bool = false, packetID: UInt16 = 0
    ) {
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retain = retain
        self.duplicate = duplicate
        self.packetID = packetID
    }
}

/// Where the parts of a PUBLISH lie in the buffer it arrived in: what the hot path reads instead of a ``Publish``.
///
/// Offsets count from the start of the span that was read. The topic's characters are not checked yet, because a publisher that
/// repeats its topic needs that only once: call ``Topics/validate(name:in:)``.
package struct PublishLayout: Equatable, Sendable {
    package var qos: QoS
    package var retain: Bool
    package var duplicate: Bool
    package var packetID: UInt16
    package var topicStart: Int
    package var topicLength: Int
    package var payloadStart: Int
    package var payloadLength: Int

    /// Reads the parts of the packet whose fixed header begins at `offset`; the whole packet must be in `bytes`.
    package init(reading bytes: Span<UInt8>, at offset: Int, header: FixedHeader) throws(DecodeError) {
        guard let qos = QoS(rawValue: (header.flags >> 1) & 0b11) else { throw .invalidQoS(.publish) }  // [MQTT-3.3.1-4]
        self.qos = qos
        retain = header.flags & 0b0001 != 0
        duplicate = header.flags & 0b1000 != 0
        if duplicate && qos == .atMostOnce { throw .duplicateFlagAtQoS0 }  // [MQTT-3.3.1-2]
        let start = offset + header.headerLength
        let end = start + header.remainingLength
        guard header.remainingLength >= 2, end <= bytes.count else { throw .truncated(.publish) }
        topicLength = Int(bytes[start]) << 8 | Int(bytes[start + 1])
        topicStart = start + 2
        var position = topicStart + topicLength
        if qos == .atMostOnce {
            packetID = 0  // [MQTT-2.3.1-5]
        } else {
            guard position + 2 <= end else { throw .truncated(.publish) }
            packetID = UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
            if packetID == 0 { throw .zeroPacketIdentifier(.publish) }  // [MQTT-2.3.1-1]
            position += 2
        }
        guard position <= end else { throw .truncated(.publish) }
        payloadStart = position
        payloadLength = end - position
    }
}

extension Publish {
    init(decoding packet: ByteBuffer, header: FixedHeader) throws(DecodeError) {
        let layout = try PublishLayout(reading: packet.readableBytesUInt8Span, at: 0, header: header)
        guard let topic = packet.getSlice(at: packet.readerIndex + layout.topicStart, length: layout.topicLength),
            let payload = packet.getSlice(at: packet.readerIndex + layout.payloadStart, length: layout.payloadLength)
        else { throw .truncated(.publish) }
        try Topics.validate(name: topic.readableBytesUInt8Span, in: .publish)
        self.init(
            topic: topic, payload: payload, qos: layout.qos, retain: layout.retain, duplicate: layout.duplicate,
            packetID: layout.packetID)
    }
}

extension ByteBuffer {
    /// Appends a PUBLISH.
    ///
    /// At QoS 0 `packetID` is not written.
    package mutating func writePublish(
        topic: ByteBuffer, payload: ByteBuffer, qos: QoS, retain: Bool, duplicate: Bool, packetID: UInt16
    ) {
        let length = 2 + topic.readableBytes + (qos == .atMostOnce ? 0 : 2) + payload.readableBytes
        reserveCapacity(minimumWritableBytes: 5 + length)
        var first = PacketType.publish.rawValue << 4 | qos.rawValue << 1
        if retain { first |= 0b0001 }
        if duplicate { first |= 0b1000 }
        writeInteger(first)
        writeRemainingLength(length)
        writeInteger(UInt16(truncatingIfNeeded: topic.readableBytes))  // topic names come from a two-byte length
        writeImmutableBuffer(topic)
        if qos != .atMostOnce { writeInteger(packetID) }
        writeImmutableBuffer(payload)
    }
}
