import Foundation
import MQTTCodec
import NIOCore
import Testing

/// Random packets and random damage.
///
/// A failure prints its seed; `CREMA_SEED=<seed>` runs it again.
@Suite struct RandomPacketTests {
    private static let seed = ProcessInfo.processInfo.environment["CREMA_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max)

    init() {
        print("RandomPacketTests: CREMA_SEED=\(Self.seed)")
    }

    /// The bytes of a packet, and nothing that Swift's string equality would forgive.
    private func encoded(_ packet: Packet, _ version: ProtocolVersion) -> ByteBuffer {
        var buffer = ByteBuffer()
        packet.encode(into: &buffer, version: version)
        return buffer
    }

    /// Every version, from both sides.
    private static let readings = ProtocolVersion.allCases.flatMap { version in
        Sender.allCases.map { Reading(version: version, sender: $0) }
    }

    @Test(arguments: readings)
    func whatIsWrittenIsReadBack(_ reading: Reading) {
        var random = PacketGenerator(seed: Self.seed)
        for round in 0..<1_500 {
            let packet = random.packet(reading.version, from: reading.sender)
            var buffer = encoded(packet, reading.version)
            let bytes = buffer
            guard ReadResult(from: &buffer, reading) == .packet(packet), buffer.readableBytes == 0,
                encoded(packet, reading.version) == bytes, packet.encodedSize(version: reading.version) == bytes.readableBytes
            else {
                let result = ReadResult(Array(bytes.readableBytesView), reading)
                Issue.record("seed \(Self.seed), round \(round): \(summary(packet)) is \(hexadecimal(bytes.readableBytesView)): \(result)")
                return
            }
        }
    }

    @Test(arguments: readings)
    func aStreamCutAnywhereGivesTheSamePackets(_ reading: Reading) {
        var random = PacketGenerator(seed: Self.seed &+ 1)
        for round in 0..<75 {
            let packets = (0..<20).map { _ in random.packet(reading.version, from: reading.sender) }
            var stream = ByteBuffer()
            for packet in packets { packet.encode(into: &stream, version: reading.version) }
            var arrived = ByteBuffer()
            var read: [Packet] = []
            while stream.readableBytes > 0 {
                let count = min(stream.readableBytes, random.number(1...40))
                guard var chunk = stream.readSlice(length: count) else { break }
                arrived.writeBuffer(&chunk)
                while case .packet(let packet) = ReadResult(from: &arrived, reading) { read.append(packet) }
            }
            guard read == packets, arrived.readableBytes == 0 else {
                Issue.record("seed \(Self.seed), round \(round)")
                return
            }
        }
    }

    /// Damaged packets never trap; what still decodes means what it is written as, however it arrives.
    @Test(arguments: readings)
    func damageNeverTraps(_ reading: Reading) throws {
        var random = PacketGenerator(seed: Self.seed &+ 2)
        let vectors = try CodecVector.all.filter { try $0.reading.version == reading.version }.map { try $0.bytes }
            .filter { $0.count < 1_000 }
        var decoded = 0
        for round in 0..<7_500 {
            var bytes =
                random.number(0...3) == 0
                ? Array(encoded(random.packet(reading.version, from: reading.sender), reading.version).readableBytesView)
                : vectors[random.number(0...vectors.count - 1)]
            for _ in 0..<random.number(1...4) { random.damage(&bytes) }
            let whole = ReadResult(bytes, reading)
            guard case .packet(let packet) = whole else { continue }
            decoded += 1
            let again = encoded(packet, reading.version)
            guard ReadResult(Array(again.readableBytesView), reading) == whole, again.readableBytes <= bytes.count else {
                Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))")
                return
            }
        }
        #expect(decoded > 250, "seed \(Self.seed): the damage leaves nothing to decode")
    }

    /// The hot path's reader and the packet's agree on every PUBLISH, damaged or not.
    @Test(arguments: readings)
    func layoutAndPacketAgree(_ reading: Reading) throws {
        var random = PacketGenerator(seed: Self.seed &+ 3)
        for round in 0..<1_500 {
            var bytes = Array(encoded(.publish(random.publish(reading.version, from: reading.sender)), reading.version).readableBytesView)
            if round.isMultiple(of: 2) { random.damage(&bytes) }
            guard let header = try? FixedHeader(reading: bytes.span, at: 0, packetBytesMax: 100_000, version: reading.version),
                header.type == .publish, header.packetLength <= bytes.count
            else { continue }
            let layout = try? PublishLayout(
                reading: bytes.span, at: 0, header: header, version: reading.version, sender: reading.sender)
            switch ReadResult(bytes, reading) {
            case .packet(.publish(let publish)):
                let topic = layout.map { bytes[$0.topicStart..<$0.topicStart + $0.topicLength] }
                let payload = layout.map { bytes[$0.payloadStart..<$0.payloadStart + $0.payloadLength] }
                let same =
                    topic?.elementsEqual(publish.topic.readableBytesView) == true && layout?.packetID == publish.packetID
                    && payload?.elementsEqual(publish.payload.readableBytesView) == true
                    && layout?.topicAlias == publish.properties.topicAlias
                    && layout?.messageExpiryInterval == publish.properties.messageExpiryInterval
                    && layout?.payloadFormatIndicator == publish.properties.payloadFormatIndicator
                    && layout?.hasSubscriptionIdentifier == !publish.properties.subscriptionIdentifiers.isEmpty
                    && layout?.forwardedProperties(in: ByteBuffer(bytes: bytes)) == publish.properties.forwarded
                if !same { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            // What the layout leaves to the topic's check; in a property the same errors are its own.
            case .failure(.invalidUTF8), .failure(.nullCharacter), .failure(.disallowedCharacter), .failure(.emptyTopicName),
                .failure(.wildcardInTopicName):
                if layout == nil && reading.version != .v5 { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            default:
                if layout != nil { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            }
        }
    }
}
