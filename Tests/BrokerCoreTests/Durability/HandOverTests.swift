import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What leaves a session for sessions of another shard is in the store as on its way, or there.
@Suite struct HandOverTests {
    private let broker = SimulatedBroker(shards: 2, store: SimulatedStore())
    private static let share = "$share/g/a"

    private func connect(
        _ name: String, at shard: Int, to broker: SimulatedBroker, clean: Bool = false, will: Will? = nil
    ) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        client.open(at: shard)
        var connect = Connect(clientID: name, cleanStart: clean, keepAlive: 0, version: .v5)
        connect.properties.sessionExpiryInterval = 1_000
        connect.will = will
        client.send(.connect(connect))
        return client
    }

    private func subscribe(_ client: SimulatedClient, to filter: String) throws {
        broker.settle()
        _ = try client.exchange(.subscribe(Subscribe(packetID: 9, requests: [Subscribe.Request(filter: filter, qos: .exactlyOnce)])))
    }

    private func publish(_ qos: QoS) throws {
        let publisher = try connect("p", at: 0, to: broker)
        broker.settle()
        var packet = Publish(topic: ByteBuffer(string: "a"), payload: ByteBuffer(string: "work"), qos: qos, retain: false)
        packet.packetID = 1
        _ = try publisher.exchange(.publish(packet))
    }

    /// What the clients of a process find that comes after a crash of this one.
    private func foundAfterCrash(by clients: (name: String, shard: Int)...) throws -> [String] {
        let next = broker.afterCrash(shards: 2)
        let connected = try clients.map { try connect($0.name, at: $0.shard, to: next) }
        next.settle()
        return try connected.flatMap { client in
            try client.read().compactMap { if case .publish(let publish) = $0 { String(buffer: publish.payload) } else { nil } }
        }
    }

    /// The session of one member ends with a message in its queue, while the other one is connected to another shard.
    private func endOneMember(qos: QoS) throws {
        let one = try connect("one", at: 0, to: broker)
        try subscribe(one, to: Self.share)
        one.lose()
        broker.settle()
        try publish(qos)
        let other = try connect("other", at: 1, to: broker)
        try subscribe(other, to: Self.share)
        _ = try connect("one", at: 0, to: broker, clean: true)
        broker.endTurn(of: 0)
    }

    @Test(
        "A message whose member is gone on disk, and that no other one has there, goes on after a crash",
        arguments: [QoS.atLeastOnce, .exactlyOnce])
    func onItsWay(qos: QoS) throws {
        try endOneMember(qos: qos)
        broker.commit()
        #expect(try foundAfterCrash(by: ("one", 0), ("other", 1)) == ["work"])
    }

    @Test(
        "A message that another member has on disk is nobody else's after a crash [MQTT-4.3.3-1]",
        arguments: [QoS.atLeastOnce, .exactlyOnce])
    func taken(qos: QoS) throws {
        try endOneMember(qos: qos)
        broker.commit()
        while broker.deliverHandOff(to: 1) {}
        broker.endTurn(of: 1)
        broker.commit()
        #expect(try foundAfterCrash(by: ("one", 0), ("other", 1)) == ["work"])
    }

    @Test("A message that arrived is not kept as on its way") func forgotten() throws {
        try endOneMember(qos: .exactlyOnce)
        broker.settle()
        #expect(broker.store?.handOversKept == 0)
    }

    @Test("A will that is gone from its session on disk reaches other shards after a crash, once [MQTT-3.1.2-8]", arguments: [false, true])
    func aWill(isTaken: Bool) throws {
        let subscriber = try connect("s", at: 1, to: broker)
        try subscribe(subscriber, to: "w")
        let will = Will(topic: ByteBuffer(string: "w"), payload: ByteBuffer(string: "will"), qos: .exactlyOnce, retain: false)
        let client = try connect("c", at: 0, to: broker, will: will)
        broker.settle()
        client.lose()
        broker.endTurn(of: 0)
        if isTaken {
            while broker.deliverHandOff(to: 1) {}
            broker.endTurn(of: 1)
        }
        broker.commit()
        #expect(try foundAfterCrash(by: ("s", 1)) == ["will"])
    }

    @Test("A will that is on its way in two crashes comes once, also where the number of shards changes [MQTT-4.3.3-1]")
    func aWillInTwoCrashes() throws {
        let first = SimulatedBroker(shards: 3, store: SimulatedStore())
        for shard in 0...1 {
            let subscriber = try connect("s\(shard)", at: shard, to: first)
            first.settle()
            let request = Subscribe.Request(filter: "w", qos: .exactlyOnce)
            _ = try subscriber.exchange(.subscribe(Subscribe(packetID: 9, requests: [request])))
            subscriber.lose()
        }
        let will = Will(topic: ByteBuffer(string: "w"), payload: ByteBuffer(string: "will"), qos: .exactlyOnce, retain: false)
        let client = try connect("c", at: 2, to: first, will: will)
        first.settle()
        client.lose()
        first.endTurn(of: 2)
        while first.deliverHandOff(to: 1) {}  // and not to the shard of the other subscriber
        first.endTurn(of: 1)
        first.commit()
        // Now that one is on the shard that the will goes on from.
        let second = first.afterCrash(shards: 2)
        second.endTurn(of: 0)
        second.commit()
        let third = second.afterCrash(shards: 3)
        third.settle()
        for shard in 0...1 {
            let subscriber = try connect("s\(shard)", at: shard, to: third)
            third.settle()
            #expect(try subscriber.read().messages == ["w=will"], "shard \(shard)")
        }
    }

    @Test("A will that another shard has on disk, while its session still has it there, comes once [MQTT-4.3.3-1]") func aWillTakenFirst()
        throws
    {
        let subscriber = try connect("s", at: 1, to: broker)
        try subscribe(subscriber, to: "w")
        let will = Will(topic: ByteBuffer(string: "w"), payload: ByteBuffer(string: "will"), qos: .exactlyOnce, retain: false)
        let client = try connect("c", at: 0, to: broker, will: will)
        broker.settle()
        client.lose()
        // It leaves in the middle of the turn, and the other shard is faster.
        broker.nodes[0].core.handOff()
        while broker.deliverHandOff(to: 1) {}
        broker.endTurn(of: 1)
        broker.commit()
        #expect(try foundAfterCrash(by: ("s", 1)) == ["will"])
    }
}
