import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// While the disk takes nothing, what needs it is refused with a reason, and the rest goes on.
@Suite struct StoreTroubleTests {
    private let broker = SimulatedBroker(shards: 1, store: SimulatedStore())

    private func client(_ name: String, isKept: Bool, version: ProtocolVersion = .v5) throws -> (client: SimulatedClient, packets: [Packet])
    {
        let client = SimulatedClient(name, of: broker)
        client.open(at: 0)
        var connect = Connect(clientID: name, cleanStart: !isKept, keepAlive: 0, version: version)
        if version == .v5, isKept { connect.properties.sessionExpiryInterval = 1_000 }
        return (client, try client.exchange(.connect(connect)))
    }

    private func subscribe(_ client: SimulatedClient, _ filter: String = "a") throws -> [Packet] {
        try client.exchange(.subscribe(Subscribe(packetID: 9, requests: [Subscribe.Request(filter: filter, qos: .exactlyOnce)])))
    }

    private func publish(_ qos: QoS, topic: String = "a", retain: Bool = false) -> Packet {
        var packet = Publish(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "x"), qos: qos, retain: retain)
        if qos > .atMostOnce { packet.packetID = 1 }
        return .publish(packet)
    }

    private func code(_ packets: [Packet]) -> ReasonCode? {
        switch packets.first {
        case .puback(let packet), .pubrec(let packet): packet.reasonCode
        case .suback(let packet): packet.reasonCodes.first
        case .connack(let packet): packet.reasonCode
        default: nil
        }
    }

    @Test func aPublishThatNeedsTheDiskIsRefusedInMQTT5() throws {
        _ = try subscribe(client("s", isKept: true).client)
        let publisher = try client("p", isKept: false).client
        broker.setFailing(true)
        #expect(try code(publisher.exchange(publish(.atLeastOnce))) == .implementationSpecificError)
        #expect(try code(publisher.exchange(publish(.exactlyOnce))) == .implementationSpecificError)
        #expect(try code(publisher.exchange(publish(.atLeastOnce, topic: "other", retain: true))) == .implementationSpecificError)
        #expect(broker.nodes[0].core.statistics().messagesDropped == ["store_failing": 3])
        broker.setFailing(false)
        #expect(try code(publisher.exchange(publish(.atLeastOnce))) == .success)
    }

    @Test func aPublishThatNeedsTheDiskEndsAConnectionOfMQTT311() throws {
        _ = try subscribe(client("s", isKept: true).client)
        let publisher = try client("p", isKept: false, version: .v311).client
        broker.setFailing(true)
        #expect(try publisher.exchange(publish(.atLeastOnce)).isEmpty)
        #expect(!publisher.isConnected)
    }

    /// Rules that want a message and keep what they make of it elsewhere.
    private struct Wanting: MessageRules {
        let topicFilters = ["a"]
        func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] { [] }
    }

    @Test("What rules make of a message has to be on disk, too", arguments: ["a", "$aws/rules/one/a"])
    func rulesNeedTheDisk(topic: String) throws {
        let broker = SimulatedBroker(shards: 1, rules: Wanting(), store: SimulatedStore())
        let client = SimulatedClient("p", of: broker)
        client.open(at: 0)
        _ = try client.exchange(.connect(Connect(clientID: "p", cleanStart: true, keepAlive: 0, version: .v5)))
        broker.setFailing(true)
        #expect(try code(client.exchange(publish(.atLeastOnce, topic: topic))) == .implementationSpecificError)
        #expect(try code(client.exchange(publish(.exactlyOnce, topic: topic))) == .implementationSpecificError)
        _ = try client.exchange(publish(.atMostOnce, topic: topic))
        #expect(broker.nodes[0].core.statistics().messagesDropped == ["store_failing": 2])
        broker.setFailing(false)
        #expect(try code(client.exchange(publish(.atLeastOnce, topic: topic))) == .success)
    }

    @Test("What rules would hand the store is refused from when the store takes nothing, and not from when the event loop is told")
    func rulesKnowItFirst() throws {
        let store = SimulatedStore()
        let broker = SimulatedBroker(shards: 1, rules: Wanting(), store: store)
        let client = SimulatedClient("p", of: broker)
        client.open(at: 0)
        _ = try client.exchange(.connect(Connect(clientID: "p", cleanStart: true, keepAlive: 0, version: .v5)))
        store.isFailing = true
        #expect(try code(client.exchange(publish(.atLeastOnce))) == .implementationSpecificError)
        store.isFailing = false
        #expect(try code(client.exchange(publish(.atLeastOnce))) == .success)
    }

    @Test(
        "Whoever waits for an answer that the disk holds up is not answered pings for ever", arguments: [false, true],
        [.v311, .v5] as [ProtocolVersion])
    func patience(isWellInTime: Bool, version: ProtocolVersion) throws {
        _ = try subscribe(client("s", isKept: true).client)
        let publisher = try client("p", isKept: false, version: version).client
        let other = try client("o", isKept: false, version: version).client
        publisher.send(publish(.atLeastOnce))
        broker.settle(committing: false)
        broker.setFailing(true)
        broker.advance(seconds: 9)
        broker.settle(committing: false)
        #expect(try publisher.read().isEmpty && publisher.isConnected)
        if isWellInTime {
            broker.setFailing(false)
            broker.settle()
            #expect(try publisher.read().map(\.type) == [.puback])
        }
        broker.advance(seconds: 2)
        broker.settle(committing: false)
        #expect(publisher.isConnected == isWellInTime && other.isConnected)
        guard !isWellInTime else { return }
        #expect(try publisher.read().withoutReasonStrings == (version == .v5 ? disconnected(.implementationSpecificError) : []))
    }

    @Test("A time of trouble that is over ends nobody's patience in the next one, and what was retained meanwhile is written")
    func flapping() throws {
        _ = try subscribe(client("s", isKept: true).client)
        broker.setFailing(true)
        broker.advance(seconds: 5)
        broker.setFailing(false)
        broker.settle()
        broker.advance(seconds: 4)
        let publisher = try client("p", isKept: false).client
        publisher.send(publish(.atLeastOnce))
        broker.settle(committing: false)
        broker.setFailing(true)
        broker.advance(seconds: 2)
        #expect(publisher.isConnected)
        let retaining = try client("r", isKept: false).client
        retaining.send(publish(.atMostOnce, topic: "kept", retain: true))
        broker.settle(committing: false)
        #expect(retaining.socket?.isRead == true)
        broker.setFailing(false)
        broker.settle()
        #expect(broker.retained.takeChanges().isEmpty)
        let next = broker.afterCrash(shards: 1)
        #expect(next.retained.message(for: ByteBuffer(string: "kept")) != nil)
    }

    @Test func whatNeedsNoDiskGoesOn() throws {
        let kept = try client("s", isKept: true).client
        _ = try subscribe(kept)
        let watcher = try client("w", isKept: false).client
        _ = try subscribe(watcher, "b")
        let publisher = try client("p", isKept: false).client
        broker.setFailing(true)
        _ = try publisher.exchange(publish(.atMostOnce))
        #expect(try kept.read().map(\.type) == [.publish])
        #expect(try code(publisher.exchange(publish(.atLeastOnce, topic: "b"))) == .success)
        #expect(try watcher.read().map(\.type) == [.publish])
        #expect(try code(client("new", isKept: false).packets) == .success)
    }

    @Test func sessionsAndSubscriptionsThatCannotBeKeptAreRefused() throws {
        let kept = try client("s", isKept: true).client
        broker.setFailing(true)
        #expect(try code(subscribe(kept)) == .implementationSpecificError)
        #expect(try code(client("new", isKept: true).packets) == .serverUnavailable)
        #expect(try code(client("old", isKept: true, version: .v311).packets) == .serverUnavailable)
    }

    @Test("Whoever would end a session that is kept is refused, whichever event loop has it, and the session stays", arguments: [0, 1])
    func cleanStart(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2, store: SimulatedStore())
        let kept = SimulatedClient("k", of: broker)
        _ = try kept.connect5(at: shard, cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        kept.lose()
        broker.settle()
        broker.setFailing(true)
        let will = Will(topic: ByteBuffer(string: "will"), payload: ByteBuffer(string: "x"), qos: .atMostOnce, retain: false)
        let clean = SimulatedClient("k", of: broker)
        #expect(try code(clean.connect5(at: 0, cleanStart: true, will: will)) == .serverUnavailable)
        broker.setFailing(false)
        broker.settle()
        let packets = try kept.connect5(at: 0, cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        #expect(packets.connack?.sessionPresent == true)
    }

    @Test("So is whoever comes while the end of a session is not on disk", arguments: [0, 1])
    func endedMeanwhile(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2, store: SimulatedStore())
        let kept = SimulatedClient("k", of: broker)
        _ = try kept.connect5(at: shard, cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        broker.setFailing(true)
        var goodbye = Disconnect(reasonCode: .normalDisconnection)
        goodbye.properties.sessionExpiryInterval = 0
        kept.send(.disconnect(goodbye))
        broker.settle(committing: false)
        let clean = SimulatedClient("k", of: broker)
        #expect(try code(clean.connect5(at: 0)) == .serverUnavailable)
        broker.setFailing(false)
        broker.settle()
        #expect(try code(clean.connect5(at: 0)) == .success)
    }
}
