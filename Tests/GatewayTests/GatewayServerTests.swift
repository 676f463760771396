import AsyncHTTPClient
import EventBus
import Gateway
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Testing

@Suite struct GatewayServerTests {
    @Test func anOrderPostedOverASocketIsPublished() async throws {
        try await RunningGateway.with { gateway in
            let response = try await Self.post("http://127.0.0.1:\(gateway.port)/order", #"{"detail":{"user":"u7"}}"#)
            #expect(response.status.code == 200)
            #expect(gateway.fixture.broker.published.map(\.topic) == ["users/u7"])
        }
    }

    @Test func theAnswerLeavesAfterTheMessagesWerePublished() async throws {
        try await RunningGateway.with { gateway in
            let release = gateway.fixture.broker.holdNextPublish()
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask {
                    _ = try await Self.post("http://127.0.0.1:\(gateway.port)/order", #"{"detail":{"user":"u7"}}"#)
                    return "answered"
                }
                group.addTask {
                    while gateway.fixture.engine.counters.eventsAccepted == 0 { await Task.yield() }
                    // Other requests go the whole way meanwhile: the first had every chance to be answered.
                    for _ in 0..<20 { _ = try await Self.post("http://127.0.0.1:\(gateway.port)/nothing", "") }
                    return "waited"
                }
                let first = try await group.next()
                #expect(first == "waited")
                #expect(gateway.fixture.broker.published.isEmpty)
                release.yield()
                let second = try await group.next()
                #expect(second == "answered")
                #expect(gateway.fixture.broker.published.count == 1)
            }
        }
    }

    @Test func aGracefulShutdownLetsARequestFinish() async throws {
        try await RunningGateway.with { gateway in
            let release = gateway.fixture.broker.holdNextPublish()
            async let response = Self.post("http://127.0.0.1:\(gateway.port)/order", #"{"detail":{"user":"u7"}}"#)
            while gateway.fixture.engine.counters.eventsAccepted == 0 { await Task.yield() }
            await gateway.group.triggerGracefulShutdown()
            release.yield()
            let status = try await response.status
            #expect(status.code == 200)
        }
    }

    @Test func aBodyWithoutADeclaredLengthIsBoundedToo() async throws {
        var limits = GatewayLimits()
        limits.httpBodyBytesMax = 100
        try await RunningGateway.with(limits: limits) { gateway in
            let head = "POST /order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            let piece = "40\r\n\(String(repeating: "x", count: 64))\r\n"
            let answer = try await gateway.exchange(Array((head + piece + piece).utf8))
            #expect(answer.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func aBodyThatDripsIsCutOff() async throws {
        var limits = GatewayLimits()
        limits.httpBodySecondsMax = 0
        try await RunningGateway.with(limits: limits) { gateway in
            let head = "POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
            let answer = try await gateway.exchange(Array(head.utf8))
            #expect(answer.hasPrefix("HTTP/1.1 408"))
        }
    }

    @Test func aSilentConnectionIsClosed() async throws {
        var limits = GatewayLimits()
        limits.httpIdleSecondsMax = 1
        try await RunningGateway.with(limits: limits) { gateway in
            let answer = try await gateway.exchange(Array("POST /order HTTP/1.1\r\nHost: x\r\n".utf8))
            #expect(answer.isEmpty)
        }
    }

    private static func post(_ url: String, _ body: String) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await HTTPClient.shared.execute(request, timeout: .seconds(20))
    }
}
