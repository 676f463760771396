import AsyncHTTPClient
import CremaTesting
import EventBus
import Gateway
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Synchronization
import Testing

@Suite struct GatewayServerTests {
    @Test func anOrderPostedOverASocketIsPublished() async throws {
        try await RunningGateway.with { gateway in
            let response = try await Self.post("http://127.0.0.1:\(gateway.port)/order", #"{"detail":{"user":"u7"}}"#)
            #expect(response.status.code == 200)
            #expect(gateway.fixture.broker.published.map(\.topic) == ["users/u7"])
        }
    }

    @Test("Who asks before the listener is let accept waits: the program may fail to start")
    func nobodyIsAnsweredBeforeTheStart() async throws {
        let (start, begin) = AsyncStream<Void>.makeStream()
        let isLookedAt = Atomic(false)
        try await RunningGateway.with { onListening in
            // MQTT over WebSocket is served in the pipeline, before anything else of HTTP is.
            let webSocket = WebSocketPort(
                path: "/mqtt",
                claims: { _ in
                    isLookedAt.store(true, ordering: .relaxed)
                    return false
                }, take: { _ in })
            let fixture = try GatewayFixture(
                webSocket: webSocket,
                onListening: { address in
                    await onListening(address)
                    for await _ in start {}
                })
            return (fixture, fixture.server)
        } _: { gateway in
            try await RawClient.run(port: gateway.port) { client in
                try await client.send(Array("GET /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n".utf8))
                for _ in 0..<20 {
                    let isEarly = isLookedAt.load(ordering: .relaxed)
                    #expect(!isEarly)
                    try await Task.sleep(for: .milliseconds(5))
                }
                begin.finish()
                #expect(try await client.receive(Array("HTTP/1.1 404".utf8)))
                let isSeen = isLookedAt.load(ordering: .relaxed)
                #expect(isSeen)
            }
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
                    while gateway.fixture.engine.counters.eventsAccepted == 0 {
                        try Task.checkCancellation()  // else it goes on when the test's time is over
                        await Task.yield()
                    }
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
            while gateway.fixture.engine.counters.eventsAccepted == 0 {
                try Task.checkCancellation()  // else it goes on when the test's time is over
                await Task.yield()
            }
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

    @Test func aBodyThatDripsIsCutOffAndTheConnectionClosed() async throws {
        var limits = GatewayLimits()
        limits.httpBodySecondsMax = 1
        try await RunningGateway.with(limits: limits) { gateway in
            let answer = try await RawClient.run(port: gateway.port) { client in
                try await client.send(Array("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n".utf8))
                // Each byte comes well within the idle time; the client goes on until it is told.
                let outbound = client.outbound
                async let dripping: Void = Self.drip(outbound)
                _ = try await client.receiveAll()
                await dripping
                return client.text
            }
            expectOne(answer, status: 408)
        }
    }

    /// Sends a byte now and then until that fails, as it does when the connection is closed.
    private static func drip(_ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async {
        while (try? await outbound.write(ByteBuffer(string: " "))) != nil { try? await Task.sleep(for: .milliseconds(20)) }
    }

    /// A loaded machine may need a moment to send the request that is to stall.
    private static let shortIdleSeconds = 10

    @Test(arguments: [(bodySeconds: 1, idleSeconds: 60), (60, shortIdleSeconds)])
    func aBodyThatStallsIsAnsweredAndTheConnectionClosed(bodySeconds: Int, idleSeconds: Int) async throws {
        var limits = GatewayLimits()
        limits.httpBodySecondsMax = bodySeconds
        limits.httpIdleSecondsMax = idleSeconds
        try await RunningGateway.with(limits: limits) { gateway in
            let head = "POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
            expectOne(try await gateway.exchangeAll(Array(head.utf8)), status: 408)
        }
    }

    @Test(
        "An answer to a request that was not read is the connection's last",
        arguments: [
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", 404),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{", 413),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{", 415),
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 404),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 415),
            ("POST /order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n", 400),
        ])
    func anEarlyAnswerEndsTheConnection(request: String, status: Int) async throws {
        try await RunningGateway.with { gateway in
            expectOne(try await gateway.exchangeAll(Array(request.utf8)), status: status)
        }
    }

    @Test func aConnectionGoesOnAfterARefusalOfARequestThatWasRead() async throws {
        try await RunningGateway.with { gateway in
            let request = "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
            let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let answer = try await gateway.exchangeAll(Array((request + request + last).utf8))
            #expect(answer.ranges(of: "HTTP/1.1 404").count == 3)
            #expect(answer.lowercased().ranges(of: "connection: close").count == 1)
        }
    }

    /// One answer came before the connection was closed, and it says so.
    private func expectOne(_ answer: String, status: Int) {
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.ranges(of: "HTTP/1.1 4").count == 1, "\(answer)")
        #expect(answer.lowercased().contains("\r\nconnection: close\r\n"), "\(answer)")
    }

    @Test func aSilentConnectionIsClosed() async throws {
        var limits = GatewayLimits()
        limits.httpIdleSecondsMax = Self.shortIdleSeconds
        try await RunningGateway.with(limits: limits) { gateway in
            let answer = try await gateway.exchange(Array("POST /order HTTP/1.1\r\nHost: x\r\n".utf8))
            #expect(answer.isEmpty)
        }
    }

    private static func post(_ url: String, _ body: String) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: body))
        return try await HTTPClient.shared.execute(request, timeout: .minutes(5))
    }
}
