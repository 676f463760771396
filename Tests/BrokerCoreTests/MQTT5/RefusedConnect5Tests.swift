import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// CONNECT that is refused: with which code, and what follows (MQTT 5 sections 3.1.3, 3.1.4, 3.2 and 4.13).
@Suite struct RefusedConnect5Tests {
    private static let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    @Test("Client identifiers of 1 to 23 letters and digits are taken, whatever the limit is set to [MQTT5-3.1.3-5]", arguments: [1, 256])
    func identifiersThatEveryServerTakes(limit: Int) throws {
        var limits = BrokerLimits()
        limits.clientIDBytesMax = limit
        let broker = SimulatedBroker(shards: 1, limits: limits)
        for count in 1...23 {
            for start in Self.letters.indices {
                let name = String((0..<count).map { Self.letters[(start + $0) % Self.letters.count] })
                let client = SimulatedClient(name, of: broker)
                #expect(try client.connect5().connack?.reasonCode == .success, "\(name)")
                client.send(.disconnect(Disconnect()))
            }
        }
    }

    @Test("A client identifier that is not taken is answered with 0x85, then the connection closes [MQTT5-3.1.3-8] [MQTT5-3.2.2-7]")
    func identifierRejected() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient(String(repeating: "a", count: 257), of: broker)
        #expect(try client.connect5() == [.connack(Connack(sessionPresent: false, reasonCode: .clientIdentifierNotValid))])
        #expect(!client.isConnected)
    }

    @Test("A will that says to be UTF-8 and is not is refused with 0x99, as such a PUBLISH is")
    func willPayloadFormat() throws {
        let broker = SimulatedBroker(shards: 1)
        for (bytes, format, code) in [
            ([0xFF, 0xFE], .utf8, .payloadFormatInvalid), ([0xFF, 0xFE], .unspecified, .success), ([0xC3, 0xA9], .utf8, .success),
        ] as [([UInt8], PayloadFormatIndicator, ReasonCode)] {
            var will = will("w", "")
            will.payload = ByteBuffer(bytes: bytes)
            will.properties.payloadFormatIndicator = format
            let client = SimulatedClient("a", of: broker)
            #expect(try client.connect5(will: will).connack?.reasonCode == code)
            #expect(client.isConnected == (code == .success))
        }
    }

    @Test(
        "What follows a refused CONNECT is not processed, in the same bytes or later [MQTT5-3.1.4-2] [MQTT5-3.1.4-6]",
        arguments: [true, false])
    func nothingIsReadBehindARefusal(atOnce: Bool) throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client5("watcher")
        _ = try watcher.subscribe5("#")
        let client = SimulatedClient("a", of: broker)
        client.open(allowsAnonymous: false)
        var bytes = ByteBuffer()
        Packet.connect(Connect(clientID: "a", version: .v5)).encode(into: &bytes, version: .v5)
        var behind = ByteBuffer()
        message5("t", "x", retain: true).encode(into: &behind, version: .v5)
        if atOnce { bytes.writeBuffer(&behind) }
        client.send(bytes)
        client.send(behind)
        broker.settle()
        #expect(client.takeBytes() == [0x20, 3, 0, 0x87, 0])
        #expect(!client.isConnected)
        #expect(try watcher.read() == [])
        #expect(broker.retained.count == 0)
    }

    // [MQTT5-3.1.2-1] [MQTT5-3.1.2-2]
    @Test("A level that is not known yet is answered with 0x84, another protocol with nothing; the connection closes")
    func otherProtocols() {
        let broker = SimulatedBroker(shards: 1)
        for (name, level, answer) in [("MQTT", 6, [0x20, 3, 0, 0x84, 0]), ("MQTT", 255, [0x20, 3, 0, 0x84, 0]), ("MQTS", 5, [])]
            as [(String, UInt8, [UInt8])]
        {
            let client = SimulatedClient("a", of: broker)
            client.open()
            let bytes = [0x10, 14, 0, 4] + Array(name.utf8) + [level, 2, 0, 0, 0, 0, 1, 0x61]
            #expect(client.exchange(bytes: bytes, settling: broker) == answer)
            #expect(!client.isConnected)
        }
    }

    @Test("The connection of a refused CONNECT closes, also if the client takes no packet as large as CONNACK [MQTT5-4.13.2-1]")
    func refusalIsNotSent() throws {
        let broker = SimulatedBroker(shards: 1)
        for (size, answer) in [(4, []), (5, [0x20, 3, 0, 0x85, 0])] as [(UInt32, [UInt8])] {
            let client = SimulatedClient(String(repeating: "a", count: 257), of: broker)
            client.open()
            client.send(
                .connect(Connect(clientID: client.name, version: .v5, properties: properties { $0.maximumPacketSize = size })))
            broker.settle()
            #expect(client.takeBytes() == answer)
            #expect(!client.isConnected)
        }
    }

    @Test("Where CONNACK does not fit, there is no DISCONNECT either [MQTT5-3.14.0-1], and no session stays connected")
    func noDisconnectWithoutConnack() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        client.open()
        for size: UInt32 in 1...16 {
            client.open()
            client.send(.connect(Connect(clientID: "a", version: .v5, properties: properties { $0.maximumPacketSize = size })))
            broker.settle()
            #expect(client.takeBytes() == [], "\(size)")
            #expect(!client.isConnected)
        }
        #expect(broker.nodes[0].core.statistics().clientsConnected == 0)
        #expect(broker.closed == ["refused": 16])
        #expect(!broker.events.contains { if case .connected = $0 { true } else { false } })
    }

    @Test(
        "Who takes no packet as large as CONNACK takes nothing over, ends no session, and leaves no will [MQTT5-3.1.4-5]",
        arguments: [0, 1])
    func isTooSmallForCONNACK(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client5("w")
        _ = try watcher.subscribe5("gone")
        let client = try broker.client5("a") { $0.sessionExpiryInterval = 100 }
        _ = try client.subscribe5("t", .atLeastOnce)
        for isClean in [true, false] {
            let other = SimulatedClient("a", of: broker)
            let answer = try other.connect5(at: shard, cleanStart: isClean, will: will("gone", "x")) { $0.maximumPacketSize = 15 }
            #expect(answer == [] && !other.isConnected)
        }
        #expect(client.isConnected)
        #expect(try watcher.read() == [])
        client.lose()
        #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }.connack?.sessionPresent == true)
    }
}
