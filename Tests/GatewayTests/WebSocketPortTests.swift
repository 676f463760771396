import BrokerCore
import BrokerServer
import CremaTesting
import Gateway
import Logging
import NIOCore
import Testing

/// MQTT over WebSocket on the listener for programs, whose connections the broker takes over.
@Suite(.timeLimit(.minutes(1))) struct WebSocketPortTests {
    private static let connect: [UInt8] = [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x61]
    private static let connack: [UInt8] = [0x20, 2, 0, 0]

    /// With time for a busy machine.
    private static var patient: BrokerLimits {
        var limits = BrokerLimits()
        limits.connectSecondsMax = 60
        return limits
    }

    /// A gateway before a real broker.
    private static func with(
        limits: GatewayLimits = GatewayLimits(), log: LogRecorder = LogRecorder(), anonymous: Bool = true,
        _ body: @escaping @Sendable (RunningGateway, Broker) async throws -> Void
    ) async throws {
        let broker = Broker(
            limits: patient, authorizer: ListenerAuthorizer(), rules: nil, loopCount: 2, logger: log.logger, version: "test")
        try await RunningGateway.with(
            { onListening in
                let counters = GatewayCounters()
                let adoption = broker.webSocketAdoption(
                    Listener(name: "http", host: "127.0.0.1", port: 0, transport: .ws(WebSocketListener()), anonymous: anonymous)
                ) { counters.record(.webSocket, status: $0) }
                let fixture = try GatewayFixture(
                    limits: limits,
                    webSocket: WebSocketPort(path: "/mqtt", claims: { adoption.claims($0) }, take: { try adoption.adopt($0) }),
                    eventLoopGroup: broker.eventLoopGroup, counters: counters, onListening: onListening)
                return (fixture, fixture.server)
            }, { try await body($0, broker) })
        await broker.drain(within: .seconds(5))
    }

    @Test func aClientIsServedBesideRequests() async throws {
        let log = LogRecorder()
        try await Self.with(log: log) { gateway, broker in
            // Connections are dealt to the loops in turn: both loops take one of these.
            for _ in 0..<2 {
                try await RawClient.run(port: gateway.port) { client in
                    let head = try await client.openWebSocket()
                    #expect(head.hasPrefix("HTTP/1.1 101 ") && head.contains(WebSocketBytes.accept))
                    try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Self.connect))
                    #expect(try await client.receiveMessage(Self.connack))
                    #expect(await log.next("client connected")?.metadata["listener"] == "http")
                    let answer = try await gateway.exchange(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                    #expect(answer.hasPrefix("HTTP/1.1 404 "))
                    #expect(await broker.clients().map(\.clientID) == ["a"])
                }
            }
        }
    }

    @Test(
        "What asks for no WebSocket connection there is told so",
        arguments: [
            (Array("GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n".utf8), 426),
            (WebSocketBytes.request("/mqtt", ["Upgrade": "h2c"]), 426),
            (WebSocketBytes.request("/other"), 404),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Version": "8"]), 426),
            (WebSocketBytes.request("/mqtt", ["Origin": "https://evil.example"]), 403),
            (WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Protocol": "chat"]), 400),
            // Only a connection's first request can be an upgrade.
            (Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8) + WebSocketBytes.request("/mqtt"), 426),
        ])
    func refusal(request: [UInt8], status: Int) async throws {
        try await Self.with { gateway, _ in
            try await RawClient.run(port: gateway.port) { client in
                try await client.send(request)
                while !client.text.contains("HTTP/1.1 \(status) "), try await !client.receiveMore().isEmpty {}
                #expect(client.text.contains("HTTP/1.1 \(status) "))
                let head = client.text.lowercased()
                #expect(head.contains("\r\nupgrade: websocket\r\n") == (status == 426))
                #expect(head.contains("\r\nsec-websocket-version: 13\r\n") == (status == 426))
            }
            #expect(gateway.fixture.counters.counts.map(\.status).contains(status))
        }
    }

    @Test func clientsThatStayLeaveRoomForRequests() async throws {
        var limits = GatewayLimits()
        limits.httpWebSocketsMax = 1
        try await Self.with(limits: limits) { gateway, _ in
            try await RawClient.run(port: gateway.port) { first in
                _ = try await first.openWebSocket()
                try await RawClient.run(port: gateway.port) { second in
                    try await second.send(WebSocketBytes.request())
                    _ = try await second.receiveAll()
                    #expect(second.text.hasPrefix("HTTP/1.1 503 ") && second.text.contains("httpWebSocketsMax"))
                }
                let answer = try await gateway.exchange(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                #expect(answer.hasPrefix("HTTP/1.1 404 "))
            }
            // The place comes back a moment after its connection has gone.
            var head = ""
            while !head.hasPrefix("HTTP/1.1 101 ") {
                head = try await RawClient.run(port: gateway.port) { try await $0.openWebSocket() }
            }
        }
    }

    @Test func theListenersEndLeavesClientsToTheBroker() async throws {
        try await Self.with { gateway, broker in
            try await RawClient.run(port: gateway.port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Self.connect))
                #expect(try await client.receiveMessage(Self.connack))
                await gateway.end()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, [0xC0, 0]))
                #expect(try await client.receiveMessage([0xD0, 0]))
                async let drained: Void = broker.drain(within: .seconds(5))
                #expect(try await client.receiveFrame { $0.opcode == WebSocketBytes.close }?.closeCode == 1_001)
                try await client.send(WebSocketBytes.closing(1_001))
                await drained
            }
        }
    }

    @Test func aListenerThatIsNotAnonymousRefusesTheClient() async throws {
        try await Self.with(anonymous: false) { gateway, _ in
            try await RawClient.run(port: gateway.port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Self.connect))
                #expect(try await client.receiveMessage([0x20, 2, 0, 5]))
            }
        }
    }
}
