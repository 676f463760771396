import BrokerCore
import CremaTesting
import Logging
import MQTTCodec
import Testing

@testable import BrokerServer

@Suite(.timeLimit(.minutes(2))) struct WebSocketListenerTests {
    static let conversation = Packets.connect("a") + Packets.subscribe("t/#") + Packets.publish("t/1", "hello") + Packets.publish("t/2", "")
    static let answers = [Packets.connack, Packets.suback, Packets.publish("t/1", "hello"), Packets.publish("t/2", "")]

    /// How MQTT's bytes lie in frames, and these in what is sent at once.
    enum Cut: CaseIterable {
        case everythingInOneFrame, aFrameForEachPacket, aFrameForEachByte, aFragmentForEachByte, sentByteByByte, withTheRequest

        func pieces() -> [[UInt8]] {
            let bytes = WebSocketListenerTests.conversation
            switch self {
            case .everythingInOneFrame, .withTheRequest: return [WebSocketBytes.frame(WebSocketBytes.binary, bytes)]
            case .aFrameForEachPacket:
                return [Packets.connect("a"), Packets.subscribe("t/#"), Packets.publish("t/1", "hello"), Packets.publish("t/2", "")]
                    .map { WebSocketBytes.frame(WebSocketBytes.binary, $0) }
            case .aFrameForEachByte: return bytes.map { WebSocketBytes.frame(WebSocketBytes.binary, [$0]) }
            case .aFragmentForEachByte:
                let fragments = bytes.indices.map { index in
                    WebSocketBytes.frame(
                        index == 0 ? WebSocketBytes.binary : WebSocketBytes.continuation, [bytes[index]], isFinal: index == bytes.count - 1)
                }
                return [fragments.flatMap(\.self)]
            case .sentByteByByte: return WebSocketBytes.frame(WebSocketBytes.binary, bytes).map { [$0] }
            }
        }
    }

    @Test("Threat 17: packets do not have to lie as frames do [MQTT-6.0.0-2] [MQTT5-6.0.0-2]", arguments: Cut.allCases)
    func cutting(cut: Cut) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                if cut == .withTheRequest {
                    _ = try await client.openWebSocket(WebSocketBytes.request() + cut.pieces().flatMap(\.self))
                } else {
                    _ = try await client.openWebSocket()
                    for piece in cut.pieces() { try await client.send(piece) }
                }
                for answer in Self.answers { #expect(try await client.receiveMessage(answer)) }
                let frames = client.frames
                #expect(frames.allSatisfy { $0.opcode == WebSocketBytes.binary && $0.isFinal && !$0.isMasked && $0.reserved == 0 })
                #expect(client.messageBytes == Self.answers.flatMap(\.self))
            }
            let clients = await site.log.next("client connected")
            #expect(clients?.metadata["listener"] == "ws")
        }
    }

    @Test(
        "The subprotocol is the one that is offered",
        arguments: [
            ("mqtt", "mqtt"), ("mqttv3.1", "mqttv3.1"), ("mqttv3.1, mqtt", "mqtt"), ("chat,mqtt", "mqtt"), ("mqttv5, mqttv3.1", "mqttv3.1"),
        ])
    func subprotocol(offered: String, chosen: String) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                let head = try await client.openWebSocket(WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Protocol": offered]))
                #expect(head.hasPrefix("HTTP/1.1 101 "))
                let lines = head.lowercased().split(separator: "\r\n")
                #expect(lines.contains("sec-websocket-protocol: \(chosen)"))  // [MQTT-6.0.0-4] [MQTT5-6.0.0-4]
                #expect(lines.contains("upgrade: websocket") && lines.contains("connection: upgrade"))
                #expect(head.contains(WebSocketBytes.accept))
                // CONNECT with level 4 also where the old name was offered, as AWS's browser SDK does.
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a")))
                #expect(try await client.receiveMessage(Packets.connack))
            }
        }
    }

    @Test func aSignatureInTheQueryIsNotLookedAt() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                let target = "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=\(String(repeating: "a", count: 3_000))"
                let head = try await client.openWebSocket(WebSocketBytes.request(target))
                #expect(head.hasPrefix("HTTP/1.1 101 "))
            }
        }
    }

    @Test(
        "Threat 18: no compression is agreed on, and a frame that has it ends the connection: nothing is inflated for a stranger",
        arguments: ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"])
    func compression(offer: String) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                let head = try await client.openWebSocket(WebSocketBytes.request("/mqtt", ["Sec-WebSocket-Extensions": offer]))
                #expect(head.hasPrefix("HTTP/1.1 101 ") && !head.lowercased().contains("sec-websocket-extensions"))
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a"), reserved: 4))
                _ = try await client.receiveAll()
                #expect(client.frames.map(\.closeCode) == [1_002])
            }
        }
    }

    @Test func aLargePacketPassesBothWays() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                let payload = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                let length = 3 + payload.count
                let header = [0x30, UInt8(length & 0x7F | 0x80), UInt8(length >> 7 & 0x7F | 0x80), UInt8(length >> 14)]
                let publish = header + [0, 1, UInt8(ascii: "t")] + payload
                try await client.send(
                    WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a") + Packets.subscribe("t"))
                        + WebSocketBytes.frame(WebSocketBytes.binary, publish))
                let expected = Packets.connack + Packets.suback + publish
                while client.messageBytes.count < expected.count, try await !client.receiveMore().isEmpty {}
                #expect(client.messageBytes == expected)
            }
        }
    }

    @Test func messagesPassBetweenWebSocketAndTCPOnAllLoops() async throws {
        try await TestSite.run { site in
            let tcp = try await site.start(TestSite.plain)
            let ws = try await site.start(TestSite.webSocket())
            // Connections are dealt to the loops in turn: over these four, every pair of loops occurs.
            for name in ["a", "b", "c", "d"] {
                try await RawClient.run(port: ws) { screen in
                    _ = try await screen.openWebSocket()
                    try await screen.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect(name) + Packets.subscribe(name)))
                    #expect(try await screen.receiveMessage(Packets.suback))
                    try await RawClient.run(port: tcp) { device in
                        try await device.send(Packets.connect("device") + Packets.publish(name, "ready"))
                        #expect(try await screen.receiveMessage(Packets.publish(name, "ready")))
                    }
                }
            }
        }
    }

    @Test func aSubscriberThatReadsNothingLosesMessagesAndHoldsUpNobody() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { slow in
                _ = try await slow.openWebSocket()
                try await slow.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("slow") + Packets.subscribe("t")))
                #expect(try await slow.receiveMessage(Packets.suback))
                let messages = (0..<100).map { _ in Message(topic: "t", payload: [UInt8](repeating: 7, count: 50_000), qos: .atMostOnce) }
                while await site.broker.statistics().messagesDropped["outbound_full", default: 0] == 0 {
                    await site.broker.publish(messages)
                }
                // It reads again, and what is published from then on arrives.
                var isAwake = false
                while !isAwake {
                    await site.broker.publish([Message(topic: "t", payload: "awake".utf8, qos: .atMostOnce)])
                    isAwake = try await slow.receiveMore().holds(Array("awake".utf8))
                }
                #expect(await site.broker.clients().first?.dropped ?? 0 > 0)
            }
        }
    }
}
