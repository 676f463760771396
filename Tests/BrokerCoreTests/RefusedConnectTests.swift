import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What a CONNECT must be, and what follows when it is not (MQTT 3.1.1 sections 3.1.3, 3.1.4 and 3.2.2.3).
@Suite struct RefusedConnectTests {
    private static let name: [UInt8] = [0, 4, 0x4D, 0x51, 0x54, 0x54, 4]
    private static let malformedRests: [[UInt8]] = [
        [3, 0, 0, 0, 1, 0x61],  // the reserved flag
        [2, 0, 0, 0, 1, 0x61, 0x62],  // a byte more
        [2, 0, 0, 0, 2, 0x61],  // a byte less
        [0x0A, 0, 0, 0, 1, 0x61],  // will QoS without a will
        [0x1E, 0, 0, 0, 1, 0x61, 0, 1, 0x74, 0, 0],  // will QoS 3
        [6, 0, 0, 0, 1, 0x61, 0, 0, 0, 0],  // an empty will topic
        [0x42, 0, 0, 0, 1, 0x61, 0, 1, 0x70],  // a password without a user name
        [2, 0, 0, 0, 1, 0xFF],  // a client identifier that is not UTF-8
    ]
    private static let otherProtocol: [UInt8] = [0, 4, 0x4D, 0x51, 0x54, 0x58, 4, 2, 0, 0, 0, 1, 0x61]
    private static let rejected: Packet = .connack(Connack(sessionPresent: false, reasonCode: .clientIdentifierNotValid))

    @Test(
        "A CONNECT that breaks section 3.1 closes the connection without CONNACK [MQTT-3.1.4-1]",
        arguments: malformedRests.map { name + $0 } + [otherProtocol])
    func malformed(body: [UInt8]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: [0x10, UInt8(body.count)] + body, settling: broker) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["malformed_packet": 1])
    }

    @Test("A client that sends no CONNECT is closed without CONNACK: no return code says why [MQTT-3.2.2-6]")
    func noReturnCodeFits() {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        broker.advance(seconds: 6)
        broker.settle()
        #expect(!client.isConnected)
        #expect(client.takeBytes() == [])
    }

    @Test("Client identifiers of 1 to 23 letters and digits are taken, whatever the limit is set to [MQTT-3.1.3-5]", arguments: [1, 256])
    func identifiersThatEveryServerTakes(limit: Int) throws {
        var limits = BrokerLimits()
        limits.clientIDBytesMax = limit
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        var refused: [String] = []
        for count in 1...23 {
            for start in 0..<letters.count {
                let client = SimulatedClient(String((0..<count).map { letters[(start + $0) % letters.count] }), of: broker)
                if try client.connect() != [accepted()] || !client.isConnected { refused.append(client.name) }
                client.send(.disconnect(Disconnect()))
            }
        }
        #expect(refused == [])
        let longer = SimulatedClient(String(repeating: "a", count: max(limit, 23) + 1), of: broker)
        #expect(try longer.connect() == [Self.rejected])
    }

    @Test("A client identifier that is not taken is answered with 2, then the connection closes [MQTT-3.1.3-9]")
    func identifierRejected() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient(String(repeating: "a", count: 257), of: broker)
        #expect(try client.connect() == [Self.rejected])
        #expect(!client.isConnected)
        #expect(broker.nodes[0].core.statistics().connectionsRefused == ["clientIdentifierNotValid": 1])
    }

    @Test("An empty client identifier without a clean session is none [MQTT-3.1.3-7]")
    func emptyIdentifierKeepsNothing() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("", of: broker)
        #expect(try client.connect(cleanSession: false) == [Self.rejected])
        #expect(broker.nodes[0].core.statistics().clientsOffline == 0)
    }

    @Test("What follows a refused CONNECT is not processed, in the same bytes or later [MQTT-3.1.4-5]", arguments: [true, false])
    func nothingIsReadBehindARefusal(atOnce: Bool) throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("#")
        let client = SimulatedClient("a", of: broker)
        client.open(allowsAnonymous: false)
        var bytes = ByteBuffer()
        Packet.connect(Connect(clientID: "a")).encode(into: &bytes, version: .v311)
        var behind = ByteBuffer()
        message("t", "x", retain: true).encode(into: &behind, version: .v311)
        if atOnce { bytes.writeBuffer(&behind) }
        client.send(bytes)
        client.send(behind)
        broker.settle()
        #expect(client.takeBytes() == [0x20, 2, 0, 5])
        #expect(try watcher.read() == [])
        #expect(broker.retained.count == 0)
    }

    @Test("A valid CONNECT is answered with code 0, whatever it carries [MQTT-3.1.4-4]")
    func everythingIsAccepted() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        let connect = Connect(
            clientID: "a", cleanStart: false, keepAlive: 65_535, will: will("w", "", qos: .exactlyOnce, retain: true), userName: "",
            password: ByteBuffer())
        #expect(try client.exchange(.connect(connect)) == [accepted()])
        #expect(client.isConnected)
    }
}
