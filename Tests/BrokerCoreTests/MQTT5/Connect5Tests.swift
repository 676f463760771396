import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct Connect5Tests {
    @Test("CONNACK tells what the broker takes")
    func connackTellsTheTerms() throws {
        let client = SimulatedClient("a", of: SimulatedBroker(shards: 1))
        let connack = try #require(try client.connect5().connack)
        #expect(connack.reasonCode == .success && !connack.sessionPresent)
        #expect(connack.properties.receiveMaximum == 64)
        #expect(connack.properties.maximumPacketSize == 1_048_576)
        #expect(connack.properties.topicAliasMaximum == 32)
        #expect(connack.properties.assignedClientIdentifier == nil)
        #expect(connack.properties.serverKeepAlive == nil)
        #expect(connack.properties.sessionExpiryInterval == nil)
    }

    @Test("A client without an identifier is given one, with either clean start [MQTT5-3.1.3-6] [MQTT5-3.1.3-7] [MQTT5-3.2.2-16]")
    func assignedIdentifier() throws {
        let broker = SimulatedBroker(shards: 1)
        var names: Set<String> = []
        for cleanStart in [true, false] {
            let client = SimulatedClient("", of: broker)
            let connack = try client.connect5(cleanStart: cleanStart) { $0.sessionExpiryInterval = 100 }.connack
            let name = try #require(connack?.properties.assignedClientIdentifier)
            names.insert(name)
            client.lose()
            // From now on it is the client's as any other.
            let again = try SimulatedClient(name, of: broker).connect5(cleanStart: false).connack
            #expect(again?.sessionPresent == true && again?.properties.assignedClientIdentifier == nil)
        }
        #expect(names.count == 2 && !names.contains(""))
    }

    @Test("The keep alive is the server's where the client asks for more or none, and else its own [MQTT5-3.2.2-22]")
    func serverKeepAlive() throws {
        let broker = SimulatedBroker(shards: 1)
        for (asked, told) in [(0, 1_200), (1_200, nil), (1_201, 1_200), (65_535, 1_200), (7, nil)] as [(UInt16, UInt16?)] {
            let client = SimulatedClient("a\(asked)", of: broker)
            #expect(try client.connect5(keepAlive: asked).connack?.properties.serverKeepAlive == told)
        }
        broker.advance(seconds: 1_799)
        #expect(broker.closed["keep_alive_timeout"] == 1)  // the one that asked for 7 seconds
        broker.advance(seconds: 2)
        #expect(broker.closed["keep_alive_timeout"] == 5)
    }

    @Test("A client that was silent for too long is told so [MQTT5-3.1.2-22]")
    func keepAliveTimeout() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect5(keepAlive: 10)
        broker.advance(seconds: 15.1)
        broker.settle()
        #expect(try client.read() == disconnected(.keepAliveTimeout))
    }

    @Test("Who loses the session to a newcomer is told so [MQTT5-3.1.4-3]", arguments: [0, 1])
    func takenOver(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let old = try broker.client5("a")
        let new = SimulatedClient("a", of: broker)
        #expect(try new.connect5(at: shard).connack?.reasonCode == .success)
        #expect(try old.read() == disconnected(.sessionTakenOver))
        #expect(!old.isConnected && new.isConnected)
    }

    @Test("A session lives as long as it asked for, up to the limit [MQTT5-3.1.2-23] [MQTT5-4.1.0-2]")
    func sessionExpiry() throws {
        var limits = BrokerLimits()
        limits.sessionExpirySecondsMax = 100
        let broker = SimulatedBroker(shards: 1, limits: limits)
        for (asked, told, lives) in [(0, nil, 0), (50, nil, 50), (101, 100, 100), (.max, 100, 100)] as [(UInt32, UInt32?, Double)] {
            let client = SimulatedClient("a", of: broker)
            let connack = try client.connect5 { $0.sessionExpiryInterval = asked }.connack
            #expect(connack?.properties.sessionExpiryInterval == told)
            client.lose()
            if lives > 0 {
                broker.advance(seconds: lives - 0.5)
                #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = asked }.connack?.sessionPresent == true)
                client.lose()
            }
            broker.advance(seconds: lives + 0.5)
            #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = asked }.connack?.sessionPresent == false)
            client.send(.disconnect(Disconnect(properties: properties { if asked > 0 { $0.sessionExpiryInterval = 0 } })))
        }
    }

    @Test("Clean start discards what was there [MQTT5-3.1.2-4] [MQTT5-3.1.2-5] [MQTT5-3.1.2-6] [MQTT5-3.2.2-2] [MQTT5-3.2.2-3]")
    func cleanStart() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }.connack?.sessionPresent == false)
        _ = try client.subscribe5("t", .atLeastOnce)
        client.lose()
        #expect(try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }.connack?.sessionPresent == true)
        client.lose()
        #expect(try client.connect5(cleanStart: true) { $0.sessionExpiryInterval = 100 }.connack?.sessionPresent == false)
        #expect(broker.nodes[0].core.statistics().subscriptions == 0)
    }

    @Test("DISCONNECT may change the session's expiry, but not from none")
    func expiryOfDisconnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect5 { $0.sessionExpiryInterval = 10 }
        client.send(.disconnect(Disconnect(properties: properties { $0.sessionExpiryInterval = 100 })))
        broker.advance(seconds: 50)
        #expect(try client.connect5(cleanStart: false).connack?.sessionPresent == true)
        let answer = try client.exchange(.disconnect(Disconnect(properties: properties { $0.sessionExpiryInterval = 1 })))
        #expect(answer.withoutReasonStrings == disconnected(.protocolError))
    }

    @Test("What is wrong with a CONNECT is said in CONNACK, then the connection closes [MQTT5-3.1.4-1] [MQTT5-3.1.4-2] [MQTT5-3.2.2-7]")
    func malformedConnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let connect: [UInt8] = [0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 0x03, 0, 0, 0, 0, 1, 0x61]
        let client = SimulatedClient("a", of: broker)
        client.open()
        #expect(client.exchange(bytes: connect, settling: broker) == [0x20, 3, 0, 0x81, 0])
        #expect(!client.isConnected)
        #expect(broker.closed == ["refused": 1])
    }

    @Test("A second CONNECT is a protocol error [MQTT5-3.1.0-2]; something before CONNECT ends in silence [MQTT5-3.1.0-1]")
    func secondConnect() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        let answer = try client.exchange(.connect(Connect(clientID: "a", version: .v5)))
        #expect(answer.withoutReasonStrings == disconnected(.protocolError))
        let early = SimulatedClient("b", of: broker)
        early.open()
        #expect(early.exchange(bytes: [0xC0, 0], settling: broker) == [])
        #expect(!early.isConnected)
    }

    @Test("Malformed packets are answered with why [MQTT5-4.13.1-1], and reserved bits of DISCONNECT with 0x81 [MQTT5-3.14.1-1]")
    func malformedPackets() throws {
        let broker = SimulatedBroker(shards: 1)
        for (bytes, code) in [
            ([0x00, 0], 0x81), ([0x36, 0], 0x81), ([0x82, 2, 0, 1], 0x81), ([0x20, 3, 0, 0, 0], 0x82), ([0xC0, 1, 0], 0x81),
            ([0xE1, 0], 0x81),
            ([0x30, 0x80, 0x80, 0x80, 0x7F], 0x95), ([0x30, 3, 0, 0, 0], 0x82),
        ] as [([UInt8], UInt8)] {
            let client = try broker.client5("a")
            client.send(ByteBuffer(bytes: bytes))
            broker.settle()
            let answer = try client.read()
            let expected = disconnected(try #require(ReasonCode(rawValue: code)))
            #expect(answer.withoutReasonStrings == expected, "\(bytes)")
            #expect(!client.isConnected)
        }
    }

    @Test("A broker that stops says goodbye, and where to go instead")
    func shutdown() throws {
        for reference in [nil, "other.example:8883"] {
            let broker = SimulatedBroker(shards: 1)
            let client = try broker.client5("a")
            let old = try broker.client("b")
            broker.nodes[0].core.closeAll(reference: reference, now: broker.now)
            broker.settle()
            var goodbye = Disconnect(reasonCode: reference == nil ? .serverShuttingDown : .useAnotherServer)
            goodbye.properties.serverReference = reference
            #expect(try client.read() == [.disconnect(goodbye)])
            #expect(try old.read() == [])
        }
    }
}
