import MQTTCodec
import NIOCore
import Testing

/// The hot path's view of a PUBLISH: its offsets stay inside the packet whatever the lengths say.
@Suite struct PublishLayoutTests {
    private struct Case {
        var flags: UInt8
        var topicLength: Int
        var body: [UInt8]
    }

    /// Every set of flags, with bodies of 0 to 8 bytes whose topic length is anything from 0 to beyond the end.
    private static let cases: [Case] = {
        var cases: [Case] = []
        for flags in UInt8(0)...15 {
            for size in 0...8 {
                for topicLength in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 32_767, 32_768, 65_535] {
                    let full = [UInt8(topicLength >> 8), UInt8(topicLength & 255)] + Array(repeating: UInt8(ascii: "x"), count: 8)
                    cases.append(Case(flags: flags, topicLength: topicLength, body: Array(full.prefix(size))))
                }
            }
        }
        return cases
    }()

    /// What section 3.3 says of the case; the identifier is "xx" wherever there is one.
    private func expected(_ test: Case, at offset: Int) -> Result<PublishLayout, DecodeError> {
        let qosBits = test.flags >> 1 & 3
        guard let qos = QoS(rawValue: qosBits) else { return .failure(.invalidQoS(.publish)) }
        if qosBits == 0 && test.flags & 8 != 0 { return .failure(.duplicateFlagAtQoS0) }
        let variableHeader = 2 + test.topicLength + (qosBits == 0 ? 0 : 2)
        guard test.body.count >= variableHeader else { return .failure(.truncated(.publish)) }
        var layout = try? PublishLayout(
            reading: [0x30, 2, 0, 0].span, at: 0, header: .init(reading: [0x30, 2].span, at: 0, packetBytesMax: 9, version: .v311)!,
            version: .v311)
        layout?.qos = qos
        layout?.retain = test.flags & 1 != 0
        layout?.duplicate = test.flags & 8 != 0
        layout?.packetID = qosBits == 0 ? 0 : 0x7878
        layout?.topicStart = offset + 4
        layout?.topicLength = test.topicLength
        layout?.payloadStart = offset + 2 + variableHeader
        layout?.payloadLength = test.body.count - variableHeader
        return layout.map { .success($0) } ?? .failure(.truncated(.publish))
    }

    @Test(arguments: [0, 1, 7])
    func layoutIsWhatTheSpecificationSays(offset: Int) throws {
        for test in Self.cases {
            let packet = [0x30 | test.flags, UInt8(test.body.count)] + test.body
            // Bytes of the next packet follow: they must not be taken for this one's.
            let bytes = Array(repeating: UInt8(0xFF), count: offset) + packet + Array(repeating: 0x78, count: 20)
            let header = try #require(try FixedHeader(reading: bytes.span, at: offset, packetBytesMax: 100, version: .v311))
            let result = Result { () throws(DecodeError) in
                try PublishLayout(reading: bytes.span, at: offset, header: header, version: .v311)
            }
            #expect(result == expected(test, at: offset), "\(hexadecimal(packet))")
        }
    }

    @Test func aPacketThatIsNotWholeIsTruncated() throws {
        let bytes: [UInt8] = [0x32, 8, 0, 3, 0x61, 0x2F, 0x62, 0, 7, 0x78]
        let header = try #require(try FixedHeader(reading: bytes.span, at: 0, packetBytesMax: 100, version: .v311))
        for count in 0..<bytes.count {
            let part = Array(bytes[..<count])
            #expect(throws: DecodeError.truncated(.publish)) {
                try PublishLayout(reading: part.span, at: 0, header: header, version: .v311)
            }
        }
        let layout = try PublishLayout(reading: bytes.span, at: 0, header: header, version: .v311)
        #expect(layout.packetID == 7 && layout.topicLength == 3 && layout.payloadStart == 9 && layout.payloadLength == 1)
    }

    /// [MQTT-2.3.1-5]: at QoS 0 the identifier is not written, whatever the caller passes.
    @Test func identifierIsNotWrittenAtQoS0() {
        var buffer = ByteBuffer()
        buffer.writePublish(
            topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "x"), qos: .atMostOnce, retain: false, duplicate: false, packetID: 9
        )
        #expect(Array(buffer.readableBytesView) == [0x30, 4, 0, 1, 0x61, 0x78])
    }

    @Test func writingAppends() {
        var buffer = ByteBuffer(bytes: [0xC0, 0])
        buffer.writePublish(
            topic: ByteBuffer(string: "a"), payload: ByteBuffer(), qos: .exactlyOnce, retain: true, duplicate: true, packetID: 0xABCD)
        #expect(Array(buffer.readableBytesView) == [0xC0, 0, 0x3D, 5, 0, 1, 0x61, 0xAB, 0xCD])
    }
}
