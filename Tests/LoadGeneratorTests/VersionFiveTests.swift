import MQTTCodec
import NIOCore
import Testing

@testable import LoadGenerator

@Suite struct VersionFivePacketsTests {
    @Test func connectSaysItsLevelAndHowLongASessionIsKept() {
        let clean = RawPackets.connect(clientID: "b", username: nil, password: nil, version: .v5)
        #expect(clean == [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 0x02, 0, 0, 0, 0, 1, 0x62])
        let kept = RawPackets.connect(clientID: "b", username: nil, password: nil, keepsSession: true, version: .v5)
        #expect(kept == [0x10, 19, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 0x00, 0, 0, 5, 0x11, 0, 0, 0x0E, 0x10, 0, 1, 0x62])
    }

    @Test func subscribeAndPublishHaveNoProperties() {
        #expect(RawPackets.subscribe(filter: "a", qos: .atLeastOnce, version: .v5) == [0x82, 7, 0, 1, 0, 0, 1, 0x61, 1])
        let template = PublishTemplate(topic: "t", qos: .atLeastOnce, payloadBytes: 24, run: 0, publisher: 0, version: .v5)
        var buffer = ByteBuffer()
        template.append(1, from: 0, intendedAt: 0, interval: 0, to: &buffer)
        #expect(Array(buffer.readableBytesView.prefix(8)) == [0x32, 30, 0, 1, 0x74, 0, 1, 0])
    }

    private func subscriber() -> SubscriberStream {
        SubscriberStream(
            verifier: StreamVerifier(subscriber: 0, publishers: 0..<1, qos: .atLeastOnce), run: 7, payloadBytes: 24, version: .v5)
    }

    /// Feeds a PUBLISH with the given property bytes, length first, and a whole stamp.
    private func feed(_ stream: inout SubscriberStream, properties: [UInt8]) throws {
        let stamp: [UInt8] = [0, 0, 0, 7] + [UInt8](repeating: 0, count: 20)
        let packet = RawPackets.packet(firstByte: 0x32, body: [0, 1, 0x61, 0, 1] + properties + stamp)
        var output = ByteBuffer()
        var latencies = LatencyRecorder()
        _ = try stream.consume(ByteBuffer(bytes: packet).readableBytesSpan, now: 0, output: &output, latencies: &latencies)
    }

    @Test(
        "Properties of a delivery are skipped", arguments: [[0], [2, 1, 1], [0x80, 1] + [UInt8](repeating: 1, count: 128)] as [[UInt8]])
    func properties(bytes: [UInt8]) throws {
        var stream = subscriber()
        try feed(&stream, properties: bytes)
        #expect(stream.verifier.delivered == 1)
    }

    @Test("Properties that end outside their packet are errors", arguments: [[0x7F], [0xFF, 0xFF, 0xFF, 0x7F]] as [[UInt8]])
    func propertiesOutside(bytes: [UInt8]) {
        var stream = subscriber()
        #expect(throws: WireError.truncatedPacket(firstByte: 0x32)) { try feed(&stream, properties: bytes) }
    }

    @Test func lengthOfPropertiesHasFourBytesAtMost() {
        var stream = subscriber()
        #expect(throws: WireError.malformedRemainingLength) { try feed(&stream, properties: [0x80, 0x80, 0x80, 0x80, 1]) }
    }

    private func acknowledge(_ bytes: [UInt8], version: MQTTVersion = .v5) throws -> PublisherStream {
        var stream = PublisherStream(
            publisher: 0, template: PublishTemplate(topic: "t", qos: .atLeastOnce, payloadBytes: 24, run: 1, publisher: 0),
            flow: PublisherFlow(window: 5, waitsForAcknowledgement: true, audiences: 1), version: version)
        stream.flow.allow(1)
        var output = ByteBuffer()
        _ = stream.fill(&output, now: 0, schedule: nil)
        _ = try stream.consume(ByteBuffer(bytes: bytes).readableBytesSpan, output: &output)
        return stream
    }

    @Test func acknowledgementMayCarryAReasonAndProperties() throws {
        #expect(try acknowledge([0x40, 2, 0, 1]).acknowledgedCount == 1)
        #expect(try acknowledge([0x40, 3, 0, 1, 0x10]).acknowledgedCount == 1)
        #expect(try acknowledge([0x40, 4, 0, 1, 0, 0]).acknowledgedCount == 1)
    }

    @Test func refusalAndGoodbyeOfABrokerAreToldByTheirReason() {
        #expect(throws: WireError.refusedPublish(reasonCode: 0x97)) { try acknowledge([0x40, 3, 0, 1, 0x97]) }
        #expect(throws: WireError.disconnected(reasonCode: 0x93)) { try acknowledge([0xE0, 2, 0x93, 0]) }
        #expect(throws: WireError.disconnected(reasonCode: 0)) { try acknowledge([0xE0, 0]) }
        #expect(throws: WireError.unexpectedPacket(firstByte: 0x40)) { try acknowledge([0x40, 3, 0, 1, 0], version: .v311) }
    }
}

@Suite struct ConnackTests {
    @Test func threeOneOneHasTwoBytes() throws {
        let connack = try #require(Connack([1, 0], version: .v311))
        #expect(connack.isSessionPresent)
        #expect(connack.refusal(version: .v311) == nil)
        #expect(Connack([0, 0, 0], version: .v311) == nil)
        #expect(Connack([0, 5], version: .v311)?.refusal(version: .v311) == "not authorized (5)")
        #expect(Connack([0, 9], version: .v311)?.refusal(version: .v311) == "return code 9")
    }

    @Test func receiveMaximumIsFoundAmongAllProperties() throws {
        let before: [UInt8] = [0x11, 0, 0, 0, 9, 0x24, 1, 0x12, 0, 1, 0x61, 0x26, 0, 1, 0x61, 0, 1, 0x62]
        let properties = before + [0x21, 0x01, 0x02, 0x22, 0, 5]
        let body = [0, 0, UInt8(properties.count)] + properties
        let connack = try #require(Connack(body[...], version: .v5))
        #expect(connack.receiveMaximum == 0x102)
        #expect(!connack.isSessionPresent)
    }

    @Test(
        "Properties that are not in order are no CONNACK",
        arguments: [[9, 0x21], [2, 0x21, 1], [1, 0x7E], [3, 0x12, 0, 5], [5, 0x11, 0, 0, 0]] as [[UInt8]])
    func broken(properties: [UInt8]) {
        #expect(Connack(([0, 0] + properties)[...], version: .v5) == nil)
    }

    @Test func refusalOfVersionFiveIsToldInWords() {
        #expect(Connack([0, 0x87, 0], version: .v5)?.refusal(version: .v5) == "not authorized (135)")
        #expect(Connack([0, 0x90, 0], version: .v5)?.refusal(version: .v5) == "reason code 144")
    }
}
