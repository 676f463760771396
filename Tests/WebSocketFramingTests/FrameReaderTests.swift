import CremaTesting
import NIOCore
import NIOWebSocket
import Testing

@testable import WebSocketFraming

@Suite struct FrameReaderTests {
    /// What a stream of client frames comes to.
    struct Reading: Equatable {
        var events: [FrameReader.Event] = []
        var payload: [UInt8] = []
        var violation: WebSocketViolation?
        var left = 0

        init(_ bytes: [UInt8], pieces: Int? = nil, frameBytesMax: Int = 1 << 20) {
            var reader = FrameReader(from: .client, frameBytesMax: frameBytesMax)
            var buffer = ByteBuffer()
            var output = ByteBuffer()
            let size = pieces ?? max(1, bytes.count)
            do throws(WebSocketViolation) {
                for start in stride(from: 0, to: bytes.count, by: size) {
                    buffer.writeBytes(bytes[start..<min(bytes.count, start + size)])
                    while let event = try reader.next(from: &buffer, appendingPayloadTo: &output) { events.append(event) }
                }
            } catch {
                violation = error
            }
            payload = Array(output.readableBytesView)
            left = violation == nil ? buffer.readableBytes : 0
        }
    }

    static let binary = WebSocketBytes.binary
    static let message: [FrameReader.Event] = [.messageBegan(.binary), .messageEnded]

    @Test(arguments: [0, 1, 2, 3, 7, 8, 9, 125, 126, 127, 128, 65_535, 65_536, 100_000], [1, 3, 1_000, nil] as [Int?])
    func aFrameIsReadInAnyPieces(length: Int, pieces: Int?) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let reading = Reading(WebSocketBytes.frame(Self.binary, payload), pieces: pieces)
        #expect(reading.events == Self.message)
        #expect(reading.payload == payload)
        #expect(reading.violation == nil && reading.left == 0)
    }

    @Test(arguments: 0..<16) func theMaskGoesOnWhereAPieceEnds(offset: Int) {
        let payload = Array(0..<UInt8(40))
        let frame = WebSocketBytes.frame(Self.binary, payload, key: [1, 2, 4, 8])
        var reader = FrameReader(from: .client, frameBytesMax: 100)
        var output = ByteBuffer()
        for piece in [frame[..<(6 + offset)], frame[(6 + offset)...]] {
            var input = ByteBuffer(bytes: piece)
            while let event = try? reader.next(from: &input, appendingPayloadTo: &output) { _ = event }
        }
        #expect(Array(output.readableBytesView) == payload)
    }

    @Test func aMessageMayComeInFragmentsWithControlFramesBetween() {
        let bytes =
            WebSocketBytes.frame(Self.binary, [1], isFinal: false) + WebSocketBytes.frame(WebSocketBytes.ping, [9])
            + WebSocketBytes.frame(WebSocketBytes.continuation, [2], isFinal: false) + WebSocketBytes.frame(WebSocketBytes.pong, [])
            + WebSocketBytes.frame(WebSocketBytes.continuation, [3])
        let reading = Reading(bytes)
        #expect(reading.events == [.messageBegan(.binary), .ping(ByteBuffer(bytes: [9])), .pong(ByteBuffer()), .messageEnded])
        #expect(reading.payload == [1, 2, 3])
        #expect(reading == Reading(bytes, pieces: 1))
    }

    @Test func manyEmptyFragmentsCostNothingButTheirBytes() {
        let fragment = WebSocketBytes.frame(WebSocketBytes.continuation, [], isFinal: false)
        let bytes =
            WebSocketBytes.frame(Self.binary, [], isFinal: false) + Array(repeating: fragment, count: 10_000).flatMap(\.self)
            + WebSocketBytes.frame(WebSocketBytes.continuation, [7])
        let reading = Reading(bytes)
        #expect(reading.events == Self.message)
        #expect(reading.payload == [7])
    }

    @Test(
        "What breaks the protocol is named",
        arguments: [
            (WebSocketBytes.frame(binary, [1], key: nil), .unmaskedFrame),
            (WebSocketBytes.frame(binary, [1], reserved: 4), .reservedBits),
            (WebSocketBytes.frame(binary, [1], reserved: 1), .reservedBits),
            (WebSocketBytes.frame(WebSocketBytes.ping, [], reserved: 2), .reservedBits),
            (WebSocketBytes.frame(0x3), .reservedOpcode(3)),
            (WebSocketBytes.frame(0x7), .reservedOpcode(7)),
            (WebSocketBytes.frame(0xB), .reservedOpcode(11)),
            (WebSocketBytes.frame(0xF), .reservedOpcode(15)),
            (WebSocketBytes.frame(WebSocketBytes.ping, [], isFinal: false), .controlFrameInFragments),
            (WebSocketBytes.frame(WebSocketBytes.close, [], isFinal: false), .controlFrameInFragments),
            (WebSocketBytes.frame(WebSocketBytes.ping, Array(repeating: 0, count: 126)), .controlFrameTooLong),
            (WebSocketBytes.frame(WebSocketBytes.continuation, [1]), .nothingToContinue),
            (WebSocketBytes.frame(binary, [1]) + WebSocketBytes.frame(WebSocketBytes.continuation, [1]), .nothingToContinue),
            (WebSocketBytes.frame(binary, [1], isFinal: false) + WebSocketBytes.frame(binary, [1]), .messageInterrupted),
            (WebSocketBytes.frame(binary, [], declaring: 1_001), .frameTooLarge(bytes: 1_001, limit: 1_000)),
            (WebSocketBytes.frame(binary, [], declaring: 1 << 40), .frameTooLarge(bytes: 1 << 40, limit: 1_000)),
            (WebSocketBytes.frame(binary, [], declaring: .max), .frameTooLarge(bytes: UInt64(Int.max), limit: 1_000)),
            ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], .lengthEncoding),
            ([0x82, 0xFF] + Array(repeating: 0xFF, count: 12), .lengthEncoding),
            ([0x82, 0xFE, 0, 125, 1, 2, 3, 4], .lengthEncoding),
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4], .lengthEncoding),
            (WebSocketBytes.frame(WebSocketBytes.close, [3]), .closeStatus),
            (WebSocketBytes.closing(1_000, "caf") + WebSocketBytes.frame(WebSocketBytes.close, [3, 0xE8, 0xC3]), .closeReason),
        ] as [([UInt8], WebSocketViolation)])
    func aViolation(bytes: [UInt8], violation: WebSocketViolation) {
        #expect(Reading(bytes, frameBytesMax: 1_000).violation == violation)
        #expect(Reading(bytes, pieces: 1, frameBytesMax: 1_000).violation == violation)
    }

    @Test(
        "Threat 16: wherever a frame is cut off, no more than a header without its last byte is kept",
        arguments: [0, 125, 126, 65_535, 65_536])
    func cutOff(length: Int) {
        let frame = WebSocketBytes.frame(Self.binary, [UInt8](repeating: 7, count: length))
        let header = frame.count - length
        for end in Set([0, 1, 2, header - 1, header, header + 1, frame.count - 1]).filter({ $0 < frame.count }) {
            let reading = Reading(Array(frame[..<end]))
            #expect(reading.left == (end < header ? end : 0) && reading.left <= 13)
            #expect(reading.payload.count == max(0, end - header))
        }
    }

    @Test func aViolationIsFoundOnTheBytesThatShowIt() {
        // Nothing of the payload has come, nor of the mask.
        #expect(Reading([0xC2, 0x80]).violation == .reservedBits)
        #expect(Reading([0x83, 0x80]).violation == .reservedOpcode(3))
        #expect(Reading([0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).violation != nil)
    }

    @Test(arguments: [UInt16(1_000), 1_001, 1_002, 1_003, 1_007, 1_011, 1_014, 3_000, 4_999])
    func aStatusThatAPeerMaySendIsTaken(code: UInt16) {
        #expect(Reading(WebSocketBytes.closing(code, "because")).events == [.close(CloseStatus(code: code))])
    }

    @Test(arguments: [UInt16(0), 999, 1_004, 1_005, 1_006, 1_015, 1_016, 2_999, 5_000, 65_535])
    func aStatusThatNoPeerMaySendIsAViolation(code: UInt16) {
        #expect(Reading(WebSocketBytes.closing(code)).violation == .closeStatus)
    }

    @Test(arguments: [0, 1, 125, 126, 65_535, 65_536, 1 << 20], [nil, 0xDEAD_BEEF] as [UInt32?])
    func aHeaderIsReadAsItWasWritten(length: Int, key: UInt32?) throws {
        let header = FrameHeader(opcode: .binary, payloadLength: length, maskingKey: key)
        var buffer = ByteBuffer()
        header.write(to: &buffer)
        #expect(try FrameHeader.read(from: &buffer, payloadBytesMax: length) == header)
        #expect(buffer.readableBytes == 0)
    }

    @Test func aServersFramesAreNotMasked() {
        var reader = FrameReader(from: .server, frameBytesMax: 100)
        var output = ByteBuffer()
        var masked = ByteBuffer(bytes: WebSocketBytes.frame(Self.binary, [1]))
        #expect(throws: WebSocketViolation.maskedFrame) { try reader.next(from: &masked, appendingPayloadTo: &output) }
    }
}
