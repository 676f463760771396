import MQTTCodec
import NIOCore
import Testing

/// The properties of PUBLISH on the hot path: what is read of them, what goes on to subscribers, and what is written beside it.
@Suite struct PublishPropertiesTests {
    private func layout(_ buffer: ByteBuffer, sender: Sender = .client) throws -> PublishLayout {
        let bytes = buffer.readableBytesUInt8Span
        let header = try #require(try FixedHeader(reading: bytes, at: 0, packetBytesMax: 100_000, version: .v5))
        return try PublishLayout(reading: bytes, at: 0, header: header, version: .v5, sender: sender)
    }

    /// A PUBLISH with these properties, behind bytes that were read before.
    private func packet(_ properties: [Property], topic: String = "t") -> ByteBuffer {
        var buffer = ByteBuffer(bytes: [0xC0, 0])
        let publish = Publish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "payload"), qos: .atLeastOnce, packetID: 7,
            properties: Properties(properties))
        publish.encode(into: &buffer, version: .v5)
        buffer.moveReaderIndex(forwardBy: 2)
        buffer.writeBytes([0xFF, 0xFF])  // the next packet's
        return buffer
    }

    private static let message: [Property] = [
        Property(.userProperty, .textPair("b", "1")), Property(.payloadFormatIndicator, .byte(1)),
        Property(.contentType, .text("text/plain")),
        Property(.userProperty, .textPair("a", "2")), Property(.responseTopic, .text("r/t")),
        Property(.correlationData, .binary(ByteBuffer(bytes: [0, 1]))), Property(.userProperty, .textPair("b", "1")),
    ]

    @Test func nothingIsForwardedOfAPacketWithoutProperties() throws {
        let buffer = packet([])
        let layout = try layout(buffer)
        #expect(layout.forwardedProperties(in: buffer) == nil)
        #expect(layout.topicAlias == nil && layout.messageExpiryInterval == nil && layout.payloadFormatIndicator == nil)
        #expect(layout.payloadLength == 7 && !layout.hasSubscriptionIdentifier)
    }

    @Test("The message's own properties go on as they came, in their order, without a copy [MQTT5-3.3.2-4] [MQTT5-3.3.2-18]")
    func ownPropertiesAreASlice() throws {
        let buffer = packet(Self.message)
        let forwarded = try #require(try layout(buffer).forwardedProperties(in: buffer))
        #expect(forwarded == Properties(Self.message).encoded)
        let start = buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        let slice = forwarded.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(slice > start && slice < start + UInt(buffer.readableBytes), "the properties were copied")
    }

    @Test("Alias, expiry and subscription identifiers do not go on [MQTT5-3.3.2-15] [MQTT5-3.3.2-16] [MQTT5-3.3.2-17] [MQTT5-3.3.2-20]")
    func othersAreLeftOut() throws {
        let others = [
            Property(.topicAlias, .twoByteInteger(9)), Property(.messageExpiryInterval, .fourByteInteger(60)),
            Property(.subscriptionIdentifier, .variableByteInteger(5)),
        ]
        // The others in front, behind, and between any two.
        for place in 0...Self.message.count {
            var list = Self.message
            list.insert(contentsOf: others, at: place)
            let buffer = packet(list)
            let layout = try layout(buffer, sender: .server)
            #expect(layout.forwardedProperties(in: buffer) == Properties(Self.message).encoded, "\(place)")
            #expect(layout.topicAlias == 9 && layout.messageExpiryInterval == 60 && layout.payloadFormatIndicator == .utf8)
            #expect(layout.hasSubscriptionIdentifier && layout.propertyCount == list.count)
            #expect(Properties(list).forwarded == Properties(Self.message).encoded)
        }
        for place in 0..<Self.message.count {
            var list = Self.message
            for other in others { list.insert(other, at: place) }
            list.append(others[0])
            #expect(Properties(list).forwarded == Properties(Self.message).encoded)
        }
        let buffer = packet(others)
        #expect(try layout(buffer, sender: .server).forwardedProperties(in: buffer) == nil)
        #expect(Properties(others).forwarded == nil && Properties().forwarded == nil)
    }

    @Test func aClientSendsNoSubscriptionIdentifier() {  // [MQTT5-3.3.4-6]
        let buffer = packet([Property(.subscriptionIdentifier, .variableByteInteger(1))])
        #expect(throws: DecodeError.misdirectedProperty(.subscriptionIdentifier, .publish)) { try layout(buffer) }
    }

    @Test func anAliasStandsForTheTopic() throws {
        let buffer = packet([Property(.topicAlias, .twoByteInteger(3))], topic: "")
        let layout = try layout(buffer)
        #expect(layout.topicLength == 0 && layout.topicAlias == 3)
        #expect(throws: DecodeError.emptyTopicName) { try self.layout(packet([], topic: "")) }
    }

    // MARK: Writing

    @Test func whatIsWrittenHasTheSizeThatWasTold() throws {
        let forwarded = Properties(Self.message).encoded
        for expiry in [nil, 0, UInt32.max] {
            for identifiers in [[], [1], [127, 128, 16_384, 268_435_455]] as [[UInt32]] {
                for alias in [nil, 1, UInt16.max] {
                    for properties in [nil, forwarded] {
                        for (qos, topic) in zip(QoS.allCases, ["", "a", String(repeating: "t", count: 300)]) {
                            if topic.isEmpty && alias == nil { continue }
                            let extra = PublishProperties(
                                forwarded: properties, messageExpiryInterval: expiry, subscriptionIdentifiers: identifiers,
                                topicAlias: alias)
                            try checkWriting(topic, qos, extra)
                        }
                    }
                }
            }
        }
    }

    private func checkWriting(_ topic: String, _ qos: QoS, _ extra: PublishProperties) throws {
        var buffer = ByteBuffer()
        buffer.writePublish(
            topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "payload"), qos: qos, retain: true, duplicate: qos != .atMostOnce,
            packetID: 7, properties: extra)
        #expect(
            buffer.readableBytes == ByteBuffer.publishSize(topicBytes: topic.utf8.count, payloadBytes: 7, qos: qos, properties: extra))
        guard case .packet(.publish(let publish)) = ReadResult(from: &buffer, Reading(version: .v5, sender: .server)) else {
            Issue.record("\(extra) is not read back")
            return
        }
        #expect(String(buffer: publish.topic) == topic && String(buffer: publish.payload) == "payload" && publish.qos == qos)
        #expect(publish.retain && publish.duplicate == (qos != .atMostOnce) && publish.packetID == (qos == .atMostOnce ? 0 : 7))
        #expect(publish.properties.messageExpiryInterval == extra.messageExpiryInterval)
        #expect(publish.properties.subscriptionIdentifiers == extra.subscriptionIdentifiers)
        #expect(publish.properties.topicAlias == extra.topicAlias && publish.properties.forwarded == extra.forwarded)
    }

    @Test func theSizeOfMQTT311() {
        for (qos, bytes) in zip(QoS.allCases, [1 + 2 + 3 + 200, 1 + 2 + 5 + 200, 1 + 2 + 5 + 200]) {
            var buffer = ByteBuffer()
            buffer.writePublish(
                topic: ByteBuffer(string: "a"), payload: ByteBuffer(repeating: 0, count: 200), qos: qos, retain: false, duplicate: false,
                packetID: 1)
            #expect(buffer.readableBytes == bytes)
            #expect(ByteBuffer.publishSize(topicBytes: 1, payloadBytes: 200, qos: qos, properties: nil) == bytes)
        }
    }
}
