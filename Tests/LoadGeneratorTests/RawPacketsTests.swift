import MQTTCodec
import NIOCore
import Testing

@testable import LoadGenerator

@Suite struct RawPacketsTests {
    @Test func connectWithoutCredentialsAsksForACleanSession() {
        let packet = RawPackets.connect(clientID: "b1", username: nil, password: nil)
        #expect(packet == [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0x02, 0, 0, 0, 2, 0x62, 0x31])
    }

    @Test func connectAsksForASessionThatIsKept() {
        let packet = RawPackets.connect(clientID: "b", username: nil, password: nil, keepsSession: true)
        #expect(packet == [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0x00, 0, 0, 0, 1, 0x62])
    }

    @Test func connectCarriesUserNameAndPasswordAfterTheIdentifier() {
        let packet = RawPackets.connect(clientID: "b", username: "u", password: "pw")
        #expect(packet == [0x10, 20, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0xC2, 0, 0, 0, 1, 0x62, 0, 1, 0x75, 0, 2, 0x70, 0x77])
    }

    @Test func subscribeAsksForOneFilterWithIdentifierOne() {
        #expect(RawPackets.subscribe(filter: "a/b", qos: .exactlyOnce) == [0x82, 8, 0, 1, 0, 3, 0x61, 0x2F, 0x62, 2])
    }

    @Test(
        "Each acknowledgement has its first byte, two bytes of body and the identifier",
        arguments: [
            (LoadGenerator.Acknowledgement.publishAcknowledged, [0x40, 2, 0x12, 0x34]), (.publishReceived, [0x50, 2, 0x12, 0x34]),
            (.publishRelease, [0x62, 2, 0x12, 0x34]), (.publishComplete, [0x70, 2, 0x12, 0x34]),
        ] as [(LoadGenerator.Acknowledgement, [UInt8])])
    func acknowledgements(kind: LoadGenerator.Acknowledgement, bytes: [UInt8]) {
        var buffer = ByteBuffer()
        RawPackets.appendAcknowledgement(kind, of: 0x1234, to: &buffer)
        #expect(Array(buffer.readableBytesView) == bytes)
    }

    @Test(
        "Boundaries of MQTT 3.1.1 table 2.4",
        arguments: [
            (0, [0x00]), (127, [0x7F]), (128, [0x80, 0x01]), (16_383, [0xFF, 0x7F]), (16_384, [0x80, 0x80, 0x01]),
            (268_435_455, [0xFF, 0xFF, 0xFF, 0x7F]),
        ] as [(Int, [UInt8])])
    func remainingLength(length: Int, bytes: [UInt8]) {
        #expect(RawPackets.remainingLength(length) == bytes)
    }
}

@Suite struct PublishTemplateTests {
    @Test func qosZeroPublishHoldsTopicAndStampAndNoIdentifier() {
        let template = PublishTemplate(topic: "t", qos: .atMostOnce, payloadBytes: 25, run: 0x0102_0304, publisher: 5)
        var buffer = ByteBuffer()
        template.append(1, from: 0x0A, intendedAt: 0x0B, interval: 0, to: &buffer)
        let stamp: [UInt8] = [1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0x0B]
        #expect(Array(buffer.readableBytesView) == [0x30, 28, 0, 1, 0x74] + stamp + [MessageStamp.filler(at: 24)])
    }

    @Test func consecutiveMessagesDifferInIdentifierSequenceAndTime() {
        let template = PublishTemplate(topic: "t", qos: .atLeastOnce, payloadBytes: 24, run: 0, publisher: 0)
        var buffer = ByteBuffer()
        template.append(2, from: 65_534, intendedAt: 100, interval: 50, to: &buffer)
        let zeros = [UInt8](repeating: 0, count: 8)
        let first: [UInt8] = [0x32, 29, 0, 1, 0x74, 0xFF, 0xFF] + zeros + [0, 0, 0, 0, 0, 0, 0xFF, 0xFE, 0, 0, 0, 0, 0, 0, 0, 100]
        let second: [UInt8] = [0x32, 29, 0, 1, 0x74, 0x00, 0x01] + zeros + [0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 150]
        #expect(Array(buffer.readableBytesView) == first + second)
        #expect(template.packetBytes == first.count)
    }

    @Test func largePayloadTakesALongerHeader() {
        let template = PublishTemplate(topic: "topic", qos: .exactlyOnce, payloadBytes: 4_096, run: 1, publisher: 2)
        var buffer = ByteBuffer()
        template.append(1, from: 7, intendedAt: 8, interval: 0, to: &buffer)
        #expect(buffer.readableBytes == 1 + 2 + 2 + 5 + 2 + 4_096)
        let stamp = MessageStamp(reading: buffer.readableBytesSpan, at: 12)
        #expect(stamp == MessageStamp(run: 1, publisher: 2, sequence: 7, intendedAt: 8))
    }
}

@Suite struct PacketReassemblerTests {
    /// Cuts into packets, fed in pieces of `step` bytes, and answers each packet's size.
    private func sizes(of bytes: [UInt8], step: Int, limit: Int = 10_000) throws -> [Int] {
        var reassembler = PacketReassembler(packetBytesMax: limit)
        var sizes: [Int] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            var piece = ByteBuffer(bytes: bytes[start..<min(start + step, bytes.count)])
            try reassembler.process(&piece) { (span) throws(WireError) in
                var offset = 0
                while let frame = try PacketFrame.next(in: span, at: offset) {
                    sizes.append(frame.end - offset)
                    offset = frame.end
                }
                return offset
            }
        }
        return sizes
    }

    @Test("Packets are the same however the stream is cut", arguments: [1, 2, 3, 5, 64, 129, 1_000])
    func anyCut(step: Int) throws {
        let long: [UInt8] = [0x30] + RawPackets.remainingLength(300) + [UInt8](repeating: 7, count: 300)
        let stream = [0xD0, 0x00] + long + [0x40, 0x02, 0, 1] + long + [0xD0, 0x00]
        #expect(try sizes(of: stream, step: step) == [2, 303, 4, 303, 2])
    }

    @Test func fifthLengthByteIsAnError() {
        #expect(throws: WireError.malformedRemainingLength) { try sizes(of: [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], step: 100) }
    }

    @Test func cutPacketOverTheLimitIsAnError() {
        let head: [UInt8] = [0x30] + RawPackets.remainingLength(200_000) + [0, 0]
        #expect(throws: WireError.packetTooLarge(bytes: 200_004, limit: 10_000)) { try sizes(of: head, step: 3) }
    }
}
