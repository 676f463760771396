import BrokerCore
import CremaTesting
import Logging
import Testing

@testable import BrokerServer

/// How WebSocket connections end, and who learns it.
@Suite(.timeLimit(.minutes(2))) struct WebSocketEndTests {
    /// Opens a connection and connects a client on it.
    private static func withClient(
        _ name: String = "a", limits: BrokerLimits = TestSite.patient, _ body: (TestSite, Int, inout RawClient) async throws -> Void
    ) async throws {
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect(name)))
                #expect(try await client.receiveMessage(Packets.connack))
                try await body(site, port, &client)
            }
        }
    }

    @Test(
        "Threats 16 and 19: a frame that must not be sent closes the one connection, with the status that fits; nothing traps",
        arguments: [
            (WebSocketBytes.frame(WebSocketBytes.text, Array("hello".utf8)), 1_003),  // [MQTT-6.0.0-1] [MQTT5-6.0.0-1]
            (WebSocketBytes.frame(WebSocketBytes.binary, Packets.disconnect, key: nil), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.binary, [], reserved: 1), 1_002),
            (WebSocketBytes.frame(0x5), 1_002),
            (WebSocketBytes.frame(0xC), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.ping, [], isFinal: false), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.ping, Array(repeating: 0, count: 126)), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.continuation, [1]), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.binary, [], isFinal: false) + WebSocketBytes.frame(WebSocketBytes.binary, []), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.binary, [], declaring: 2_000_000), 1_009),
            (WebSocketBytes.frame(WebSocketBytes.binary, [], declaring: .max), 1_009),
            ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4], 1_002),
            (WebSocketBytes.closing(1_005), 1_002),
            (WebSocketBytes.frame(WebSocketBytes.close, [3, 0xE8, 0xFF]), 1_007),
        ] as [([UInt8], UInt16)])
    func violation(frame: [UInt8], code: UInt16) async throws {
        try await Self.withClient { site, _, client in
            try await client.send(frame)
            _ = try await client.receiveAll()
            #expect(client.frames.compactMap(\.closeCode) == [code])
            _ = await site.log.next("client connected")
            let line = await site.log.next("connection closed")
            #expect(line?.metadata["reason"] == "protocol_violation")
            #expect(line?.level == .warning)
            #expect(await site.broker.clients().isEmpty)
        }
    }

    @Test func aPingIsAnswered() async throws {
        try await Self.withClient { _, _, client in
            try await client.send(WebSocketBytes.frame(WebSocketBytes.ping, Array("are you there".utf8)))
            let pong = try await client.receiveFrame { $0.opcode == WebSocketBytes.pong }
            #expect(pong?.payload == Array("are you there".utf8))
        }
    }

    @Test func aClientsCloseIsAnsweredAndItsWillGoesOut() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            let tail = site.broker.tail("gone")
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                let connect: [UInt8] =
                    [0x10, 23, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 6, 0, 60, 0, 1, 0x61] + [0, 4] + Array("gone".utf8)
                    + [0, 2] + Array("by".utf8)
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, connect))
                #expect(try await client.receiveMessage(Packets.connack))
                try await client.send(WebSocketBytes.closing(4_001, "page left"))
                _ = try await client.receiveAll()
                #expect(client.frames.compactMap(\.closeCode) == [4_001])
                #expect(await tail.first { _ in true }?.message.topicName == "gone")
            }
            _ = await site.log.next("client connected")
            #expect(await site.log.next("connection closed")?.metadata["reason"] == "closed_by_peer")
        }
    }

    @Test(
        "The broker's close says why",
        arguments: [
            (Packets.disconnect, 1_000, "disconnected"),  // [MQTT-3.14.4-1]
            (Packets.connect("a"), 1_002, "protocol_violation"),
            ([0xF0, 0], 1_002, "malformed_packet"),
        ] as [([UInt8], UInt16, String)])
    func brokersClose(packet: [UInt8], code: UInt16, reason: String) async throws {
        try await Self.withClient { site, _, client in
            try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, packet))
            let close = try await client.receiveFrame { $0.opcode == WebSocketBytes.close }
            #expect(close?.closeCode == code)
            // The connection ends when the client has answered; where that takes longer than the broker waits, at the end of the wait.
            try? await client.send(WebSocketBytes.closing(code))
            _ = try await client.receiveAll()
            #expect(client.frames.compactMap(\.closeCode) == [code])
            _ = await site.log.next("client connected")
            #expect(await site.log.next("connection closed")?.metadata["reason"] == reason)
        }
    }

    @Test func aCloseThatIsNotAnsweredEndsAllTheSame() async throws {
        try await Self.withClient { _, _, client in
            try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.disconnect))
            _ = try await client.receiveAll()
            #expect(client.frames.compactMap(\.closeCode) == [1_000])
        }
    }

    @Test func drainSaysThatTheBrokerGoesAway() async throws {
        try await Self.withClient { site, _, client in
            async let drained: Void = site.broker.drain(within: .seconds(10))
            #expect(try await client.receiveFrame { $0.opcode == WebSocketBytes.close }?.closeCode == 1_001)
            try await client.send(WebSocketBytes.closing(1_001))
            _ = try await client.receiveAll()
            await drained
        }
    }

    /// The second client may be on another loop than the session, and so may the first.
    @Test func aClientWhoseSessionIsTakenOverIsTold() async throws {
        try await Self.withClient("same") { _, port, first in
            for _ in 0..<2 {
                try await RawClient.run(port: port) { second in
                    _ = try await second.openWebSocket()
                    try await second.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("same")))
                    #expect(try await second.receiveMessage(Packets.connack))
                    #expect(try await first.receiveFrame { $0.opcode == WebSocketBytes.close }?.closeCode == 1_008)
                }
            }
        }
    }

    @Test("Threat 19: pings and empty fragments without end hold up nobody")
    func flood() async throws {
        try await Self.withClient { _, port, client in
            let fragment = WebSocketBytes.frame(WebSocketBytes.continuation, [], isFinal: false)
            let ping = WebSocketBytes.frame(WebSocketBytes.ping, [1])
            let flood =
                WebSocketBytes.frame(WebSocketBytes.binary, [], isFinal: false)
                + Array(repeating: fragment + ping, count: 10_000).flatMap(\.self)
            try await client.send(flood)
            try await client.send(WebSocketBytes.frame(WebSocketBytes.continuation, Packets.subscribe("t")))
            #expect(try await client.receiveMessage(Packets.suback))
            try await RawClient.run(port: port) { other in
                _ = try await other.openWebSocket()
                try await other.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("b") + Packets.publish("t", "x")))
                #expect(try await client.receiveMessage(Packets.publish("t", "x")))
            }
        }
    }
}
