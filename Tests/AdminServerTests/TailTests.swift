import AdminServer
import AsyncHTTPClient
import BrokerCore
import CremaTesting
import FoundationEssentials
import Logging
import MQTTCodec
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Testing

@Suite struct TailTests {
    static func message(_ payload: some Sequence<UInt8>, skipped: UInt64 = 0) -> TailedMessage {
        TailedMessage(
            message: Message(topic: "orders/1", payload: payload, qos: .atLeastOnce, retain: true),
            publisher: Publisher(clientID: "till-1", principal: "till"), skipped: skipped)
    }

    /// Starts a listener, and gives the body its address.
    private static func withListener(
        limits: InspectionLimits = InspectionLimits(),
        _ body: @Sendable (InspectionFixture, String, ServiceGroup) async throws -> Void
    ) async throws {
        try await RunningListener.with(
            { onListening in
                let fixture = try InspectionFixture(limits: limits, onListening: onListening)
                return (fixture, fixture.server)
            },
            { try await body($0.fixture, $0.url, $0.group) })
    }

    private static func open(_ address: String, filter: String) async throws -> HTTPClientResponse {
        try await HTTPClient.shared.execute(
            HTTPClientRequest(url: "\(address)/api/v1/tail?filter=\(filter)"), deadline: .now() + .seconds(30))
    }

    /// The next line of a stream that is not empty.
    @concurrent
    private static func nextLine(_ body: inout HTTPClientResponse.Body.AsyncIterator) async throws -> TailDocument? {
        while let piece = try await body.next() {
            let text = String(buffer: piece).split(separator: "\n")
            if let line = text.first { return try JSONDecoder().decode(TailDocument.self, from: Data(line.utf8)) }
        }
        return nil
    }

    @Test func messagesAreWrittenAsTheyPass() async throws {
        try await Self.withListener { fixture, address, _ in
            let response = try await Self.open(address, filter: "orders/%2B")
            #expect(response.status == .ok)
            #expect(response.headers.first(name: "content-type") == "application/x-ndjson")
            #expect(await fixture.broker.nextTailOpened() == "orders/+")
            var body = response.body.makeAsyncIterator()
            fixture.broker.send(Self.message(#"{"a":"é"}"#.utf8), to: "orders/+")
            let text = try await Self.nextLine(&body)
            #expect(text?.topic == "orders/1" && text?.payload == #"{"a":"é"}"# && text?.encoding == .utf8)
            #expect(text?.qos == 1 && text?.retain == true && text?.clientID == "till-1" && text?.principal == "till")
            fixture.broker.send(Self.message([0xFF, 0x00, 0x01], skipped: 12), to: "orders/+")
            let binary = try await Self.nextLine(&body)
            #expect(binary?.payload == "/wAB" && binary?.encoding == .base64 && binary?.skipped == 12)
            fixture.broker.endTail("orders/+")
            let end = try await Self.nextLine(&body)
            #expect(end == nil)
        }
    }

    @Test func aLongPayloadIsCutAtACharacterAndSaysSo() async throws {
        var limits = InspectionLimits()
        limits.tailPayloadBytesMax = 4
        try await Self.withListener(limits: limits) { fixture, address, _ in
            let response = try await Self.open(address, filter: "a")
            _ = await fixture.broker.nextTailOpened()
            var body = response.body.makeAsyncIterator()
            fixture.broker.send(Self.message("abcé!".utf8), to: "a")
            let line = try await Self.nextLine(&body)
            #expect(line?.payload == "abc" && line?.truncated == true && line?.bytes == 6)
        }
    }

    @Test func aReaderThatGoesEndsTheStream() async throws {
        try await Self.withListener { fixture, address, _ in
            let reader = Task {
                let response = try await Self.open(address, filter: "gone")
                for try await _ in response.body {}
            }
            #expect(await fixture.broker.nextTailOpened() == "gone")
            reader.cancel()
            #expect(await fixture.broker.nextTailClosed() == "gone")
        }
    }

    @Test func aShutdownEndsStreams() async throws {
        try await Self.withListener { fixture, address, group in
            let response = try await Self.open(address, filter: "a")
            _ = await fixture.broker.nextTailOpened()
            await group.triggerGracefulShutdown()
            var body = response.body.makeAsyncIterator()
            let end = try await Self.nextLine(&body)
            #expect(end == nil)
        }
    }

    @Test func streamsAreLimitedAndTheirPlacesComeBack() async throws {
        var limits = InspectionLimits()
        limits.tailStreamsMax = 1
        try await Self.withListener(limits: limits) { fixture, address, _ in
            let first = try await Self.open(address, filter: "a")
            _ = await fixture.broker.nextTailOpened()
            let refused = try await Self.open(address, filter: "b")
            #expect(refused.status == .serviceUnavailable)
            let text = String(buffer: try await refused.body.collect(upTo: 1_000))
            #expect(text.contains("tailStreamsMax"))
            fixture.broker.endTail("a")
            for try await _ in first.body {}
            // The place comes back when the first answer has been written to its end, a moment after its reader saw it.
            while try await Self.open(address, filter: "c").status != .ok { await Task.yield() }
        }
    }

    @Test func silenceIsBrokenByEmptyLines() async throws {
        var limits = InspectionLimits()
        limits.tailHeartbeatSeconds = 1
        try await Self.withListener(limits: limits) { _, address, _ in
            let response = try await Self.open(address, filter: "a")
            var lines = 0
            for try await piece in response.body {
                #expect(piece.readableBytesView.allSatisfy { $0 == UInt8(ascii: "\n") })
                lines += piece.readableBytes
                if lines >= 2 { break }
            }
            #expect(lines >= 2)
        }
    }

    @Test func aForeignHostIsRefused() async throws {
        try await Self.withListener { _, address, _ in
            var request = HTTPClientRequest(url: "\(address)/api/v1/clients")
            request.headers.replaceOrAdd(name: "host", value: "evil.example")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
            #expect(response.status == .forbidden)
        }
    }
}
