import NIOCore
import Testing

@testable import LoadGenerator

@Suite struct WebSocketHandshakeTests {
    private let good = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

    private func read(_ text: String) throws -> Int? {
        try WebSocketHandshake.read(ByteBuffer(string: text).readableBytesView)
    }

    @Test func requestNamesPathAndProtocol() {
        let text = String(decoding: WebSocketHandshake(broker: BrokerAddress(host: "::1", port: 5), path: "/mqtt").request, as: UTF8.self)
        #expect(text.hasPrefix("GET /mqtt HTTP/1.1\r\nHost: [::1]:5\r\n"))
        #expect(text.contains("Sec-WebSocket-Protocol: mqtt\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func answerIsTakenWithoutWhatFollows() throws {
        #expect(try read(good + "frame") == good.utf8.count)
        #expect(try read(String(good.dropLast())) == nil)
        #expect(try read("") == nil)
    }

    @Test(
        "Other answers are refused",
        arguments: [
            "HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 101 x\r\n\r\n", "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: other=\r\n\r\n",
            String(repeating: "x", count: WebSocketHandshake.answerBytesMax),
        ])
    func refused(answer: String) {
        #expect { try read(answer) } throws: { ($0 as? LoadError)?.exitCode == 4 }
    }
}

@Suite struct PutEventsAnswerTests {
    @Test func answersAreTakenOneByOne() throws {
        let one = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        var buffer = ByteBuffer(string: one + "HTTP/1.1 400 Bad\r\ncontent-length:3\r\n\r\nab")
        let first = try #require(try PutEventsHandler.takeAnswer(from: &buffer))
        #expect(first.status == 200)
        #expect(first.body == "{}")
        #expect(try PutEventsHandler.takeAnswer(from: &buffer) == nil)
        buffer.writeString("c")
        #expect(try PutEventsHandler.takeAnswer(from: &buffer)?.body == "abc")
        #expect(buffer.readableBytes == 0)
    }

    @Test(
        "What is not HTTP with a length is an error",
        arguments: ["x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"])
    func noAnswer(text: String) {
        var buffer = ByteBuffer(string: text)
        #expect(throws: LoadError.self) { try PutEventsHandler.takeAnswer(from: &buffer) }
    }
}

@Suite struct SourceAddressesTests {
    private func addresses(_ connections: Int, to host: String = "127.0.0.1") throws -> SourceAddresses {
        try SourceAddresses(connections: connections, broker: SocketAddress(ipAddress: host, port: 1_883), ports: 28_000)
    }

    @Test func fewConnectionsLeaveTheAddressToTheSystem() throws {
        #expect(try addresses(20_000).address(5) == nil)
    }

    @Test func manyConnectionsComeFromSeveralAddresses() throws {
        let addresses = try addresses(45_000)
        let chosen = [0, 19_999, 20_000, 44_999].map { addresses.address($0)?.ipAddress }
        #expect(chosen == ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.3"])
    }

    @Test func otherHostsAreRefusedWhatOneAddressHasNoPortsFor() throws {
        #expect(try addresses(28_000, to: "::1").address(0) == nil)
        #expect { try addresses(28_001, to: "::1") } throws: { "\($0)".contains("28000 that one address has") }
        #expect(throws: LoadError.self) { try addresses(4_000_001) }
    }
}

@Suite struct DepartureTimesTests {
    @Test func eachWaitIsRecordedOnceAndRoomGrows() throws {
        var times = DepartureTimes()
        var latencies = LatencyRecorder()
        latencies.reset(recordsAll: true)
        times.note(50, at: 1_000, interval: 0)
        times.settle(upTo: 40, now: 2_000, into: &latencies)
        times.note(100, at: 2_000, interval: 10)
        times.settle(upTo: 150, now: 5_000, into: &latencies)
        times.settle(upTo: 200, now: 9_000, into: &latencies)
        let summary = try #require(latencies.summary)
        #expect(summary.samples == 150)
        #expect(abs(summary.max - 4) < 0.01)
    }
}

@Suite struct FlowLimitsTests {
    @Test func windowIsCutToWhatABrokerTakes() {
        var flow = PublisherFlow(window: 100, waitsForAcknowledgement: true, audiences: 1)
        flow.limitWindow(20)
        flow.allow(1_000)
        #expect(flow.sendable == 20)
    }

    @Test func absentSubscribersAreNotWaitedFor() {
        var flow = PublisherFlow(window: 10, waitsForAcknowledgement: true, audiences: 1)
        flow.allow(100)
        flow.didSend(10)
        flow.didAcknowledge(10)
        #expect(flow.sendable == 0)
        flow.waitsForDelivery = false
        #expect(flow.sendable == 10)
    }

    @Test func filesAreCountedBeforeTheyAreOpened() {
        var parameters = LoadParameters(mode: .idle)
        parameters.connections = 1_000
        #expect(throws: LoadError.self) { try parameters.validate(openFileLimit: 1_000) }
        #expect(throws: Never.self) { try parameters.validate(openFileLimit: parameters.openFileCount) }
    }
}
