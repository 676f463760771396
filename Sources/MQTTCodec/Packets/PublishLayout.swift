package import NIOCore

/// Where the parts of a PUBLISH lie in the buffer it arrived in: what the hot path reads instead of a ``Publish``.
///
/// Offsets count from the start of the span that was read. The topic's characters are not checked yet, because a publisher that
/// repeats its topic needs that only once: call ``Topics/validate(name:in:)``, but for an empty topic with a ``topicAlias``. The
/// properties are checked.
package struct PublishLayout: Equatable, Sendable {
    package var qos: QoS
    package var retain: Bool
    package var duplicate: Bool
    package var packetID: UInt16
    package var topicStart: Int
    package var topicLength: Int
    package var payloadStart: Int
    package var payloadLength: Int

    /// What a property block holds that is not empty; `nil` without one, so that MQTT 3.1.1 pays nothing for it.
    private var block: Block?

    private struct Block: Equatable {
        /// Where the properties lie, without their length.
        var range: Range<Int>
        var count = 0
        var topicAlias: UInt16?
        var messageExpiryInterval: UInt32?
        var payloadFormatIndicator: PayloadFormatIndicator?
        var hasSubscriptionIdentifier = false
        var hasForwarded = false
        var hasOthers = false
    }

    /// Never 0; whether it is beyond the maximum that was agreed on is for the caller to say.
    package var topicAlias: UInt16? { block?.topicAlias }
    /// Seconds.
    package var messageExpiryInterval: UInt32? { block?.messageExpiryInterval }
    package var payloadFormatIndicator: PayloadFormatIndicator? { block?.payloadFormatIndicator }
    /// Whether there are subscription identifiers, which only a server sends.
    package var hasSubscriptionIdentifier: Bool { block?.hasSubscriptionIdentifier ?? false }
    /// How many properties there are.
    package var propertyCount: Int { block?.count ?? 0 }
    /// Where the properties lie, without their length; `nil` when there are none.
    package var propertyRange: Range<Int>? { block?.range }

    /// Reads the parts of the packet whose fixed header begins at `offset`; the whole packet must be in `bytes`.
    package init(
        reading bytes: Span<UInt8>, at offset: Int, header: FixedHeader, version: ProtocolVersion, sender: Sender = .client,
        limits: DecodingLimits = DecodingLimits()
    ) throws(DecodeError) {
        // [MQTT-3.3.1-4] [MQTT5-3.3.1-4]
        guard let qos = QoS(rawValue: (header.flags >> 1) & 0b11) else { throw .invalidQoS(.publish) }
        self.qos = qos
        retain = header.flags & 0b0001 != 0
        duplicate = header.flags & 0b1000 != 0
        if duplicate && qos == .atMostOnce { throw .duplicateFlagAtQoS0 }  // [MQTT-3.3.1-2] [MQTT5-3.3.1-2]
        let start = offset + header.headerLength
        let end = start + header.remainingLength
        guard header.remainingLength >= 2, end <= bytes.count else { throw .truncated(.publish) }
        topicLength = Int(bytes[start]) << 8 | Int(bytes[start + 1])
        topicStart = start + 2
        var position = topicStart + topicLength
        if qos == .atMostOnce {
            packetID = 0  // [MQTT-2.3.1-5] [MQTT5-2.2.1-2]
        } else {
            guard position + 2 <= end else { throw .truncated(.publish) }
            packetID = UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
            if packetID == 0 { throw .zeroPacketIdentifier(.publish) }  // [MQTT-2.3.1-1] [MQTT5-2.2.1-3] [MQTT5-2.2.1-4]
            position += 2
        }
        guard position <= end else { throw .truncated(.publish) }
        payloadStart = position
        payloadLength = end - position
        if version == .v5 { try readProperties(bytes, sender: sender, limits: limits) }
    }

    /// Takes the property block from the payload's front.
    private mutating func readProperties(_ bytes: Span<UInt8>, sender: Sender, limits: DecodingLimits) throws(DecodeError) {
        let end = payloadStart + payloadLength
        var position = payloadStart
        let length = try readVariableByteInteger(bytes, at: &position, end: end, in: .publish)
        if length > 0 {
            if length > limits.propertyBytesMax { throw .propertiesTooLong(bytes: length, limit: limits.propertyBytesMax) }
            guard length <= end - position else { throw .truncated(.publish) }
            block = try Self.block(at: position..<position + length, of: bytes, sender: sender, limits: limits)
        }
        payloadStart = position + length
        payloadLength = end - payloadStart
        if topicLength == 0, topicAlias == nil { throw .emptyTopicName }  // section 3.3.2.1
    }

    private static func block(
        at range: Range<Int>, of bytes: Span<UInt8>, sender: Sender, limits: DecodingLimits
    ) throws(DecodeError) -> Block {
        var block = Block(range: range)
        var scanner = PropertyScanner(range, of: .publish)
        var check = PropertyCheck(.publish, sender: sender, limits: limits)
        while let field = try scanner.next(in: bytes) {
            try check.take(field, in: bytes)
            block.count += 1
            switch field.identifier {
            case .topicAlias: block.topicAlias = UInt16(truncatingIfNeeded: field.number)
            case .messageExpiryInterval: block.messageExpiryInterval = field.number
            case .payloadFormatIndicator: block.payloadFormatIndicator = field.number == 0 ? .unspecified : .utf8
            case .subscriptionIdentifier: block.hasSubscriptionIdentifier = true
            default: break
            }
            if field.identifier.isForwarded { block.hasForwarded = true } else { block.hasOthers = true }
        }
        return block
    }

    /// The properties that go out with the message, unaltered and in their order, as ``PublishProperties/forwarded`` takes them; `nil` when
    /// there are none.
    ///
    /// `buffer` is the one whose readable bytes were read. A slice of it when the block holds no others, otherwise a copy without those.
    package func forwardedProperties(in buffer: ByteBuffer) -> ByteBuffer? {
        guard let block, block.hasForwarded else { return nil }
        if block.hasOthers { return buffer.forwardedProperties(at: block.range) }
        return buffer.getSlice(at: buffer.readerIndex + block.range.lowerBound, length: block.range.count)
    }
}
