import BrokerCore
import CremaTesting
import Logging
import NIOCore
import Testing

@testable import BrokerServer

/// The rows of the threat model about WebSocket that need a client of their own; the others stand where their subject is tested.
@Suite(.timeLimit(.minutes(2))) struct HostileWebSocketTests {
    /// The header ends with its length: no byte of a mask or a payload follows.
    @Test(
        "Threat 16: a length that no frame has is refused when it is there, before CONNECT too",
        arguments: [
            ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 1_002),
            ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1_002),
            ([0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 1_009),
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 0x20, 0, 0], 1_009),
            ([0x02, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], 1_002),
        ] as [([UInt8], UInt16)], [false, true])
    func length(header: (bytes: [UInt8], code: UInt16), isConnected: Bool) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                if isConnected {
                    try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a")))
                    #expect(try await client.receiveMessage(Packets.connack))
                }
                try await client.send(header.bytes)
                _ = try await client.receiveAll()
                #expect(client.frames.compactMap(\.closeCode) == [header.code])
            }
        }
    }

    @Test("Threat 16: what a frame lacks of its length is taken from what follows, and from nowhere else")
    func mismatch() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                // Declares two bytes more than it has: they are the first two of the ping's header, unmasked to what is no packet.
                let connect = WebSocketBytes.frame(
                    WebSocketBytes.binary, Packets.connect("a"), declaring: Packets.connect("a").count + 2)
                try await client.send(connect + WebSocketBytes.frame(WebSocketBytes.ping, [1]))
                _ = try await client.receiveAll()
                // What comes with the violation may be done, but is not answered.
                #expect(client.messageBytes.isEmpty || client.messageBytes == Packets.connack)
                #expect(client.frames.compactMap(\.closeCode) == [1_002])
            }
            _ = await site.log.next("client connected")
            #expect(await site.log.next("connection closed") != nil)
        }
    }

    @Test("Threat 17: a packet may be cut at every byte, into frames and into fragments", arguments: [false, true])
    func everyCut(isFragmented: Bool) async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a") + Packets.subscribe("t/#")))
                #expect(try await client.receiveMessage(Packets.connack + Packets.suback))
                let packet = Packets.publish("t/1", "hello")
                for cut in 0...packet.count {
                    let second = isFragmented ? WebSocketBytes.continuation : WebSocketBytes.binary
                    try await client.send(
                        WebSocketBytes.frame(WebSocketBytes.binary, packet[..<cut], isFinal: !isFragmented)
                            + WebSocketBytes.frame(second, packet[cut...]))
                    let expected = Packets.connack + Packets.suback + Array(repeating: packet, count: cut + 1).flatMap(\.self)
                    while client.messageBytes.count < expected.count, try await !client.receiveMore().isEmpty {}
                    #expect(client.messageBytes == expected)
                }
            }
        }
    }

    /// The header of the packet is longer than its frame, and its rest never comes.
    @Test("Threat 17: a packet that ends with its connection is none")
    func shortFrame() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            let tail = site.broker.tail("t")
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a") + Packets.publish("t", "first")))
                try await client.send(
                    WebSocketBytes.frame(WebSocketBytes.binary, [0x30, 0x7F, 0, 1, 0x74, 0x78]) + WebSocketBytes.closing(1_000))
                _ = try await client.receiveAll()
                #expect(client.frames.compactMap(\.closeCode) == [1_000])
            }
            try await RawClient.run(port: port) { client in
                _ = try await client.openWebSocket()
                try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("b") + Packets.publish("t", "last")))
                #expect(try await client.receiveMessage(Packets.connack))
                var payloads: [String] = []
                for await message in tail {
                    payloads.append(String(decoding: message.message.payload.readableBytesView, as: UTF8.self))
                    if payloads.last == "last" { break }
                }
                #expect(payloads == ["first", "last"])
            }
        }
    }

    @Test("Threat 19: text is refused before CONNECT too [MQTT-6.0.0-1] [MQTT5-6.0.0-1], and so is a frame without a mask")
    func strangers() async throws {
        try await TestSite.run { site in
            let port = try await site.start(TestSite.webSocket())
            for (frame, code) in [
                (WebSocketBytes.frame(WebSocketBytes.text, Packets.connect("a")), 1_003),
                (WebSocketBytes.frame(WebSocketBytes.binary, Packets.connect("a"), key: nil), 1_002),
            ] as [([UInt8], UInt16)] {
                try await RawClient.run(port: port) { client in
                    _ = try await client.openWebSocket()
                    try await client.send(frame)
                    _ = try await client.receiveAll()
                    #expect(client.messageBytes.isEmpty && client.frames.compactMap(\.closeCode) == [code])
                }
            }
        }
    }
}
