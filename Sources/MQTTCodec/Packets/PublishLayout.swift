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

    /// Where the property block of MQTT 5 lies, without its length; empty in MQTT 3.1.1.
    package private(set) var propertiesStart = 0
    package private(set) var propertiesLength = 0
    /// How many properties the block holds.
    package private(set) var propertyCount = 0
    /// Never 0; whether it is beyond the maximum that was agreed on is for the caller to say.
    package var topicAlias: UInt16?
    package private(set) var messageExpiryInterval: UInt32?
    package private(set) var payloadFormatIndicator: PayloadFormatIndicator?
    /// Whether there are subscription identifiers, which only a server sends.
    package private(set) var hasSubscriptionIdentifier = false
    private var forwarded = Forwarded.none

    /// How much of the property block is passed on.
    private enum Forwarded {
        case none
        case some
        case all
    }

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
        propertiesLength = try readVariableByteInteger(bytes, at: &position, end: end, in: .publish)
        propertiesStart = position
        if propertiesLength > 0 {
            if propertiesLength > limits.propertyBytesMax {
                throw .propertiesTooLong(bytes: propertiesLength, limit: limits.propertyBytesMax)
            }
            guard propertiesLength <= end - position else { throw .truncated(.publish) }
            try scanProperties(bytes, sender: sender, limits: limits)
        }
        payloadStart = propertiesStart + propertiesLength
        payloadLength = end - payloadStart
        if topicLength == 0, topicAlias == nil { throw .emptyTopicName }  // section 3.3.2.1
    }

    private mutating func scanProperties(_ bytes: Span<UInt8>, sender: Sender, limits: DecodingLimits) throws(DecodeError) {
        var scanner = PropertyScanner(propertiesStart..<propertiesStart + propertiesLength, of: .publish)
        var check = PropertyCheck(.publish, sender: sender, limits: limits)
        var hasForwarded = false
        var hasOthers = false
        while let field = try scanner.next(in: bytes) {
            try check.take(field, in: bytes)
            switch field.identifier {
            case .topicAlias: topicAlias = UInt16(truncatingIfNeeded: field.number)
            case .messageExpiryInterval: messageExpiryInterval = field.number
            case .payloadFormatIndicator: payloadFormatIndicator = field.number == 0 ? .unspecified : .utf8
            case .subscriptionIdentifier: hasSubscriptionIdentifier = true
            default: break
            }
            if field.identifier.isForwarded { hasForwarded = true } else { hasOthers = true }
        }
        propertyCount = check.count
        forwarded = hasForwarded ? hasOthers ? .some : .all : .none
    }

    /// The properties that go out with the message, unaltered and in their order, as ``PublishProperties/forwarded`` takes them; `nil` when
    /// there are none.
    ///
    /// `buffer` is the one whose readable bytes were read. A slice of it when the block holds no others, otherwise a copy without those.
    package func forwardedProperties(in buffer: ByteBuffer) -> ByteBuffer? {
        switch forwarded {
        case .none: nil
        case .all: buffer.getSlice(at: buffer.readerIndex + propertiesStart, length: propertiesLength)
        case .some: buffer.forwardedProperties(at: propertiesStart..<propertiesStart + propertiesLength)
        }
    }
}
