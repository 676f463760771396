import FuzzDriver
import MQTTCodec
import NIOCore

/// What must hold of the packets in front that may be taken together: they are what the decoder makes of them one by one.
struct RunProperties {
    private static let packetBytesMax = 1_024

    let version: ProtocolVersion

    func check(_ bytes: [UInt8]) {
        // Not at the start of its storage, as on a connection.
        var buffer = ByteBuffer(bytes: [0xFF] + bytes)
        buffer.moveReaderIndex(forwardBy: 1)
        let (expected, length) = oneByOne(buffer)
        guard let topic = expected.first?.topic else { return }
        let layout = PublishRunLayout(
            reading: buffer.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: version,
            packetBytesMax: Self.packetBytesMax)
        guard let layout else { refuse("packets that may be taken together are no run") }
        require(
            layout.messages == expected.count && layout.length == length && layout.qos == expected[0].qos
                && layout.payloadBytes == expected.reduce(0) { $0 + $1.payload.readableBytes },
            "a run has other packets than the decoder finds")
        guard layout.qos != .atMostOnce, let packets = buffer.getSlice(at: buffer.readerIndex, length: length) else { return }
        checkWriting(of: layout, in: packets, expected)
        for count in 1...min(3, expected.count) {
            var part = layout
            part.keepFirst(count, version)
            let slice = packets.getSlice(at: packets.readerIndex, length: part.length) ?? ByteBuffer()
            checkWriting(of: part, in: slice, Array(expected.prefix(count)))
        }
    }

    /// The packets in front that may be in a run, and how many bytes they are.
    private func oneByOne(_ buffer: ByteBuffer) -> (packets: [Publish], length: Int) {
        var rest = buffer
        var packets: [Publish] = []
        var length = 0
        while let header = try? FixedHeader(
            reading: rest.readableBytesUInt8Span, at: 0, packetBytesMax: Self.packetBytesMax, version: version),
            header.type == .publish, header.flags & 0b1001 == 0, header.isMinimal, header.packetLength <= rest.readableBytes,
            case .publish(let packet)? = try? Packet.read(from: &rest, version: version, sender: .client),
            packet.properties.all.isEmpty, packet.qos == packets.first?.qos ?? packet.qos,
            packet.topic == packets.first?.topic ?? packet.topic
        {
            packets.append(packet)
            length += header.packetLength
        }
        return (packets, length)
    }

    /// What is written of a run is read as its messages again, with other identifiers, and as their acknowledgements.
    private func checkWriting(of layout: PublishRunLayout, in packets: ByteBuffer, _ expected: [Publish]) {
        var written = ByteBuffer(bytes: [0xFF])
        // In two parts, as where the window has room for a part only.
        let middle = expected.count / 2
        written.writePublishes(0..<middle, of: layout, in: packets, firstPacketID: .max)
        written.writePublishes(middle..<expected.count, of: layout, in: packets, firstPacketID: middle == 0 ? .max : UInt16(middle))
        written.writeAcknowledgements(.puback, of: layout, in: packets)
        written.moveReaderIndex(forwardBy: 1)
        for (number, packet) in expected.enumerated() {
            guard case .publish(let again)? = try? Packet.read(from: &written, version: version, sender: .server) else {
                refuse("a packet of a run is passed on as none")
            }
            require(
                again.topic == packet.topic && again.payload == packet.payload && again.qos == packet.qos && again.properties.all.isEmpty
                    && again.packetID == (number == 0 ? .max : UInt16(number)),
                "a packet of a run is passed on as another")
        }
        for packet in expected {
            let answer = try? Packet.read(from: &written, version: version, sender: .server)
            require(answer == .puback(packetID: packet.packetID), "a packet of a run is acknowledged as another")
        }
        require(written.readableBytes == 0, "more is written of a run than it has")
    }
}
