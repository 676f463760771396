import MQTTCodec
import NIOCore
import Testing

@testable import LoadGenerator

@Suite struct StatusTextTests {
    private func payload(user: Int = 3, bytes: Int = 150, sequence: UInt64 = 0xABC, time: UInt64 = 5) -> String {
        let template = PublishTemplate(payloadBytes: bytes, run: 0x1234_5678, publisher: UInt32(user), format: .json)
        var buffer = ByteBuffer()
        template.append(1, from: sequence, intendedAt: time, interval: 0, to: &buffer)
        return String(buffer: buffer)
    }

    private func read(_ text: String, fillerBytes: Int) -> (stamp: MessageStamp, isIntact: Bool)? {
        let bytes = ByteBuffer(string: text)
        return StatusText.read(bytes.readableBytesSpan, start: 0, end: bytes.readableBytes, fillerBytes: fillerBytes)
    }

    @Test("A payload has the size that was asked for", arguments: [108, 109, 150, 4_096])
    func size(bytes: Int) {
        #expect(payload(bytes: bytes).utf8.count == bytes)
    }

    @Test func greatestUserFitsIntoTheSmallestPayload() {
        #expect(payload(user: RulesTemplate.usersMax - 1, bytes: StatusText.payloadBytesMin).utf8.count == StatusText.payloadBytesMin)
    }

    @Test func stampIsReadFromWhereverARulePutsIt() throws {
        let fillerBytes = StatusText.fillerBytes(user: 3, payloadBytes: 150)
        for text in [payload(), #"{"type": "status", "detail": \#(payload())}"#, payload().replacingColons()] {
            let (stamp, isIntact) = try #require(read(text, fillerBytes: fillerBytes))
            #expect(stamp == MessageStamp(run: 0x1234_5678, publisher: 3, sequence: 0xABC, intendedAt: 5))
            #expect(isIntact)
        }
    }

    @Test func changedFillerIsNotIntactAndAStampOfOtherCharactersIsNone() throws {
        let fillerBytes = StatusText.fillerBytes(user: 3, payloadBytes: 150)
        let changed = payload().replacing("abc", with: "abd")
        #expect(try #require(read(changed, fillerBytes: fillerBytes)).isIntact == false)
        let longer = payload().replacing(#""}"#, with: #"a"}"#)
        #expect(try #require(read(longer, fillerBytes: fillerBytes)).isIntact == false)
        #expect(read(payload().replacing("12345678", with: "1234567G"), fillerBytes: fillerBytes) == nil)
        #expect(read(#"{"stamp":"12"}"#, fillerBytes: 0) == nil)
        #expect(read(#"{"stamp":12}"#, fillerBytes: 0) == nil)
        #expect(read("", fillerBytes: 0) == nil)
    }

    @Test func statusesAreVerifiedLikeEveryMessage() throws {
        var stream = SubscriberStream(
            verifier: StreamVerifier(subscriber: 3, publishers: 3..<4, qos: .atMostOnce), run: 0x1234_5678, payloadBytes: 150,
            format: .json)
        for text in [payload(sequence: 0), payload(sequence: 2), #"{"other": 1}"#, payload(sequence: 3).replacing("abc", with: "xyz")] {
            var latencies = LatencyRecorder()
            var output = ByteBuffer()
            let packet = RawPackets.packet(firstByte: 0x30, body: [0, 1, 0x61] + Array(text.utf8))
            _ = try stream.consume(ByteBuffer(bytes: packet).readableBytesSpan, now: 9, output: &output, latencies: &latencies)
        }
        let report = stream.verifier.finish { _ in 3 }
        #expect(report.count(of: .lost) == 1)
        #expect(report.count(of: .foreign) == 1)
        #expect(report.count(of: .corrupt) == 1)
    }

    @Test func templateNamesEachUserOnce() {
        var text = ""
        RulesTemplate.write(users: 3) { text += $0 }
        for user in 0..<3 {
            #expect(text.components(of: "topic/bench-status/\(user)\n") == 1)
            #expect(text.components(of: "user: ['\(user)']") == 1)
        }
    }
}

extension String {
    fileprivate func replacingColons() -> String { replacing(#"":""#, with: #"": ""#) }
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
