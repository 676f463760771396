import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Bytes that somebody sends to do harm, and classes of bugs that they found in other brokers.
///
/// Each test is named by its row in the project's list of threats.
@Suite struct HostileBytesTests {
    private func open(_ broker: SimulatedBroker, _ name: String = "a") -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        client.open()
        return client
    }

    private static func connect(bytes: Int) -> [UInt8] {
        let name: [UInt8] = [0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0xC2, 0, 0, 0, 1, 0x61, 0, 1, 0x75]
        var header = ByteBuffer(bytes: [0x10])
        // Three bytes of length from here on.
        let rest = bytes - 4
        header.writeVariableByteInteger(rest)
        let password = rest - name.count - 2
        let length = [UInt8(password >> 8), UInt8(password & 255)]
        return Array(header.readableBytesView) + name + length + Array(repeating: 0x70, count: password)
    }

    @Test("Threat 1: a CONNECT that announces more than connectBytesMax is cut off by its header, and one that keeps to it is read")
    func hugeConnect() throws {
        let broker = SimulatedBroker(shards: 1)
        for number in 0..<1_000 {
            let client = open(broker, "\(number)")
            for byte: UInt8 in [0x10, 0xFF, 0xFF, 0xFF] { client.send(ByteBuffer(bytes: [byte])) }
            #expect(client.isConnected)
            client.send(ByteBuffer(bytes: [0x7F]))
            #expect(!client.isConnected)
        }
        #expect(broker.closed == ["malformed_packet": 1_000])
        #expect(open(broker).exchange(bytes: Self.connect(bytes: 65_536), settling: broker) == [0x20, 2, 0, 0])
        let larger = open(broker, "b")
        #expect(larger.exchange(bytes: Array(Self.connect(bytes: 65_537).prefix(4)), settling: broker) == [])
        #expect(!larger.isConnected)
    }

    @Test("Threat 2: a CONNECT that never ends is given up when its time is over, however slowly it grows")
    func partialConnect() {
        let broker = SimulatedBroker(shards: 1)
        let bytes = Self.connect(bytes: 65_536).dropLast()
        let clients = (0..<60).map { open(broker, "\($0)") }  // as many as connectBytesInAllMax has room for
        for client in clients { client.send(ByteBuffer(bytes: bytes.dropLast(49))) }
        for _ in 0..<49 {
            broker.advance(seconds: 0.1)
            for client in clients {
                #expect(client.isConnected)
                client.send(ByteBuffer(bytes: [0x70]))
            }
        }
        broker.advance(seconds: 0.2)
        #expect(!clients.contains { $0.isConnected })
        #expect(broker.closed == ["connect_timeout": 60])
    }

    @Test("Threat 5: connections that were refused or malformed leave nothing behind, their will least of all")
    func nothingIsLeft() throws {
        let broker = SimulatedBroker(shards: 1)
        let bodies: [[UInt8]] = [
            [0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 6, 0, 0, 0, 1, 0x61, 0, 1, 0x77, 0, 1],  // a will that is cut off
            [0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 6, 0, 0, 0, 1, 0x61, 0, 1, 0x77, 0, 1, 0x78, 0],  // a byte more behind it
            [0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0xC6, 0, 0, 0, 1, 0x61, 0, 1, 0x77, 0, 1, 0x78, 0, 1, 0xFF],  // a bad user name
        ]
        weak var last: ClientConnection?
        for round in 0..<3_000 {
            let client = open(broker)
            last = client.socket?.connection
            let body = bodies[round % bodies.count]
            _ = client.exchange(bytes: [0x10, UInt8(body.count)] + body, settling: broker)
            #expect(!client.isConnected)
            // The place in the shard's table is given to the next one.
            #expect(client.socket?.connection.slot == 0)
        }
        #expect(last == nil)
        #expect(broker.nodes[0].core.deadlineCount < 2_000)
        #expect(broker.nodes[0].core.statistics().clientsOffline == 0)
        #expect(broker.closed == ["malformed_packet": 3_000])
    }

    @Test(
        "Threat 6: an empty topic closes the connection, in PUBLISH at every QoS, in SUBSCRIBE and in UNSUBSCRIBE",
        arguments: [
            [0x30, 2, 0, 0], [0x31, 2, 0, 0], [0x32, 4, 0, 0, 0, 1], [0x34, 5, 0, 0, 0, 1, 0x78], [0x82, 5, 0, 1, 0, 0, 0],
            [0xA2, 4, 0, 1, 0, 0],
        ] as [[UInt8]])
    func emptyTopic(bytes: [UInt8]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(client.exchange(bytes: bytes, settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["malformed_packet": 1])
    }

    /// Whether a packet with this first byte is right whose fixed header announces `remaining` bytes, and its first text `inner`.
    private static func fits(_ first: UInt8, remaining: Int, inner: Int) -> Bool {
        switch first {
        case 0x30: inner > 0 && remaining >= 2 + inner
        case 0x32, 0x34: inner > 0 && remaining >= 4 + inner
        case 0x82: inner > 0 && remaining == 5 + inner
        case 0xA2: inner > 0 && remaining == 4 + inner
        default: false
        }
    }

    @Test(
        "Threat 7: a packet whose lengths contradict each other closes the connection, and takes no byte of the next one",
        arguments: [0x10, 0x30, 0x32, 0x34, 0x82, 0xA2] as [UInt8])
    func contradictingLengths(first: UInt8) throws {
        for remaining in 0...12 {
            for inner in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 127, 128, 255, 256, 32_767, 32_768, 65_535] {
                let broker = SimulatedBroker(shards: 1)
                let client = first == 0x10 ? open(broker) : try broker.client("a")
                let identifier: [UInt8] = first >= 0x80 ? [0, 1] : []
                // Letters as long as the text goes, and then what may stand behind it.
                let rest = (0..<10).map { UInt8($0 < inner ? 0x61 : 1) }
                let body = identifier + [UInt8(inner >> 8), UInt8(inner & 255)] + rest
                // What follows is whole: a PUBLISH, whose bytes would make a topic, and a PINGREQ, whose answer comes last.
                let bytes = [first, UInt8(remaining)] + Array(body.prefix(remaining)) + [0x30, 3, 0, 1, 0x74, 0xC0, 0]
                let answer = client.exchange(bytes: bytes, settling: broker)
                let fits = Self.fits(first, remaining: remaining, inner: inner)
                #expect(client.isConnected == fits, "\(bytes)")
                #expect((answer.suffix(2) == [0xD0, 0]) == fits, "\(bytes)")
            }
        }
    }

    @Test(
        "Threat 8: a remaining length that goes on after four bytes closes the connection, and no fifth is waited for",
        arguments: [true, false])
    func fiveBytesOfLength(isConnected: Bool) throws {
        for rest in [[], [0x00], [0x01], [0x80, 0x01]] as [[UInt8]] {
            let broker = SimulatedBroker(shards: 1)
            let client = isConnected ? try broker.client("a") : open(broker)
            let bytes = [isConnected ? 0x30 : 0x10, 0x80, 0x80, 0x80, 0x80] + rest as [UInt8]
            #expect(client.exchange(bytes: bytes, settling: broker) == [])
            #expect(!client.isConnected)
            #expect(broker.closed == ["malformed_packet": 1])
        }
    }

    /// A well-formed packet of each type, and of the two that are reserved.
    private static let packets: [[UInt8]] = [
        [0x00, 0], [0x10, 13, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x61], [0x20, 2, 0, 0], [0x30, 3, 0, 1, 0x74],
        [0x40, 2, 0, 1],
        [0x50, 2, 0, 1], [0x62, 2, 0, 1], [0x70, 2, 0, 1], [0x82, 6, 0, 1, 0, 1, 0x74, 0], [0x90, 3, 0, 1, 0], [0xA2, 5, 0, 1, 0, 1, 0x74],
        [0xB0, 2, 0, 1], [0xC0, 0], [0xD0, 0], [0xE0, 0], [0xF0, 0],
    ]

    @Test("Threats 9 and 10: before CONNECT every other packet closes the connection, without an answer")
    func everyPacketBeforeConnect() {
        for bytes in Self.packets where bytes[0] != 0x10 {
            let broker = SimulatedBroker(shards: 1)
            let client = open(broker)
            #expect(client.exchange(bytes: bytes, settling: broker) == [])
            #expect(!client.isConnected, "\(bytes)")
            #expect(broker.closed == ["protocol_violation": 1])
        }
    }

    @Test("Threats 9 and 10: after CONNECT, what a client must not send closes the connection, and all else does not")
    func everyPacketAfterConnect() throws {
        let closing: Set<UInt8> = [0x00, 0x10, 0x20, 0x90, 0xB0, 0xD0, 0xE0, 0xF0]
        for bytes in Self.packets {
            let broker = SimulatedBroker(shards: 1)
            let client = try broker.client("a")
            let answer = client.exchange(bytes: bytes, settling: broker)
            #expect(client.isConnected == !closing.contains(bytes[0]), "\(bytes)")
            if closing.contains(bytes[0]) { #expect(answer == []) }
        }
    }

    @Test("Threats 9 and 10: behind DISCONNECT, and behind a refusal, no packet does anything")
    func everyPacketAfterTheEnd() throws {
        for bytes in Self.packets {
            let broker = SimulatedBroker(shards: 1)
            let watcher = try broker.client("watcher")
            _ = try watcher.subscribe("#")
            let client = try broker.client("a", cleanSession: false)
            #expect(client.exchange(bytes: [0xE0, 0] + bytes, settling: broker) == [])
            #expect(!client.isConnected)
            let refused = open(broker)
            let empty: [UInt8] = [0x10, 12, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 0, 0, 0, 0, 0]
            #expect(refused.exchange(bytes: empty + bytes, settling: broker) == [0x20, 2, 0, 2])
            #expect(broker.closed == ["disconnected": 1, "refused": 1])
            #expect(try watcher.read() == [])
            #expect(broker.nodes[0].core.statistics().subscriptions == 1)
        }
    }

    @Test(
        "Threats 9 and 10: while the connection moves to its session's shard, packets wait, and then count as they would",
        arguments: [true, false])
    func everyPacketWhileMoving(atOnce: Bool) throws {
        let closing: Set<UInt8> = [0x00, 0x10, 0x20, 0x90, 0xB0, 0xD0, 0xE0, 0xF0]
        for bytes in Self.packets {
            let broker = SimulatedBroker(shards: 2)
            try broker.client("a", at: 0, cleanSession: false).lose()
            let client = SimulatedClient("a", of: broker)
            client.open(at: 1)
            var stream = ByteBuffer()
            Packet.connect(Connect(clientID: "a", cleanStart: false)).encode(into: &stream, version: .v311)
            if atOnce { stream.writeBytes(bytes) }
            client.send(stream)
            if !atOnce { client.send(ByteBuffer(bytes: bytes)) }
            broker.settle()
            #expect(client.takeBytes().starts(with: [0x20, 2, 1, 0]))
            #expect(client.isConnected == !closing.contains(bytes[0]), "\(bytes)")
        }
    }
}
