import MQTTCodec
import NIOCore
import Testing

/// A run is what the packets in it are one by one, whatever the bytes are.
@Suite struct PublishRunLayoutTests {
    private static let topic = ByteBuffer(string: "a/b")

    private func layout(_ bytes: ByteBuffer, _ version: ProtocolVersion, packetBytesMax: Int = .max, bytesMax: Int = .max)
        -> PublishRunLayout?
    {
        PublishRunLayout(
            reading: bytes.readableBytesUInt8Span, topic: Self.topic.readableBytesUInt8Span, version: version,
            packetBytesMax: packetBytesMax, bytesMax: bytesMax)
    }

    /// What the decoder makes of the packets in front that may be in a run.
    private func oneByOne(_ bytes: ByteBuffer, _ version: ProtocolVersion) -> [(layout: PublishLayout, header: FixedHeader)] {
        var rest = bytes
        var result: [(layout: PublishLayout, header: FixedHeader)] = []
        while let header = try? FixedHeader(reading: rest.readableBytesUInt8Span, at: 0, packetBytesMax: .max, version: version),
            header.type == .publish, header.flags & 0b1001 == 0, header.isMinimal, let packet = rest.readSlice(length: header.packetLength),
            let layout = try? PublishLayout(reading: packet.readableBytesUInt8Span, at: 0, header: header, version: version),
            layout.qos == result.first?.layout.qos ?? layout.qos, layout.propertyCount == 0,
            packet.getSlice(at: packet.readerIndex + layout.topicStart, length: layout.topicLength) == Self.topic
        {
            result.append((layout, header))
        }
        return result
    }

    private func packets(_ version: ProtocolVersion, _ random: inout PacketGenerator) -> ByteBuffer {
        var bytes = ByteBuffer()
        let usual = QoS.allCases.randomElement(using: &random) ?? .atMostOnce
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let qos = random.number(1...100) <= 10 ? .atLeastOnce : usual
            let size = random.number(1...100) <= 30 ? Int.random(in: 0...300, using: &random) : 4
            var publish = Publish(
                topic: random.number(1...100) <= 5 ? ByteBuffer(string: "a/c") : Self.topic, payload: ByteBuffer(repeating: 0, count: size),
                qos: qos, retain: random.number(1...100) <= 3, duplicate: false,
                packetID: qos == .atMostOnce ? 0 : .random(in: 1...9, using: &random))
            if version == .v5, random.number(1...100) <= 5 { publish.properties.contentType = "x" }
            Packet.publish(publish).encode(into: &bytes, version: version)
        }
        // Now and then something is wrong, or cut off.
        if random.number(1...100) <= 40 {
            let place = Int.random(in: 0..<bytes.readableBytes, using: &random)
            bytes.setInteger(UInt8.random(in: 0...255, using: &random), at: place)
        }
        if random.number(1...100) <= 30 {
            bytes = bytes.getSlice(at: 0, length: Int.random(in: 0...bytes.readableBytes, using: &random)) ?? bytes
        }
        return bytes
    }

    @Test("A run has the packets that the decoder finds, with their identifiers and payloads", arguments: ProtocolVersion.allCases)
    func agreesWithTheDecoder(version: ProtocolVersion) {
        var random = PacketGenerator(seed: 17)
        var found = 0
        for trial in 0..<4_000 {
            let bytes = packets(version, &random)
            let expected = oneByOne(bytes, version)
            guard let layout = layout(bytes, version) else {
                #expect(expected.isEmpty, "trial \(trial)")
                continue
            }
            found += layout.messages
            #expect(layout.messages == expected.count, "trial \(trial)")
            #expect(layout.length == expected.reduce(0) { $0 + $1.header.packetLength })
            #expect(layout.payloadBytes == expected.reduce(0) { $0 + $1.layout.payloadLength })
            #expect(layout.largestPacket == expected.map(\.header.packetLength).max())
            if layout.qos == .atMostOnce { continue }
            let identifiers = layout.places.indices.map { layout.packetID(of: $0, in: bytes.readableBytesUInt8Span) }
            #expect(identifiers == expected.map(\.layout.packetID))
        }
        #expect(found > 4_000)
    }

    @Test("A run ends before what is too large, and at its own limit")
    func limits() {
        var bytes = ByteBuffer()
        for size in [4, 4, 100, 4] {
            Packet.publish(
                Publish(
                    topic: Self.topic, payload: ByteBuffer(repeating: 0, count: size), qos: .atLeastOnce, retain: false, duplicate: false,
                    packetID: 1)
            ).encode(into: &bytes, version: .v311)
        }
        #expect(layout(bytes, .v311)?.messages == 4)
        #expect(layout(bytes, .v311, packetBytesMax: 50)?.messages == 2)
        #expect(layout(bytes, .v311, packetBytesMax: 5) == nil)
        #expect(layout(bytes, .v311, bytesMax: 20)?.messages == 1)
        #expect(layout(bytes, .v311, bytesMax: 26)?.messages == 2)
        #expect(layout(bytes, .v311, bytesMax: 1)?.messages == 1)
        var part = layout(bytes, .v311)
        part?.keepFirst(2, .v311)
        #expect(part?.length == 26)
        #expect(part?.payloadBytes == 8)
    }

    @Test("Packets written anew have identifiers that follow each other, without 0")
    func identifiers() throws {
        var bytes = ByteBuffer()
        for number in 1...3 {
            Packet.publish(
                Publish(
                    topic: Self.topic, payload: ByteBuffer(string: "\(number)"), qos: .exactlyOnce, retain: false, duplicate: false,
                    packetID: UInt16(number * 100))
            ).encode(into: &bytes, version: .v5)
        }
        let layout = try #require(self.layout(bytes, .v5))
        var output = ByteBuffer(string: "before")
        output.writePublishes(0..<3, of: layout, in: bytes, firstPacketID: 65_534)
        output.writeAcknowledgements(.pubrec, of: layout, in: bytes)
        #expect(output.readString(length: 6) == "before")
        var publishes: [Publish] = []
        for _ in 0..<3 {
            guard case .publish(let publish)? = try Packet.read(from: &output, version: .v5, sender: .client) else { continue }
            publishes.append(publish)
        }
        #expect(publishes.map(\.packetID) == [65_534, 65_535, 1])
        #expect(publishes.map { String(buffer: $0.payload) } == ["1", "2", "3"])
        for number in 1...3 {
            #expect(try Packet.read(from: &output, version: .v5, sender: .server) == .pubrec(packetID: UInt16(number * 100)))
        }
        #expect(output.readableBytes == 0)
        output.writePublishes(1..<3, of: layout, in: bytes, firstPacketID: 7)
        for (packetID, payload) in [(7, "2"), (8, "3")] {
            guard case .publish(let publish)? = try Packet.read(from: &output, version: .v5, sender: .client) else { continue }
            #expect(publish.packetID == packetID && String(buffer: publish.payload) == payload)
        }
        output.writePublishes(2..<4, of: layout, in: bytes, firstPacketID: 1)
        #expect(output.readableBytes == 0)
    }
}
