import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct DeliveryTests {
    @Test("What is unfinished comes again in order: PUBLISH with DUP, or PUBREL; then the queue [MQTT-4.4.0-1] [MQTT-4.6.0-1]")
    func resendOrder() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 4
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        let levels: [QoS] = [.exactlyOnce, .atLeastOnce, .exactlyOnce, .atLeastOnce, .atLeastOnce, .exactlyOnce]
        for (index, qos) in levels.enumerated() {
            publisher.send(message("t", "\(index + 1)", qos: qos, packetID: UInt16(index + 100)))
        }
        broker.settle()
        #expect(
            try client.read() == [
                message("t", "1", qos: .exactlyOnce, packetID: 1), message("t", "2", qos: .atLeastOnce, packetID: 2),
                message("t", "3", qos: .exactlyOnce, packetID: 3), message("t", "4", qos: .atLeastOnce, packetID: 4),
            ])
        #expect(try client.exchange(.pubrec(packetID: 3)) == [.pubrel(packetID: 3)])
        #expect(try client.exchange(.puback(packetID: 2)) == [message("t", "5", qos: .atLeastOnce, packetID: 5)])
        client.lose()
        let expected: [Packet] = [
            accepted(sessionPresent: true), message("t", "1", qos: .exactlyOnce, packetID: 1, duplicate: true), .pubrel(packetID: 3),
            message("t", "4", qos: .atLeastOnce, packetID: 4, duplicate: true),
            message("t", "5", qos: .atLeastOnce, packetID: 5, duplicate: true),
        ]
        #expect(try client.connect(cleanSession: false) == expected)
        client.lose()
        #expect(try client.connect(cleanSession: false) == expected)
        #expect(try client.exchange(.pubcomp(packetID: 3)) == [message("t", "6", qos: .exactlyOnce, packetID: 6)])
        client.lose()
        var bytes = ByteBuffer()
        Packet.connect(Connect(clientID: "a", cleanStart: false)).encode(into: &bytes, version: .v311)
        client.open()
        client.send(bytes)
        broker.settle()
        #expect(
            client.takeBytes() == [0x20, 2, 1, 0] + [0x3C, 6, 0, 1, 0x74, 0, 1, 0x31] + [0x3A, 6, 0, 1, 0x74, 0, 4, 0x34]
                + [0x3A, 6, 0, 1, 0x74, 0, 5, 0x35] + [0x3C, 6, 0, 1, 0x74, 0, 6, 0x36])
    }

    @Test("PUBREL is sent with its reserved flags, again when the connection comes back [MQTT-3.6.1-1]")
    func pubrelBytes() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        _ = try broker.client("p").exchange(message("t", "1", qos: .exactlyOnce, packetID: 1))
        _ = try client.read()
        #expect(client.exchange(bytes: [0x50, 2, 0, 1], settling: broker) == [0x62, 2, 0, 1])
        #expect(client.exchange(bytes: [0x50, 2, 0, 1], settling: broker) == [0x62, 2, 0, 1])
        client.lose()
        client.open()
        client.send(.connect(Connect(clientID: "a", cleanStart: false)))
        broker.settle()
        #expect(client.takeBytes() == [0x20, 2, 1, 0, 0x62, 2, 0, 1])
    }

    @Test("A QoS 2 message sent again is the same message until PUBREL, across connections [MQTT-4.3.3-2]")
    func exactlyOnceFromClients() throws {
        let broker = SimulatedBroker(shards: 1)
        let subscriber = try broker.client("s")
        _ = try subscriber.subscribe("t", .atMostOnce)
        let client = try broker.client("a", cleanSession: false)
        for _ in 0..<3 {
            #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 7)) == [.pubrec(packetID: 7)])
            client.lose()
            #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
            let again = message("t", "x", qos: .exactlyOnce, packetID: 7, duplicate: true)
            #expect(try client.exchange(again) == [.pubrec(packetID: 7)])
        }
        #expect(try subscriber.read() == [message("t", "x")])
        #expect(try client.exchange(.pubrel(packetID: 7)) == [.pubcomp(packetID: 7)])
        #expect(try client.exchange(message("t", "y", qos: .exactlyOnce, packetID: 7)) == [.pubrec(packetID: 7)])
        #expect(try subscriber.read() == [message("t", "y")])
        client.lose()
        _ = try client.connect(cleanSession: true)
        #expect(try client.exchange(message("t", "z", qos: .exactlyOnce, packetID: 7)) == [.pubrec(packetID: 7)])
        #expect(try subscriber.read() == [message("t", "z")])
    }

    @Test("PUBREL for an unknown identifier gets PUBCOMP [MQTT-4.3.3-2]")
    func unknownPubrel() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        #expect(client.exchange(bytes: [0x62, 2, 0x12, 0x34], settling: broker) == [0x70, 2, 0x12, 0x34])
    }

    @Test("Acknowledgements that nobody waits for are ignored")
    func strayAcknowledgements() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .atLeastOnce)
        for packet: Packet in [.puback(packetID: 1), .pubcomp(packetID: 65_535)] { #expect(try client.exchange(packet) == []) }
        _ = try broker.client("p").exchange(message("t", "1", qos: .atLeastOnce, packetID: 1))
        #expect(try client.read() == [message("t", "1", qos: .atLeastOnce, packetID: 1)])
        #expect(try client.exchange(.pubcomp(packetID: 1)) == [])
        client.lose()
        #expect(broker.nodes[0].core.statistics().messagesInFlight == 0)
    }

    @Test("PUBREC for an identifier that is not known is answered with PUBREL, so that the client's exchange ends")
    func strayPubrec() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .atLeastOnce)
        #expect(try client.exchange(.pubrec(packetID: 77)) == [.pubrel(packetID: 77)])
        #expect(try client.exchange(.pubcomp(packetID: 77)) == [])
        // One for a message at QoS 1 is a mistake that the connection does not outlive.
        #expect(try broker.client("p").exchange(message("t", "1", qos: .atLeastOnce, packetID: 1)).count == 1)
        _ = try client.exchange(.pubrec(packetID: 1))
        #expect(!client.isConnected)
    }

    @Test("More QoS 2 messages than awaitingPubrelMax without PUBREL close the connection")
    func awaitingPubrelIsBounded() throws {
        var limits = BrokerLimits()
        limits.awaitingPubrelMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        for packetID: UInt16 in [1, 2, 2, 1] {
            #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: packetID)) == [.pubrec(packetID: packetID)])
        }
        #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 3)) == [])
        #expect(!client.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
    }

    @Test(
        "A queue takes queueMessagesMax messages or queueBytesMax bytes; what is beyond is dropped, counted, and reported once",
        arguments: [true, false])
    func queueIsBounded(byCount: Bool) throws {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        if byCount { limits.queueMessagesMax = 3 } else { limits.queueBytesMax = 7 }
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        for number in 1...6 {
            _ = try publisher.exchange(message("t", "\(number)", qos: .atLeastOnce, packetID: UInt16(number)))
            broker.advance(seconds: 0.2)  // beyond the moment that publishers wait
            broker.settle()
        }
        #expect(broker.dropped == ["queue_full": 2])
        let reports = broker.events.filter { if case .messagesDropped(_, "queue_full", 1) = $0 { true } else { false } }
        #expect(reports.count == 1)
        #expect(try client.read() == [message("t", "1", qos: .atLeastOnce, packetID: 1)])
        for number in 1...3 {
            let next = message("t", "\(number + 1)", qos: .atLeastOnce, packetID: UInt16(number + 1))
            #expect(try client.exchange(.puback(packetID: UInt16(number))) == [next])
        }
        #expect(try client.exchange(.puback(packetID: 4)) == [])
        #expect(broker.nodes[0].core.clientSummaries().first { $0.clientID == "a" }?.drops == ["queue_full": 2])
    }

    @Test("A QoS 0 message for a session without a connection is counted")
    func offlineAtQoS0() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        client.lose()
        _ = try broker.client("p").exchange(message("t", "x"))
        #expect(broker.dropped == ["offline_qos0": 1])
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
    }

    @Test("For a socket that takes no more, QoS 0 stops at outboundBytesMax and is counted; QoS 1 waits in the queue")
    func unwritableSocket() throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 200
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        broker.setWritable(try #require(client.socket), false)
        let text = String(repeating: "x", count: 94)  // 99 bytes as a PUBLISH with QoS 0
        for _ in 0..<10 {
            _ = try publisher.exchange(message("t", text))
            broker.advance(seconds: 0.2)  // beyond the moment that publishers wait; until then there is twice the room
            broker.settle()
        }
        for number: UInt16 in 1...5 { _ = try publisher.exchange(message("t", text, qos: .atLeastOnce, packetID: number)) }
        #expect(broker.dropped == ["outbound_full": 6])
        #expect(client.takeBytes() == [])
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        let zero = Array(repeating: message("t", text), count: 4)
        let one = (1...5).map { message("t", text, qos: .atLeastOnce, packetID: $0) }
        #expect(try client.read() == zero + one)
    }

    @Test("A client that sends on and on and does not read its answers is closed; one that reads again in time is not [MQTT-4.8.0-2]")
    func unreadAnswersAreBounded() throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 1_000
        limits.packetBytesMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        let socket = try #require(client.socket)
        for _ in 0..<3 {
            broker.setWritable(socket, false)
            for _ in 0..<1_000 { client.send(.pingreq) }
            #expect(client.isConnected)
            broker.setWritable(socket, true)
            broker.settle()
            #expect(client.takeBytes().count == 2_000)
        }
        broker.setWritable(socket, false)
        for _ in 0..<1_001 { client.send(.pingreq) }
        #expect(!client.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
    }

    @Test("A client that has a large message before it is not closed for its answers when packets may be no longer as large")
    func largeMessageBeforeAReload() throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let (client, publisher) = (try broker.client("a"), try broker.client("p"))
        _ = try client.subscribe("t")
        let socket = try #require(client.socket)
        broker.setWritable(socket, false)
        _ = try publisher.exchange(message("t", String(repeating: "x", count: 100_000)))
        limits.packetBytesMax = 1_000
        broker.take(limits)
        client.send(.pingreq)
        #expect(client.isConnected)
        broker.setWritable(socket, true)
        broker.settle()
        #expect(client.takeBytes().suffix(2) == [0xD0, 0])
    }

    @Test("Acknowledgements in any order make room, and identifiers go round after 65,535 without 0 [MQTT-2.3.1-2] [MQTT-2.3.1-4]")
    func identifiersGoRound() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 64
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.subscribe("t", .atLeastOnce)
        let publisher = try broker.client("p")
        var publishes = ByteBuffer()
        for packetID: UInt16 in 1...64 { message("t", "x", qos: .atLeastOnce, packetID: packetID).encode(into: &publishes, version: .v311) }
        var identifiers: [UInt16] = []
        for _ in 0..<1_025 {
            publisher.send(publishes)
            broker.settle()
            _ = publisher.takeBytes()
            let bytes = client.takeBytes()
            try #require(bytes.count == publishes.readableBytes)
            let given = stride(from: 5, to: bytes.count, by: 8).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
            identifiers += given
            var acknowledgements = ByteBuffer()
            for packetID in given.reversed() { Packet.puback(packetID: packetID).encode(into: &acknowledgements, version: .v311) }
            client.send(acknowledgements)
        }
        #expect(identifiers.prefix(3) == [1, 2, 3])
        #expect(Array(identifiers[65_533..<65_538]) == [65_534, 65_535, 1, 2, 3])
        #expect(Set(identifiers).count == 65_535)
        #expect(broker.dropped == [:])
    }
}
