import MQTTCodec
import NIOCore
import Testing

/// Properties as the program sets and reads them, and what they cost.
@Suite struct PropertiesTests {
    @Test func everyValueIsReadAsItWasSet() {
        var properties = Properties()
        #expect(properties.isEmpty && properties.encodedSize == 1)
        properties.sessionExpiryInterval = .max
        properties.willDelayInterval = 1
        properties.messageExpiryInterval = 2
        properties.maximumPacketSize = 3
        properties.receiveMaximum = 4
        properties.topicAliasMaximum = 5
        properties.topicAlias = 6
        properties.serverKeepAlive = 7
        properties.requestResponseInformation = true
        properties.requestProblemInformation = false
        properties.retainAvailable = false
        properties.wildcardSubscriptionAvailable = true
        properties.subscriptionIdentifierAvailable = false
        properties.sharedSubscriptionAvailable = true
        properties.contentType = "content"
        properties.responseTopic = "response"
        properties.assignedClientIdentifier = "id"
        properties.authenticationMethod = "method"
        properties.responseInformation = "information"
        properties.serverReference = "reference"
        properties.reasonString = "e\u{301}"
        properties.correlationData = ByteBuffer(bytes: [0, 255])
        properties.authenticationData = ByteBuffer()
        properties.payloadFormatIndicator = .utf8
        properties.maximumQoS = .atLeastOnce
        properties.subscriptionIdentifiers = [1, 268_435_455]
        properties.userProperties = [UserProperty("b", "1"), UserProperty("a", "2"), UserProperty("b", "1")]

        #expect(properties.sessionExpiryInterval == .max && properties.willDelayInterval == 1 && properties.messageExpiryInterval == 2)
        #expect(properties.maximumPacketSize == 3 && properties.receiveMaximum == 4 && properties.topicAliasMaximum == 5)
        #expect(properties.topicAlias == 6 && properties.serverKeepAlive == 7)
        #expect(properties.requestResponseInformation == true && properties.requestProblemInformation == false)
        #expect(properties.retainAvailable == false && properties.wildcardSubscriptionAvailable == true)
        #expect(properties.subscriptionIdentifierAvailable == false && properties.sharedSubscriptionAvailable == true)
        #expect(properties.contentType == "content" && properties.responseTopic == "response")
        #expect(properties.assignedClientIdentifier == "id" && properties.authenticationMethod == "method")
        #expect(properties.responseInformation == "information" && properties.serverReference == "reference")
        #expect(properties.reasonString.map { Array($0.utf8) } == [0x65, 0xCC, 0x81])
        #expect(properties.correlationData == ByteBuffer(bytes: [0, 255]) && properties.authenticationData == ByteBuffer())
        #expect(properties.payloadFormatIndicator == .utf8 && properties.maximumQoS == .atLeastOnce)
        #expect(properties.subscriptionIdentifiers == [1, 268_435_455])
        #expect(properties.userProperties == [UserProperty("b", "1"), UserProperty("a", "2"), UserProperty("b", "1")])
        #expect(Set(properties.all.map(\.identifier)).count == 27)
        #expect(Properties(properties.all) == properties && properties.stored() == properties)
    }

    @Test func settingReplacesAndNilRemoves() {
        var properties = Properties([Property(.receiveMaximum, .twoByteInteger(1)), Property(.reasonString, .text("a"))])
        properties.receiveMaximum = 2
        #expect(properties.all == [Property(.reasonString, .text("a")), Property(.receiveMaximum, .twoByteInteger(2))])
        properties.reasonString = nil
        properties.topicAlias = nil
        #expect(properties.all == [Property(.receiveMaximum, .twoByteInteger(2))])
        properties.receiveMaximum = nil
        #expect(properties.isEmpty && properties == Properties())
    }

    /// What is dropped where the packet is too large for its receiver, or the client asked for no problem information. [MQTT5-3.1.2-29]
    @Test func problemInformationIsRemoved() {
        var packet = Suback(packetID: 1, reasonCodes: [.success])
        let bare = packet.encodedSize(version: .v5)
        packet.properties.userProperties = [UserProperty("a", "b")]
        packet.properties.reasonString = String(repeating: "x", count: 200)
        packet.properties.userProperties += [UserProperty("c", "d")]
        #expect(packet.encodedSize(version: .v5) == bare + 2 + 14 + 203)
        packet.properties.removeProblemInformation()
        #expect(packet.properties.isEmpty && packet.encodedSize(version: .v5) == bare)

        var others = Properties([Property(.topicAlias, .twoByteInteger(1))])
        others.removeProblemInformation()
        #expect(others.topicAlias == 1)
    }

    // MARK: Cost

    private func publish(userProperties count: Int) -> ByteBuffer {
        var packet = Publish(topic: ByteBuffer(string: "t"), payload: ByteBuffer(), qos: .atMostOnce)
        var properties = Properties()
        for _ in 0..<count { properties.append(Property(.userProperty, .textPair("k", "v"))) }
        packet.properties = properties
        var buffer = ByteBuffer()
        packet.encode(into: &buffer, version: .v5)
        return buffer
    }

    /// 60,000 user properties in 420,000 bytes: refused at the block's length, or at the first one too many.
    @Test func manyUserPropertiesAreRefusedBeforeTheyAreRead() {
        var buffer = publish(userProperties: 60_000)
        var reading = Reading(version: .v5)
        #expect(ReadResult(from: &buffer, reading) == .failure(.propertiesTooLong(bytes: 420_000, limit: 16_384)))
        // The block is bad right behind the limit, and that is not reached.
        reading.limits.propertyBytesMax = .max
        var bytes = Array(publish(userProperties: 60_000).readableBytesView)
        let blockStart = 1 + 3 + 3 + 3
        bytes[blockStart + 7 * 65] = 0xFF
        #expect(ReadResult(bytes, reading) == .failure(.tooManyUserProperties(limit: 64)))
        bytes[blockStart + 7 * 64] = 0xFF
        #expect(ReadResult(bytes, reading) == .failure(.unknownProperty(0xFF, .publish)))
    }

    /// With limits that let everything through, one step for each property: ten times the properties are ten times the steps.
    @Test(arguments: [600, 6_000, 60_000])
    func readingManyUserPropertiesIsLinear(count: Int) throws {
        let buffer = publish(userProperties: count)
        var reading = Reading(version: .v5)
        reading.limits = DecodingLimits(userPropertiesMax: .max, propertyBytesMax: .max)
        let bytes = buffer.readableBytesUInt8Span
        let header = try #require(try FixedHeader(reading: bytes, at: 0, packetBytesMax: .max, version: .v5))
        let layout = try PublishLayout(reading: bytes, at: 0, header: header, version: .v5, limits: reading.limits)
        #expect(layout.propertyCount == count)
        let forwarded = try #require(layout.forwardedProperties(in: buffer))
        #expect(forwarded.readableBytes == 7 * count)
        guard case .packet(.publish(let publish)) = ReadResult(Array(buffer.readableBytesView), reading) else {
            Issue.record("the packet does not decode")
            return
        }
        #expect(publish.properties.userProperties.count == count)
    }

    /// A packet that drips in is not looked into before it is whole, so that its bytes are not read again and again.
    @Test func aBlockIsNotReadBeforeThePacketIsWhole() {
        var bytes = Array(publish(userProperties: 60).readableBytesView)
        bytes[1 + 2 + 3 + 2] = 0xFF  // the first property's identifier
        for count in 0..<bytes.count { #expect(ReadResult(Array(bytes[..<count]), Reading(version: .v5)) == .needsMore) }
        #expect(ReadResult(bytes, Reading(version: .v5)) == .failure(.unknownProperty(0xFF, .publish)))
    }
}
