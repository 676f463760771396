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
    private func encoded(_ packet: Packet) -> ByteBuffer {
        var buffer = ByteBuffer()
        packet.encode(into: &buffer)
        return buffer
    }

    @Test func whatIsWrittenIsReadBack() {
        var random = PacketGenerator(seed: Self.seed)
        for round in 0..<3_000 {
            let packet = random.packet()
            var buffer = encoded(packet)
            let bytes = buffer
            guard ReadResult(from: &buffer) == .packet(packet), buffer.readableBytes == 0, encoded(packet) == bytes else {
                Issue.record("seed \(Self.seed), round \(round): \(summary(packet))")
                return
            }
        }
    }

    @Test func aStreamCutAnywhereGivesTheSamePackets() {
        var random = PacketGenerator(seed: Self.seed &+ 1)
        for round in 0..<200 {
            let packets = (0..<20).map { _ in random.packet() }
            var stream = ByteBuffer()
            for packet in packets { packet.encode(into: &stream) }
            var arrived = ByteBuffer()
            var read: [Packet] = []
            while stream.readableBytes > 0 {
                let count = min(stream.readableBytes, random.number(1...40))
                guard var chunk = stream.readSlice(length: count) else { break }
                arrived.writeBuffer(&chunk)
                while case .packet(let packet) = ReadResult(from: &arrived) { read.append(packet) }
            }
            guard read == packets, arrived.readableBytes == 0 else {
                Issue.record("seed \(Self.seed), round \(round)")
                return
            }
        }
    }

    /// Damaged packets never trap; what still decodes means what it is written as, however it arrives.
    @Test func damageNeverTraps() throws {
        var random = PacketGenerator(seed: Self.seed &+ 2)
        let vectors = try CodecVector.all.map { try $0.bytes }.filter { $0.count < 1_000 }
        var decoded = 0
        for round in 0..<30_000 {
            var bytes =
                random.number(0...3) == 0
                ? Array(encoded(random.packet()).readableBytesView) : vectors[random.number(0...vectors.count - 1)]
            for _ in 0..<random.number(1...4) { random.damage(&bytes) }
            let whole = ReadResult(bytes)
            guard case .packet(let packet) = whole else { continue }
            decoded += 1
            let again = encoded(packet)
            guard ReadResult(Array(again.readableBytesView)) == whole, again.readableBytes <= bytes.count else {
                Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))")
                return
            }
        }
        #expect(decoded > 1_000, "seed \(Self.seed): the damage leaves nothing to decode")
    }

    /// The hot path's reader and the packet's agree on every PUBLISH, damaged or not.
    @Test func layoutAndPacketAgree() throws {
        var random = PacketGenerator(seed: Self.seed &+ 3)
        for round in 0..<4_000 {
            var bytes = Array(encoded(.publish(random.publish())).readableBytesView)
            if round.isMultiple(of: 2) { random.damage(&bytes) }
            guard let header = try? FixedHeader(reading: bytes.span, at: 0, packetBytesMax: 100_000), header.type == .publish,
                header.packetLength <= bytes.count
            else { continue }
            let layout = try? PublishLayout(reading: bytes.span, at: 0, header: header)
            switch ReadResult(bytes) {
            case .packet(.publish(let publish)):
                let topic = layout.map { bytes[$0.topicStart..<$0.topicStart + $0.topicLength] }
                let payload = layout.map { bytes[$0.payloadStart..<$0.payloadStart + $0.payloadLength] }
                let same =
                    topic?.elementsEqual(publish.topic.readableBytesView) == true && layout?.packetID == publish.packetID
                    && payload?.elementsEqual(publish.payload.readableBytesView) == true
                if !same { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            case .failure(.invalidUTF8), .failure(.nullCharacter), .failure(.emptyTopicName), .failure(.wildcardInTopicName):
                if layout == nil { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            default:
                if layout != nil { Issue.record("seed \(Self.seed), round \(round): \(hexadecimal(bytes))") }
            }
        }
    }
}
