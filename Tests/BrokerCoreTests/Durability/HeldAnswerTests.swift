import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// Answers that promise something to outlive a crash leave when it is on disk, and no others wait.
@Suite struct HeldAnswerTests {
    private let broker = SimulatedBroker(shards: 2, store: SimulatedStore())

    private func client(_ name: String, at shard: Int = 0, isKept: Bool, version: ProtocolVersion = .v311) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        client.open(at: shard)
        var connect = Connect(clientID: name, cleanStart: !isKept, keepAlive: 0, version: version)
        if version == .v5, isKept { connect.properties.sessionExpiryInterval = 1_000 }
        _ = try client.exchange(.connect(connect))
        return client
    }

    private func publish(_ qos: QoS, _ packetID: UInt16 = 1, topic: String = "a", retain: Bool = false) -> Packet {
        var packet = Publish(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "x"), qos: qos, retain: retain)
        packet.packetID = packetID
        return .publish(packet)
    }

    private func subscribe(_ client: SimulatedClient, _ qos: QoS, _ filter: String = "a") throws -> [Packet] {
        try client.exchange(.subscribe(Subscribe(packetID: 9, requests: [Subscribe.Request(filter: filter, qos: qos)])))
    }

    /// What comes before anything is written, and what comes after it.
    private func answers(to packet: Packet, by client: SimulatedClient) throws -> (before: [PacketType], after: [PacketType]) {
        client.send(packet)
        broker.settle(committing: false)
        let before = try client.read().map(\.type)
        broker.settle()
        return (before, try client.read().map(\.type))
    }

    @Test(
        "PUBACK and PUBREC wait for a session that is kept [MQTT-4.3.2-2] [MQTT-4.3.3-2]", arguments: [QoS.atLeastOnce, .exactlyOnce],
        [0, 1])
    func acknowledgementsWait(qos: QoS, shard: Int) throws {
        let subscriber = try client("s", at: shard, isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        subscriber.lose()
        let publisher = try client("p", isKept: false)
        let (before, after) = try answers(to: publish(qos), by: publisher)
        #expect(before == [] && after == [qos == .atLeastOnce ? .puback : .pubrec])
    }

    @Test("A QoS 2 message that waits for the disk, and is answered before it was sent, is not sent empty")
    func answeredBeforeItIsSent() throws {
        let subscriber = try client("s", isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        let publisher = try client("p", isKept: false)
        publisher.send(publish(.exactlyOnce))
        broker.settle(committing: false)
        #expect(try subscriber.read().isEmpty)
        subscriber.send(.pubrec(Acknowledgement(packetID: 1)))
        broker.settle(committing: false)
        broker.settle()
        #expect(try subscriber.read().map(\.type) == [.pubrel])
    }

    /// The client of a kept session, whose CONNECT is on its way.
    private func comeBack() -> SimulatedClient {
        let client = SimulatedClient("s", of: broker)
        client.open(at: 0)
        var connect = Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v5)
        connect.properties.sessionExpiryInterval = 1_000
        client.send(.connect(connect))
        return client
    }

    @Test("Messages are sent again in the order in which they were sent, whatever of them waits for the disk [MQTT5-4.6.0-1]")
    func orderOfResends() throws {
        let subscriber = try client("s", isKept: true, version: .v5)
        _ = try subscribe(subscriber, .exactlyOnce, "+")
        let publisher = try client("p", isKept: false)
        func publish(_ count: ClosedRange<UInt16>) throws {
            for number in count {
                let qos: QoS = number % 2 == 1 ? .exactlyOnce : .atLeastOnce
                _ = try publisher.exchange(message("t\(number)", "x", qos: qos, packetID: number))
            }
        }
        func topics(_ packets: [Packet]) -> [String] { packets.publishes.map { String(buffer: $0.topic) } }
        try publish(1...4)
        #expect(topics(try subscriber.read()) == ["t1", "t2", "t3", "t4"])
        subscriber.lose()
        broker.settle()
        let again = comeBack()
        broker.settle()
        let packets = try again.read()
        #expect(topics(packets) == ["t1", "t2", "t3", "t4"] && packets.publishes.allSatisfy(\.duplicate))
        // Also what comes while they wait stays behind them.
        again.lose()
        broker.settle()
        let third = comeBack()
        broker.settle(committing: false)
        publisher.send(message("t6", "x", qos: .atLeastOnce, packetID: 6))
        broker.settle()
        #expect(topics(try third.read()) == ["t1", "t2", "t3", "t4", "t6"])
    }

    @Test("A message that waited for the disk when its client left was not sent: it comes without DUP, and not when it has expired")
    func neverSent() throws {
        let subscriber = try client("s", isKept: true, version: .v5)
        _ = try subscribe(subscriber, .exactlyOnce, "+")
        let publisher = SimulatedClient("p", of: broker)
        _ = try publisher.connect5()
        publisher.send(message5("new", "x", qos: .exactlyOnce, packetID: 1))
        publisher.send(message5("short", "x", qos: .exactlyOnce, packetID: 2) { $0.messageExpiryInterval = 2 })
        broker.settle(committing: false)
        subscriber.lose()
        broker.settle()
        broker.advance(seconds: 3)
        let again = comeBack()
        broker.settle()
        let packets = try again.read().publishes
        #expect(packets.map { String(buffer: $0.topic) } == ["new"] && packets.first?.duplicate == false)
        #expect(broker.dropped == ["message_expired": 1])
    }

    @Test("Nothing has left behind a CONNACK that never came: not the will, what was lost is counted, and the rest comes without DUP")
    func neverLetIn() throws {
        let subscriber = try client("s", isKept: true, version: .v5)
        _ = try subscribe(subscriber, .atLeastOnce, "+")
        subscriber.lose()
        broker.settle()
        let watcher = try client("w", isKept: false)
        _ = try subscribe(watcher, .atMostOnce, "will")
        let publisher = SimulatedClient("p", of: broker)
        _ = try publisher.connect5()
        let gated = SimulatedClient("s", of: broker)
        gated.open(at: 0)
        let will = Will(topic: ByteBuffer(string: "will"), payload: ByteBuffer(string: "gone"), qos: .atMostOnce, retain: false)
        var connect = Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v5, will: will)
        connect.properties.sessionExpiryInterval = 1_000
        gated.send(.connect(connect))
        broker.settle(committing: false)
        for (topic, qos) in [("a", QoS.atMostOnce), ("b", .atLeastOnce), ("c", .atMostOnce)] {
            publisher.send(message5(topic, "x", qos: qos, packetID: qos == .atMostOnce ? 0 : 1))
        }
        broker.settle(committing: false)
        #expect(try gated.read().isEmpty)
        gated.lose()
        broker.settle()
        #expect(try watcher.read().isEmpty)
        #expect(broker.dropped == ["offline_qos0": 2])
        // Twice in a row, too.
        for isLast in [false, true] {
            let again = comeBack()
            broker.settle(committing: isLast)
            let packets = try again.read().publishes
            #expect(packets.map { String(buffer: $0.topic) } == (isLast ? ["b"] : []) && packets.allSatisfy { !$0.duplicate })
            if isLast { break }
            again.lose()
            broker.settle()
        }
    }

    @Test("What comes at QoS 0 for a client whose CONNACK waits for the disk is bounded, and the rest goes on when it is there")
    func boundedBehindConnack() throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits, store: SimulatedStore())
        let kept = SimulatedClient("s", of: broker)
        kept.open(at: 0)
        let connect = Packet.connect(Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v311))
        _ = try kept.exchange(connect)
        _ = try kept.subscribe("t")
        kept.lose()
        broker.settle()
        let publisher = try broker.client("p")
        let again = SimulatedClient("s", of: broker)
        again.open(at: 0)
        again.send(connect)
        broker.settle(committing: false)
        for _ in 0..<100 { publisher.send(message("t", String(repeating: "x", count: 100))) }
        broker.settle(committing: false)
        // Publishers wait for it for a moment, as for any other.
        broker.advance(seconds: 1)
        broker.settle(committing: false)
        #expect(try again.read().isEmpty)
        #expect(broker.dropped["outbound_full", default: 0] > 50)
        broker.settle()
        let read = try again.read()
        #expect(read.first?.type == .connack)
        #expect((2...25).contains(read.count), "what it may have waiting, and no more")
        publisher.send(message("t", "y"))
        broker.settle()
        #expect(try again.read().count == 1)
    }

    @Test("Nothing waits where no session is kept", arguments: [0, 1])
    func memorySessionsDoNotWait(shard: Int) throws {
        let subscriber = try client("s", at: shard, isKept: false)
        _ = try subscribe(subscriber, .exactlyOnce)
        let publisher = try client("p", isKept: false)
        #expect(try answers(to: publish(.atLeastOnce), by: publisher).before == [.puback])
        #expect(try answers(to: publish(.exactlyOnce), by: publisher).before == [.pubrec])
        #expect(try subscriber.read().map(\.type) == [.publish, .publish])
        #expect(broker.store?.hasWaiting == false)
    }

    @Test func qosZeroIsSentToASessionThatIsKeptWithoutTheDisk() throws {
        let subscriber = try client("s", isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        let publisher = try client("p", isKept: false)
        publisher.send(publish(.atMostOnce))
        publisher.send(publish(.atLeastOnce))
        broker.settle(committing: false)
        // QoS 1 may come again after a crash, so it need not wait either; its acknowledgement does.
        #expect(try subscriber.read().map(\.type) == [.publish, .publish])
        #expect(try publisher.read().isEmpty)
    }

    @Test("What another shard was handed before the turn's end, and before the question for it, is waited for, too")
    func aSplitHandOffWaits() throws {
        let subscriber = try client("s", at: 1, isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        subscriber.lose()
        broker.settle()
        let publisher = try client("p", isKept: false)
        publisher.send(publish(.atLeastOnce))
        broker.nodes[0].core.handOff()
        _ = broker.deliverHandOff(to: 1)
        broker.endTurn(of: 1)
        broker.settle(committing: false)
        #expect(try publisher.read().isEmpty)
        broker.settle()
        #expect(try publisher.read().map(\.type) == [.puback])
    }

    /// Rules that hand something to the store for each message that they look at.
    private final class KeepingRules: MessageRules {
        private let kept = Atomic<UInt64>(0)
        let topicFilters = ["kept"]
        var recordsKept: UInt64 { kept.load(ordering: .relaxed) }

        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
            kept.wrappingAdd(1, ordering: .relaxed)
            return []
        }
    }

    @Test("What rules hand to the store is waited for", arguments: [QoS.atLeastOnce, .exactlyOnce])
    func recordsOfRulesWait(qos: QoS) throws {
        let rules = KeepingRules()
        for node in broker.nodes { node.core.setRules(rules) }
        let publisher = try client("p", isKept: false)
        let (before, after) = try answers(to: publish(qos, topic: "kept"), by: publisher)
        #expect(before == [] && after == [qos == .atLeastOnce ? .puback : .pubrec])
        #expect(try answers(to: publish(.atLeastOnce, 2, topic: "other"), by: publisher).before == [.puback])
    }

    @Test func aRetainedMessageWaits() throws {
        let publisher = try client("p", isKept: false)
        let (before, after) = try answers(to: publish(.atLeastOnce, retain: true), by: publisher)
        #expect(before == [] && after == [.puback])
    }

    @Test func connectAndSubscribeOfASessionThatIsKeptWait() throws {
        let client = SimulatedClient("k", of: broker)
        client.open(at: 0)
        let connect = Packet.connect(Connect(clientID: "k", cleanStart: false, keepAlive: 0, version: .v311))
        #expect(try answers(to: connect, by: client) == ([], [.connack]))
        let subscribe = Packet.subscribe(Subscribe(packetID: 9, requests: [Subscribe.Request(filter: "a", qos: .atLeastOnce)]))
        #expect(try answers(to: subscribe, by: client) == ([], [.suback]))
        #expect(try answers(to: .pingreq, by: client) == ([.pingresp], []))
        #expect(try answers(to: .unsubscribe(Unsubscribe(packetID: 3, filters: ["a"])), by: client) == ([], [.unsuback]))
    }

    @Test func aCleanStartWaitsUntilTheOldSessionIsGoneOnWhicheverShardItWas() throws {
        let old = try client("k", at: 1, isKept: true)
        old.lose()
        let client = SimulatedClient("k", of: broker)
        client.open(at: 0)
        let connect = Packet.connect(Connect(clientID: "k", cleanStart: true, keepAlive: 0, version: .v311))
        #expect(try answers(to: connect, by: client) == ([], [.connack]))
        #expect(broker.afterCrash(shards: 2).clientSummaries().isEmpty)
    }

    @Test("A client is let in when the end of its session is on disk, on whichever shard that was", arguments: [0, 1])
    func anEndIsWaitedFor(shard: Int) throws {
        let old = try client("k", at: shard, isKept: true, version: .v5)
        var goodbye = Disconnect(reasonCode: .normalDisconnection)
        goodbye.properties.sessionExpiryInterval = 0
        old.send(.disconnect(goodbye))
        broker.settle(committing: false)
        let client = SimulatedClient("k", of: broker)
        client.open(at: 0)
        let connect = Packet.connect(Connect(clientID: "k", cleanStart: false, keepAlive: 0, version: .v5))
        #expect(try answers(to: connect, by: client) == ([], [.connack]))
        #expect(broker.afterCrash(shards: 2).clientSummaries().isEmpty)
        // Nobody remembers the end for longer than that.
        let next = SimulatedClient("k", of: broker)
        next.open(at: 0)
        #expect(try answers(to: connect, by: next).before == [.connack])
    }

    @Test func aQoS2MessageIsSentWhenItsIdentifierIsOnDisk() throws {
        let subscriber = try client("s", isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        let publisher = try client("p", isKept: true)
        publisher.send(publish(.exactlyOnce))
        broker.settle(committing: false)
        #expect(try subscriber.read().isEmpty)
        broker.settle()
        #expect(try subscriber.read().map(\.type) == [.publish])
        #expect(try answers(to: .pubrec(packetID: 1), by: subscriber) == ([], [.pubrel]))
        _ = try publisher.read()
        #expect(try answers(to: .pubrel(packetID: 1), by: publisher) == ([], [.pubcomp]))
    }

    @Test(
        "QoS 1 does not pass QoS 2 that waits for the disk, also when all is sent again [MQTT-4.6.0-1] [MQTT5-4.6.0-1]",
        arguments: [0, 1])
    func bothQualitiesKeepTheirOrder(shard: Int) throws {
        let subscriber = try client("s", at: shard, isKept: true)
        _ = try subscribe(subscriber, .exactlyOnce)
        let publisher = try client("p", isKept: false)
        for (number, qos) in [QoS.exactlyOnce, .atLeastOnce, .exactlyOnce, .atLeastOnce].enumerated() {
            publisher.send(publish(qos, UInt16(number + 1)))
        }
        broker.settle(committing: false)
        #expect(try subscriber.read().isEmpty)
        broker.settle()
        let sent = try messages(subscriber.read())
        #expect(sent.map(\.packetID) == [1, 2, 3, 4])
        subscriber.lose()
        broker.settle()
        let back = SimulatedClient("s", of: broker)
        back.open(at: shard)
        let again = try messages(back.exchange(.connect(Connect(clientID: "s", cleanStart: false, keepAlive: 0, version: .v311))))
        #expect(again.map(\.packetID) == [1, 2, 3, 4])
        #expect(again.map(\.qos) == sent.map(\.qos))
        #expect(again.map(\.duplicate) == [true, true, true, true])
    }

    private func messages(_ packets: [Packet]) -> [Publish] {
        packets.compactMap { if case .publish(let publish) = $0 { publish } else { nil } }
    }

    @Test func answersKeepTheirOrder() throws {
        let subscriber = try client("s", isKept: true)
        _ = try subscribe(subscriber, .atLeastOnce)
        subscriber.lose()
        let publisher = try client("p", isKept: false)
        publisher.send(publish(.atLeastOnce, 1))
        publisher.send(publish(.atLeastOnce, 2, topic: "nobody"))
        broker.settle(committing: false)
        #expect(try publisher.read().isEmpty)
        broker.settle()
        let identifiers = try publisher.read().compactMap { packet in if case .puback(let puback) = packet { puback.packetID } else { nil }
        }
        #expect(identifiers == [1, 2])
    }

    @Test func relaxedAnswersDoNotWait() throws {
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore(), durability: .relaxed(milliseconds: 50))
        let client = SimulatedClient("k", of: broker)
        client.open(at: 0)
        client.send(.connect(Connect(clientID: "k", cleanStart: false, keepAlive: 0, version: .v311)))
        broker.settle(committing: false)
        #expect(try client.read().map(\.type) == [.connack])
        #expect(broker.store?.hasWaiting == true)
    }
}
