import FuzzDriver
import MQTTCodec
import NIOCore

/// What must hold of every sequence of bytes that the other side may send.
///
/// What does not hold stops the process, which the fuzzer reports.
struct StreamProperties {
    let bytes: [UInt8]
    private let version: ProtocolVersion
    private let sender: Sender

    /// Small enough that the fuzzer meets them all.
    private static let packetBytesMax = 2_048
    private static let limits = DecodingLimits(filtersMax: 16, userPropertiesMax: 8, propertyBytesMax: 1_024)

    /// The first byte of an input says how the others are read: bit 0 is MQTT 5, bit 2 without it MQTT 3.1, bit 1 the server's side.
    init(input: [UInt8]) {
        let first = input.first ?? 0
        version = first & 1 == 1 ? .v5 : first & 4 == 0 ? .v311 : .v31
        sender = first & 2 == 0 ? .client : .server
        bytes = Array(input.dropFirst())
    }

    /// The packets that a stream held, and the error that ended it, if one did.
    private struct Reading: Equatable {
        var packets: [Packet] = []
        var error: DecodeError?
        var left = 0

        /// Takes what is there to take.
        mutating func take(from buffer: inout ByteBuffer, version: ProtocolVersion, sender: Sender) {
            do throws(DecodeError) {
                while error == nil,
                    let packet = try Packet.read(
                        from: &buffer, version: version, sender: sender, packetBytesMax: StreamProperties.packetBytesMax,
                        limits: StreamProperties.limits)
                {
                    packets.append(packet)
                }
                left = buffer.readableBytes
            } catch {
                self.error = error
                left = 0
            }
        }
    }

    func check() {
        var buffer = ByteBuffer(bytes: bytes)
        var whole = Reading()
        whole.take(from: &buffer, version: version, sender: sender)
        checkDripFed(whole)
        for packet in whole.packets { checkRoundTrip(of: packet) }
        checkLayout()
        RunProperties(version: version).check(bytes)
        // So that inputs of one packet are runs, too.
        RunProperties(version: version).check(bytes + bytes)
        checkMatching(whole.packets)
    }

    /// Byte by byte comes to the same as all at once.
    private func checkDripFed(_ whole: Reading) {
        var buffer = ByteBuffer()
        var reading = Reading()
        for byte in bytes where reading.error == nil {
            buffer.writeInteger(byte)
            reading.take(from: &buffer, version: version, sender: sender)
        }
        require(reading == whole, "the packets depend on how they arrive")
    }

    /// What a packet is written as means the same, and is written as the same again.
    private func checkRoundTrip(of packet: Packet) {
        var written = ByteBuffer()
        packet.encode(into: &written, version: version)
        let bytes = written
        require(packet.encodedSize(version: version) == bytes.readableBytes, "a packet is written in another size than it said")
        do throws(DecodeError) {
            let again = try Packet.read(from: &written, version: version, sender: sender)
            require(again == packet && written.readableBytes == 0, "a packet is read back as another")
            var rewritten = ByteBuffer()
            again?.encode(into: &rewritten, version: version)
            require(rewritten == bytes, "a packet that was read back is written otherwise")
        } catch {
            fatalError("a packet that was read is written as none: \(error)")
        }
    }

    /// The hot path's reader agrees with the packet's, also when the packet does not begin the buffer.
    private func checkLayout() {
        let padded = [0xFF] + bytes + [0xFF, 0xFF]
        guard let header = try? FixedHeader(reading: padded.span, at: 1, packetBytesMax: Self.packetBytesMax, version: version),
            header.type == .publish, header.packetLength <= bytes.count
        else { return }
        let layout = try? PublishLayout(
            reading: padded.span, at: 1, header: header, version: version, sender: sender, limits: Self.limits)
        if let layout {
            let headEnd = layout.topicStart + layout.topicLength + (layout.qos == .atMostOnce ? 0 : 2)
            let properties = layout.propertyRange?.count ?? 0
            let lengthBytes = version != .v5 ? 0 : ByteBuffer.variableByteIntegerBytes(properties)
            require(
                layout.topicStart == 1 + header.headerLength + 2 && layout.topicLength >= 0
                    && layout.payloadStart == headEnd + lengthBytes + properties
                    && layout.payloadLength >= 0 && layout.payloadStart + layout.payloadLength == 1 + header.packetLength,
                "the layout leaves the packet")
        }
        var buffer = ByteBuffer(bytes: bytes)
        guard
            case .publish(let publish) = try? Packet.read(from: &buffer, version: version, sender: sender, limits: Self.limits)
        else { return }
        guard let layout else { fatalError("the layout refuses what the packet takes") }
        let topic = padded[layout.topicStart..<layout.topicStart + layout.topicLength]
        let payload = padded[layout.payloadStart..<layout.payloadStart + layout.payloadLength]
        require(
            topic.elementsEqual(publish.topic.readableBytesView) && payload.elementsEqual(publish.payload.readableBytesView)
                && layout.packetID == publish.packetID && layout.qos == publish.qos && layout.retain == publish.retain
                && layout.duplicate == publish.duplicate,
            "the layout and the packet differ")
        checkProperties(of: publish, layout, in: ByteBuffer(bytes: padded))
    }

    /// Both ways to read properties agree, as do both ways to write them; what a server passes on is read as the same again.
    private func checkProperties(of publish: Publish, _ layout: PublishLayout, in buffer: ByteBuffer) {
        let properties = publish.properties
        let forwarded = layout.forwardedProperties(in: buffer)
        require(
            layout.topicAlias == properties.topicAlias && layout.messageExpiryInterval == properties.messageExpiryInterval
                && layout.payloadFormatIndicator == properties.payloadFormatIndicator
                && layout.hasSubscriptionIdentifier == !properties.subscriptionIdentifiers.isEmpty
                && layout.propertyCount == properties.all.count && forwarded == properties.forwarded,
            "the layout and the packet have different properties")
        require(Properties(properties.all) == properties, "properties change when they are taken one by one")
        if version != .v5 { return }
        let outgoing = PublishProperties(
            forwarded: forwarded, messageExpiryInterval: layout.messageExpiryInterval,
            subscriptionIdentifiers: properties.subscriptionIdentifiers, topicAlias: layout.topicAlias)
        var written = ByteBuffer()
        written.writePublish(
            topic: publish.topic, payload: publish.payload, qos: publish.qos, retain: publish.retain, duplicate: publish.duplicate,
            packetID: publish.packetID, properties: outgoing)
        let size = ByteBuffer.publishSize(
            topicBytes: publish.topic.readableBytes, payloadBytes: publish.payload.readableBytes, qos: publish.qos, properties: outgoing)
        require(written.readableBytes == size, "a PUBLISH is written in another size than was told")
        guard case .publish(let again) = try? Packet.read(from: &written, version: version, sender: .server, limits: Self.limits) else {
            fatalError("a PUBLISH that is passed on is none")
        }
        require(
            again.topic == publish.topic && again.payload == publish.payload && again.properties.forwarded == forwarded
                && again.properties.userProperties == properties.userProperties,
            "a PUBLISH that is passed on is another")
    }

    /// Every filter against every name of the stream: a name matches itself, and `#` unless it begins with a dollar.
    private func checkMatching(_ packets: [Packet]) {
        var names: [String] = []
        var filters: [String] = []
        for packet in packets {
            switch packet {
            case .publish(let publish) where publish.topic.readableBytes > 0: names.append(String(buffer: publish.topic))
            case .subscribe(let subscribe): filters += subscribe.requests.map(\.filter)
            case .unsubscribe(let unsubscribe): filters += unsubscribe.filters
            default: break
            }
        }
        for name in names.prefix(16) {
            require(Topics.matches(name: name, filter: name), "a name does not match itself")
            require(Topics.matches(name: name, filter: "#") == (name.utf8.first != UInt8(ascii: "$")), "# does not match as it should")
            for filter in filters.prefix(64) { _ = Topics.matches(name: name, filter: filter) }
        }
    }
}
