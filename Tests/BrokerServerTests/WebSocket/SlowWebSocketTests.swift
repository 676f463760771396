import BrokerCore
import CremaTesting
import Logging
import MQTTCodec
import Testing

@testable import BrokerServer

/// `slowConsumer: disconnect` where the client is behind WebSocket.
@Suite(.timeLimit(.minutes(2))) struct SlowWebSocketTests {
    private static func listener() -> Listener {
        var listener = TestSite.webSocket()
        listener.terms = ListenerTerms(slowConsumer: .disconnect)
        return listener
    }

    /// A client of MQTT 5 that subscribed to `t`.
    private static func subscribe(_ client: inout RawClient, qos: UInt8) async throws {
        _ = try await client.openWebSocket()
        let connect: [UInt8] = [0x10, 17, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 4] + Array("slow".utf8)
        try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, connect))
        #expect(try await client.receiveFrame { $0.payload.first == 0x20 } != nil)
        try await client.send(WebSocketBytes.frame(WebSocketBytes.binary, [0x82, 7, 0, 1, 0, 0, 1, 0x74, qos]))
        #expect(try await client.receiveMessage([0x90, 4, 0, 1, 0, qos]))
    }

    @Test("A client whose queue is full is told, and closed with 1008")
    func fullQueue() async throws {
        var limits = TestSite.patient
        limits.inflightMax = 2
        limits.queueMessagesMax = 3
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(Self.listener())
            try await RawClient.run(port: port) { client in
                try await Self.subscribe(&client, qos: 1)
                for number in 1...6 {
                    await site.broker.publish([Message(topic: "t", payload: [UInt8(number)], qos: .atLeastOnce, retain: false)])
                }
                let close = try await client.receiveFrame { $0.opcode == WebSocketBytes.close }
                #expect(close?.closeCode == 1_008)
                let packets = client.frames.filter { $0.opcode == WebSocketBytes.binary }.map(\.payload)
                // Two messages in the window, then DISCONNECT with 0x97.
                #expect(packets.dropFirst(2).map(\.first) == [0x32, 0x32, 0xE0])
                #expect(packets.last?.dropFirst(2).first == 0x97)
            }
            _ = await site.log.next("client connected")
            #expect(await site.log.next("connection closed")?.metadata["reason"] == "limit_exceeded")
        }
    }

    @Test("A client that does not read is closed when its bytes are too many, whatever frames they are in")
    func stalledSocket() async throws {
        var limits = TestSite.patient
        limits.outboundBytesMax = 10_000
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(Self.listener())
            try await RawClient.run(port: port) { client in
                try await Self.subscribe(&client, qos: 0)
                let payload = Array(repeating: UInt8(0x78), count: 100_000)
                // More than any kernel keeps for a socket.
                for _ in 0..<1_000 where await site.broker.statistics().connectionsClosed["limit_exceeded"] == nil {
                    await site.broker.publish([Message(topic: "t", payload: payload, qos: .atMostOnce, retain: false)])
                }
                #expect(await site.broker.clients().isEmpty)
            }
            _ = await site.log.next("client connected")
            #expect(await site.log.next("connection closed")?.metadata["reason"] == "limit_exceeded")
        }
    }

    @Test("What a full socket did not take, and pongs meanwhile, come whole and in order when the client reads again")
    func fullSocket() async throws {
        var limits = TestSite.patient
        limits.outboundBytesMax = 100 << 20
        try await TestSite.run(limits: limits) { site in
            let port = try await site.start(TestSite.webSocket())
            try await RawClient.run(port: port) { client in
                try await Self.subscribe(&client, qos: 0)
                // More than any kernel keeps for a socket; short ones are copied behind their frame's header, long ones are not.
                let count: UInt32 = 3_000
                for number in 0..<count {
                    let head = withUnsafeBytes(of: number.bigEndian) { Array($0) }
                    let payload = head + Array(repeating: UInt8(0x78), count: number % 3 == 0 ? 100 : 9_000)
                    await site.broker.publish([Message(topic: "t", payload: payload, qos: .atMostOnce, retain: false)])
                    // Room now and then, while the channel still has what waits for it.
                    if number > count / 2, number % 7 == 0 { _ = try await client.receiveMore() }
                    if number % 500 == 250 { try await client.send(WebSocketBytes.frame(WebSocketBytes.ping, [UInt8(number / 500)])) }
                }
                let last = withUnsafeBytes(of: (count - 1).bigEndian) { Array($0) }
                #expect(try await client.receiveFrame { Self.number(in: $0.payload) == last } != nil)
                let numbers = client.frames.filter { $0.opcode == WebSocketBytes.binary }.compactMap { Self.number(in: $0.payload) }
                #expect(numbers == (0..<count).map { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } })
                let pongs = client.frames.filter { $0.opcode == WebSocketBytes.pong }.compactMap(\.payload.first)
                #expect(!pongs.isEmpty && pongs == pongs.sorted())
            }
        }
    }

    /// The beginning of the payload of a PUBLISH on `t` in MQTT 5.
    private static func number(in packet: [UInt8]) -> [UInt8]? {
        guard packet.first == 0x30 else { return nil }
        let head = packet[1] < 0x80 ? 2 : 3
        return Array(packet[(head + 4)..<(head + 8)])
    }
}
