import MQTTCodec
import NIOCore
import Testing

@testable import LoadGenerator

@Suite struct SubscriberStreamTests {
    private static let run: UInt32 = 77

    private func stream(payloadBytes: Int = 40, qos: QoS = .atMostOnce) -> SubscriberStream {
        SubscriberStream(
            verifier: StreamVerifier(subscriber: 0, publishers: 0..<1, qos: qos), run: Self.run, payloadBytes: payloadBytes)
    }

    private func packets(_ count: Int, qos: QoS = .atMostOnce, payloadBytes: Int = 40, run: UInt32 = run) -> ByteBuffer {
        var buffer = ByteBuffer()
        PublishTemplate(topic: "a/b", qos: qos, payloadBytes: payloadBytes, run: run, publisher: 0)
            .append(count, from: 0, intendedAt: 1_000, interval: 0, to: &buffer)
        return buffer
    }

    /// Feeds `bytes`, and answers what the stream wrote back.
    private func feed(_ stream: inout SubscriberStream, _ bytes: ByteBuffer) throws -> [UInt8] {
        var output = ByteBuffer()
        var latencies = LatencyRecorder()
        #expect(try stream.consume(bytes.readableBytesSpan, now: 3_000, output: &output, latencies: &latencies) == bytes.readableBytes)
        return Array(output.readableBytesView)
    }

    @Test func manyPacketsOfOneReadAreAllVerified() throws {
        var stream = stream()
        #expect(try feed(&stream, packets(100)).isEmpty)
        #expect(stream.verifier.delivered == 100)
        #expect(stream.verifier.finish { _ in 100 }.isClean)
    }

    @Test func latencyCountsFromTheIntendedTime() throws {
        var stream = stream()
        var output = ByteBuffer()
        var latencies = LatencyRecorder()
        latencies.reset(recordsAll: true)
        _ = try stream.consume(packets(3).readableBytesSpan, now: 3_000, output: &output, latencies: &latencies)
        let summary = try #require(latencies.summary)
        #expect(summary.samples == 3)
        #expect(summary.p50 == 2)
        #expect(summary.max == 2)
    }

    @Test func qosOneIsAcknowledgedAndQoSTwoGoesThroughItsSteps() throws {
        var one = stream(qos: .atLeastOnce)
        #expect(try feed(&one, packets(2, qos: .atLeastOnce)) == [0x40, 2, 0, 1, 0x40, 2, 0, 2])
        var two = stream(qos: .exactlyOnce)
        #expect(try feed(&two, packets(1, qos: .exactlyOnce)) == [0x50, 2, 0, 1])
        #expect(try feed(&two, ByteBuffer(bytes: [0x62, 2, 0, 1])) == [0x70, 2, 0, 1])
        #expect(two.verifier.finish { _ in 1 }.isClean)
    }

    @Test("A changed filler byte is corrupt", arguments: [24, 30, 39])
    func changedByte(index: Int) throws {
        var stream = stream()
        var bytes = packets(1)
        bytes.setInteger(UInt8(0xEE), at: 1 + 1 + 2 + 3 + index)
        _ = try feed(&stream, bytes)
        #expect(stream.verifier.report.count(of: .corrupt) == 1)
        #expect(stream.verifier.delivered == 0)
    }

    @Test func cutPayloadIsCorruptAndAnotherRunIsForeign() throws {
        var stream = stream()
        _ = try feed(&stream, packets(1, payloadBytes: 39))
        _ = try feed(&stream, packets(1, run: 78))
        _ = try feed(&stream, ByteBuffer(bytes: [0x30, 4, 0, 1, 0x61, 0x62]))
        #expect(stream.verifier.report.count(of: .corrupt) == 1)
        #expect(stream.verifier.report.count(of: .foreign) == 2)
    }

    @Test(
        "Packets that end inside their fields are errors",
        arguments: [
            [0x30, 1, 0], [0x30, 2, 0, 9], [0x32, 4, 0, 1, 0x61, 0], [0x62, 1, 0], [0x30, 0], [0x30, 2, 0xFF, 0xFF],
        ] as [[UInt8]])
    func truncated(bytes: [UInt8]) {
        var stream = stream()
        var output = ByteBuffer()
        var latencies = LatencyRecorder()
        #expect(throws: WireError.truncatedPacket(firstByte: bytes[0])) {
            try stream.consume(ByteBuffer(bytes: bytes).readableBytesSpan, now: 0, output: &output, latencies: &latencies)
        }
    }
}

@Suite struct PublisherStreamTests {
    private func stream(qos: QoS, window: Int) -> PublisherStream {
        PublisherStream(
            publisher: 0, template: PublishTemplate(topic: "t", qos: qos, payloadBytes: 24, run: 1, publisher: 0),
            flow: PublisherFlow(window: window, waitsForAcknowledgement: qos > .atMostOnce, audiences: 1))
    }

    @Test func qosTwoAnswersPubrecWithPubrelAndCountsPubcomp() throws {
        var stream = stream(qos: .exactlyOnce, window: 10)
        stream.flow.allow(2)
        var output = ByteBuffer()
        #expect(stream.fill(&output, now: 0, schedule: nil) == 2)
        output.clear()
        _ = try stream.consume(ByteBuffer(bytes: [0x50, 2, 0, 1]).readableBytesSpan, output: &output)
        #expect(Array(output.readableBytesView) == [0x62, 2, 0, 1])
        #expect(stream.acknowledgedCount == 0)
        _ = try stream.consume(ByteBuffer(bytes: [0x70, 2, 0, 1]).readableBytesSpan, output: &output)
        #expect(stream.acknowledgedCount == 1)
        #expect(stream.report.isClean)
    }

    @Test("Acknowledgements of nothing are violations", arguments: [[0x40, 2, 0, 9], [0x70, 2, 0, 1]] as [[UInt8]])
    func unknownAcknowledgement(bytes: [UInt8]) throws {
        var stream = stream(qos: .exactlyOnce, window: 10)
        stream.flow.allow(1)
        var output = ByteBuffer()
        _ = stream.fill(&output, now: 0, schedule: nil)
        _ = try stream.consume(ByteBuffer(bytes: bytes).readableBytesSpan, output: &output)
        #expect(stream.report.count(of: .unknownAcknowledgement) == 1)
        #expect(stream.acknowledgedCount == 0)
    }

    @Test func openLoopStampsThePlannedTimesAndNotNow() throws {
        var stream = stream(qos: .atMostOnce, window: 100)
        stream.flow.allow(2)
        var output = ByteBuffer()
        let schedule = OpenLoopSchedule(start: 5_000, rate: 1e6, publishers: 4)
        #expect(stream.fill(&output, now: 999_999, schedule: schedule) == 2)
        let packetBytes = output.readableBytes / 2
        let stamps = [5, packetBytes + 5].map { MessageStamp(reading: output.readableBytesSpan, at: $0)?.intendedAt }
        #expect(stamps == [5_000, 9_000])
    }
}

@Suite struct PublisherFlowTests {
    @Test func closedLoopKeepsTheWindowFullAndNoFuller() {
        var flow = PublisherFlow(window: 3, waitsForAcknowledgement: false, audiences: 1)
        flow.allow(10)
        #expect(flow.sendable == 3)
        flow.didSend(3)
        #expect(flow.sendable == 0)
        flow.didDeliver(2, audience: 0)
        #expect(flow.sendable == 2)
    }

    @Test func slowestAudienceAndAcknowledgementsHoldTheWindow() {
        var flow = PublisherFlow(window: 4, waitsForAcknowledgement: true, audiences: 2)
        flow.allow(100)
        flow.didSend(4)
        flow.didDeliver(4, audience: 0)
        flow.didAcknowledge(3)
        #expect(flow.sendable == 0)
        flow.didDeliver(1, audience: 1)
        #expect(flow.sendable == 1)
        flow.didDeliver(4, audience: 1)
        #expect(flow.sendable == 3)
    }

    @Test func stopForbidsWhatWasStillDue() {
        var flow = PublisherFlow(window: 4, waitsForAcknowledgement: false, audiences: 1)
        flow.allow(100)
        flow.didSend(1)
        flow.stop()
        #expect(flow.sendable == 0)
    }

    @Test func deliveriesThatWereNeverSentOpenNoRoom() {
        var flow = PublisherFlow(window: 2, waitsForAcknowledgement: false, audiences: 1)
        flow.allow(10)
        flow.didSend(1)
        flow.didDeliver(.max, audience: 0)
        #expect(flow.sendable == 2)
    }
}
