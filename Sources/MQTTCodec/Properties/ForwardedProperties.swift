package import NIOCore

extension ByteBuffer {
    /// The properties of the block at `range` of the readable bytes that a server passes on unaltered and in their order, in storage of
    /// their own; `nil` when there are none.
    ///
    /// [MQTT5-3.3.2-4] [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-18] [MQTT5-3.3.2-20]
    func forwardedProperties(at range: Range<Int>) -> ByteBuffer? {
        var copy = ByteBuffer()
        copy.reserveCapacity(range.count)
        let bytes = readableBytesUInt8Span
        var scanner = PropertyScanner(range, of: .publish)
        var runStart = range.lowerBound  // what lies between here and the property at hand is passed on
        while let field = try? scanner.next(in: bytes) {
            if field.identifier.isForwarded { continue }
            copy.writeRange(runStart..<field.start, of: self)
            runStart = field.end
        }
        copy.writeRange(runStart..<max(runStart, range.upperBound), of: self)
        return copy.readableBytes == 0 ? nil : copy
    }

    private mutating func writeRange(_ range: Range<Int>, of source: ByteBuffer) {
        guard !range.isEmpty, let slice = source.getSlice(at: source.readerIndex + range.lowerBound, length: range.count) else { return }
        writeImmutableBuffer(slice)
    }
}

extension Properties {
    /// What of a will's or a message's properties goes out with the message: all but its intervals, alias and subscription identifiers.
    package var forwarded: ByteBuffer? {
        isEmpty ? nil : encoded.forwardedProperties(at: 0..<encoded.readableBytes)
    }
}

/// What a PUBLISH of MQTT 5 is delivered with beside topic and payload.
package struct PublishProperties: Equatable, Sendable {
    /// Properties of the publisher's, as ``PublishLayout/forwardedProperties(in:)`` gives them.
    package var forwarded: ByteBuffer?
    /// Seconds that are left.
    package var messageExpiryInterval: UInt32?
    /// Of the subscriptions that the message matched; none is 0.
    package var subscriptionIdentifiers: [UInt32]
    package var topicAlias: UInt16?

    package init(
        forwarded: ByteBuffer? = nil, messageExpiryInterval: UInt32? = nil, subscriptionIdentifiers: [UInt32] = [],
        topicAlias: UInt16? = nil
    ) {
        self.forwarded = forwarded
        self.messageExpiryInterval = messageExpiryInterval
        self.subscriptionIdentifiers = subscriptionIdentifiers
        self.topicAlias = topicAlias
    }

    /// Bytes of the block, without its length.
    var blockBytes: Int {
        var bytes = forwarded?.readableBytes ?? 0
        if messageExpiryInterval != nil { bytes += 5 }
        if topicAlias != nil { bytes += 3 }
        for identifier in subscriptionIdentifiers { bytes += 1 + ByteBuffer.variableByteIntegerBytes(Int(identifier)) }
        return bytes
    }

    /// Appends the block, without its length.
    func write(into buffer: inout ByteBuffer) {
        if let messageExpiryInterval {
            buffer.writeInteger(PropertyIdentifier.messageExpiryInterval.rawValue)
            buffer.writeInteger(messageExpiryInterval)
        }
        if let topicAlias {
            buffer.writeInteger(PropertyIdentifier.topicAlias.rawValue)
            buffer.writeInteger(topicAlias)
        }
        for identifier in subscriptionIdentifiers {
            buffer.writeInteger(PropertyIdentifier.subscriptionIdentifier.rawValue)
            buffer.writeVariableByteInteger(Int(identifier))
        }
        if let forwarded { buffer.writeImmutableBuffer(forwarded) }
    }
}
