import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct ConnectTests {
    /// CONNECT with a clean session, keep alive 0 and client identifier `a`.
    private static func connect(name: String, level: UInt8) -> [UInt8] {
        let body = [0, UInt8(name.utf8.count)] + Array(name.utf8) + [level, 2, 0, 0, 0, 1, 0x61]
        return [0x10, UInt8(body.count)] + body
    }

    @Test(
        "Other protocol levels get their refusal, then the connection closes [MQTT-3.1.2-2] [MQTT-3.2.2-5]",
        arguments: [
            (connect(name: "MQTT", level: 3), [0x20, 2, 0, 1] as [UInt8]),
            (connect(name: "MQIsdp", level: 4), [0x20, 2, 0, 1]),
            (connect(name: "MQTT", level: 6), [0x20, 3, 0, 0x84, 0]),
            (connect(name: "MQTT", level: 0x84), [0x20, 2, 0, 1]),  // a bridge of mosquitto, which tries level 4 next
            (connect(name: "MQIsdp", level: 0x83), [0x20, 2, 0, 1]),
        ])
    func otherLevelsAreRefused(connect: [UInt8], answer: [UInt8]) {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: connect, settling: broker) == answer)
        #expect(!client.isConnected)
        #expect(broker.nodes[0].core.statistics().connectionsRefused == ["unsupportedProtocolVersion": 1])
    }

    @Test("An empty client identifier needs a clean session [MQTT-3.1.3-8] [MQTT-3.1.3-6]")
    func emptyClientIdentifier() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("", of: broker)
        #expect(
            try client.connect(cleanSession: false) == [.connack(Connack(sessionPresent: false, reasonCode: .clientIdentifierNotValid))])
        #expect(!client.isConnected)
        #expect(try client.connect() == [accepted()])
        let other = SimulatedClient("", of: broker)
        #expect(try other.connect() == [accepted()])
        #expect(client.isConnected && other.isConnected)
    }

    @Test("A name that the broker chooses is nobody else's [MQTT-3.1.3-6]")
    func chosenNameIsUnique() throws {
        let broker = SimulatedBroker(shards: 1)
        let first = SimulatedClient("", of: broker)
        _ = try first.connect()
        // The names follow each other, so that the next one can be guessed and taken.
        let number = try #require(first.socket).connection.id + 2 * 64
        let guesser = try broker.client("auto-" + String(number, radix: 36))
        let third = SimulatedClient("", of: broker)
        #expect(try third.connect() == [accepted()])
        #expect(guesser.isConnected)
        #expect(third.isConnected)
    }

    @Test("A first packet that is not CONNECT closes without an answer [MQTT-3.1.0-1]")
    func firstPacketMustBeConnect() {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: [0xC0, 0], settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["protocol_violation": 1])
    }

    @Test("The first byte is enough to refuse a stranger")
    func firstByteDecides() {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: [0x16], settling: broker) == [])
        #expect(!client.isConnected)
    }

    @Test("Threat 1: a header that announces 256 MB before CONNECT closes at once")
    func hugeConnectIsCutOff() {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: [0x10, 0xFF, 0xFF, 0xFF, 0x7F], settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["malformed_packet": 1])
    }

    @Test("A second CONNECT closes, and is no goodbye: the will goes out [MQTT-3.1.0-2] [MQTT-3.1.2-8]")
    func secondConnectPublishesTheWill() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone/#")
        let client = try broker.client("a", will: will("gone/a", "bye"))
        #expect(try client.exchange(.connect(Connect(clientID: "a"))) == [])
        #expect(!client.isConnected)
        #expect(try watcher.read() == [message("gone/a", "bye")])
    }

    @Test("DISCONNECT discards the will, and nothing after it counts [MQTT-3.14.4-1] [MQTT-3.14.4-3]")
    func disconnectDiscardsTheWill() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("#")
        let client = try broker.client("a", will: will("gone/a", "bye"))
        var bytes = ByteBuffer(bytes: [0xE0, 0])
        message("late", "x").encode(into: &bytes, version: .v311)
        client.send(bytes)
        broker.settle()
        #expect(!client.isConnected)
        #expect(try watcher.read() == [])
    }

    @Test("A DISCONNECT with reserved flags is malformed, and no goodbye [MQTT-3.14.1-1]")
    func malformedDisconnectPublishesTheWill() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone/#")
        let client = try broker.client("a", will: will("gone/a", "bye"))
        #expect(client.exchange(bytes: [0xE1, 0], settling: broker) == [])
        #expect(!client.isConnected)
        #expect(try watcher.read() == [message("gone/a", "bye")])
    }

    @Test(
        "Packets that only servers send close the connection",
        arguments: [[0x20, 2, 0, 0], [0x90, 3, 0, 1, 0], [0xB0, 2, 0, 1], [0xD0, 0]])
    func serverPacketsClose(bytes: [UInt8]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(client.exchange(bytes: bytes, settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["protocol_violation": 1])
    }

    @Test("Threat 11: a connection without a complete CONNECT is closed in time, and a connected one is not")
    func connectTimesOut() throws {
        let broker = SimulatedBroker(shards: 1)
        let connected = try broker.client("connected")
        let client = SimulatedClient("a", of: broker)
        client.open()
        client.send(ByteBuffer(bytes: [0x10, 13, 0]))
        broker.advance(seconds: 4.9)
        #expect(client.isConnected)
        broker.advance(seconds: 0.2)
        #expect(!client.isConnected)
        #expect(connected.isConnected)
        #expect(broker.closed == ["connect_timeout": 1])
    }

    @Test("Threat 42: a listener that takes no anonymous clients refuses with 5 [MQTT-3.2.2-4]")
    func anonymousClientIsRefused() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open(allowsAnonymous: false)
        client.send(.connect(Connect(clientID: "a")))
        #expect(client.takeBytes() == [0x20, 2, 0, 5])
        #expect(!client.isConnected)
    }

    @Test("Packets may come before CONNACK, and all at once or one byte at a time gives the same bytes [MQTT-3.2.0-1]")
    func fragmentationChangesNothing() throws {
        var stream = ByteBuffer()
        let packets: [Packet] = [
            .connect(Connect(clientID: "a", cleanStart: false)),
            .subscribe(Subscribe(packetID: 10, requests: [Subscribe.Request(filter: "t/#", qos: .exactlyOnce)])),
            message("t/0", "zero"), message("t/1", "one", qos: .atLeastOnce, packetID: 1),
            message("t/2", String(repeating: "long ", count: 100), qos: .exactlyOnce, packetID: 2), .pubrel(packetID: 2),
            .puback(packetID: 1), .pubrec(packetID: 2), .pubcomp(packetID: 2), .pingreq,
            .unsubscribe(Unsubscribe(packetID: 11, filters: ["t/#"])), .disconnect(Disconnect()),
        ]
        for packet in packets { packet.encode(into: &stream, version: .v311) }
        func answers(pieces: Int) -> [UInt8] {
            let broker = SimulatedBroker(shards: 1)
            let client = SimulatedClient("a", of: broker)
            client.open()
            var rest = stream
            while let piece = rest.readSlice(length: min(pieces, max(1, rest.readableBytes))) { client.send(piece) }
            broker.settle()
            #expect(!client.isConnected)
            return client.takeBytes()
        }
        let atOnce = answers(pieces: stream.readableBytes)
        #expect(atOnce.starts(with: [0x20, 2, 0, 0, 0x90, 3, 0, 10, 2]))
        #expect(atOnce.suffix(6) == [0xD0, 0, 0xB0, 2, 0, 11])
        for size in [1, 2, 3, 7, 64] { #expect(answers(pieces: size) == atOnce) }
    }

    @Test("PINGREQ is answered [MQTT-3.12.4-1], UNSUBSCRIBE for an unknown filter too [MQTT-3.10.4-5]")
    func smallAnswers() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(client.exchange(bytes: [0xC0, 0], settling: broker) == [0xD0, 0])
        #expect(try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: ["x"]))) == [.unsuback(Unsuback(packetID: 9))])
    }
}
