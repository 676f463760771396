import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What only shows with more than one shard.
@Suite struct ShardTests {
    @Test("A session resumed from another shard receives, publishes, closes, and goes back and forth")
    func resumedElsewhere() throws {
        let broker = SimulatedBroker(shards: 2)
        let watchers = try [0, 1].map { shard in
            let watcher = try broker.client("watcher\(shard)", at: shard)
            _ = try watcher.subscribe("up", .atLeastOnce)
            return watcher
        }
        let device = try broker.client("a", at: 0, cleanSession: false)
        _ = try device.subscribe("down", .atLeastOnce)
        let publisher = try broker.client("p", at: 1)
        var identifier: UInt16 = 0
        for round in 0..<4 {
            let other = SimulatedClient("a", of: broker)
            let current = round % 2 == 0 ? other : device
            #expect(try current.connect(at: (round + 1) % 2, cleanSession: false) == [accepted(sessionPresent: true)])
            #expect((round % 2 == 0 ? device : other).isConnected == false)
            identifier += 1
            _ = try publisher.exchange(message("down", "\(round)", qos: .atLeastOnce, packetID: 1))
            #expect(try current.read() == [message("down", "\(round)", qos: .atLeastOnce, packetID: identifier)])
            #expect(try current.exchange(.puback(packetID: identifier)) == [])
            #expect(try current.exchange(message("up", "\(round)", qos: .exactlyOnce, packetID: 9)) == [.pubrec(packetID: 9)])
            #expect(try current.exchange(.pubrel(packetID: 9)) == [.pubcomp(packetID: 9)])
            for watcher in watchers {
                #expect(try watcher.read() == [message("up", "\(round)", qos: .atLeastOnce, packetID: identifier)])
                _ = try watcher.exchange(.puback(packetID: identifier))
            }
            if round == 1 { current.lose() } else if round == 2 { current.send(.disconnect(Disconnect())) }
            broker.settle()
            #expect(current.isConnected == (round % 3 == 0))
        }
        #expect(broker.closed["session_taken_over"] == 2)
        #expect(broker.nodes[0].core.statistics().clientsConnected + broker.nodes[1].core.statistics().clientsConnected == 4)
    }

    @Test("A connection whose session is on another shard dies with its will")
    func relayedConnectionLost() throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client("watcher", at: 1)
        _ = try watcher.subscribe("gone")
        try broker.client("a", at: 0, cleanSession: false).lose()
        let device = try broker.client("a", at: 1, cleanSession: false, keepAlive: 10, will: will("gone", "1"))
        device.lose()
        broker.settle()
        #expect(try watcher.read() == [message("gone", "1")])
        _ = try device.connect(at: 1, cleanSession: false, keepAlive: 10, will: will("gone", "2"))
        broker.advance(seconds: 15.1)
        broker.settle()
        #expect(!device.isConnected)
        #expect(try watcher.read() == [message("gone", "2")])
    }

    @Test("A packet may be cut anywhere while the connection moves to its session's shard")
    func bytesWhileMoving() throws {
        var stream = ByteBuffer()
        Packet.connect(Connect(clientID: "a", cleanStart: false)).encode(into: &stream, version: .v311)
        message("t", "x", qos: .atLeastOnce, packetID: 3).encode(into: &stream, version: .v311)
        Packet.pingreq.encode(into: &stream, version: .v311)
        for cut in 1..<stream.readableBytes {
            let broker = SimulatedBroker(shards: 2)
            try broker.client("a", at: 0, cleanSession: false).lose()
            let client = SimulatedClient("a", of: broker)
            client.open(at: 1)
            var rest = stream
            let head = rest.readSlice(length: cut)
            client.send(try #require(head))
            broker.endTurn(of: 1)
            client.send(rest)
            broker.settle()
            #expect(try client.read() == [accepted(sessionPresent: true), .puback(packetID: 3), .pingresp])
        }
    }

    @Test("A session that moved while a connection was on its way to it stays with the newer connection [MQTT-3.1.4-2]")
    func sessionMovesMeanwhile() throws {
        let broker = SimulatedBroker(shards: 2)
        try broker.client("a", at: 1, cleanSession: false).lose()
        let late = SimulatedClient("a", of: broker)
        late.open(at: 0)
        late.send(.connect(Connect(clientID: "a", cleanStart: false)))
        // Before that CONNECT gets to shard 1, a clean session at shard 0 takes the client identifier from shard 1.
        let quick = SimulatedClient("a", of: broker)
        quick.open(at: 0)
        quick.send(.connect(Connect(clientID: "a", cleanStart: true)))
        broker.settle()
        #expect(try quick.read() == [accepted()])
        #expect(quick.isConnected)
        // Closed through both shards that it went through.
        #expect(try late.read().isEmpty)
        #expect(!late.isConnected)
        quick.lose()
        broker.settle()
        for node in broker.nodes { #expect(node.core.statistics().clientsConnected == 0) }
    }

    @Test("What is sent behind a SUBSCRIBE is answered behind its SUBACK, also while SUBACK waits for another shard")
    func answersKeepTheirOrder() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client("a", at: 0)
        var bytes = ByteBuffer()
        Packet.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)])).encode(
            into: &bytes, version: .v311)
        message("other", "x", qos: .atLeastOnce, packetID: 9).encode(into: &bytes, version: .v311)
        Packet.unsubscribe(Unsubscribe(packetID: 2, filters: ["t"])).encode(into: &bytes, version: .v311)
        Packet.pingreq.encode(into: &bytes, version: .v311)
        client.send(bytes)
        broker.settle()
        let suback = Packet.suback(Suback(packetID: 1, reasonCodes: [.granted(.atMostOnce)]))
        #expect(try client.read() == [suback, .puback(packetID: 9), .unsuback(Unsuback(packetID: 2)), .pingresp])
    }

    @Test("A goodbye behind a SUBSCRIBE counts, though the connection closes before SUBACK [MQTT-3.14.4-3]")
    func goodbyeBehindSubscribe() throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client("watcher", at: 1)
        _ = try watcher.subscribe("gone")
        let client = try broker.client("a", at: 0, will: will("gone", "x"))
        client.send(.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)])))
        client.send(.disconnect(Disconnect()))
        client.lose()
        broker.settle()
        #expect(try watcher.read() == [])
    }

    @Test("SUBACK waits until every shard routes by the filter, so that what is published after it arrives [MQTT-3.8.4-1]")
    func subackWaitsForAllShards() throws {
        let broker = SimulatedBroker(shards: 2)
        let client = try broker.client("a", at: 0)
        let publisher = try broker.client("p", at: 1)
        client.send(.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)])))
        broker.endTurn(of: 0)
        #expect(try client.read() == [])
        #expect(broker.deliverHandOff(to: 1))
        _ = try publisher.exchange(message("t", "x"))
        #expect(try client.read() == [.suback(Suback(packetID: 1, reasonCodes: [.granted(.atMostOnce)])), message("t", "x")])
    }

    /// A subscriber at shard 1, and a publisher at each of the two: first at 0, then at 1.
    private func takeover() throws -> (
        broker: SimulatedBroker, subscriber: SimulatedClient, first: SimulatedClient, second: SimulatedClient
    ) {
        let broker = SimulatedBroker(shards: 2)
        let subscriber = try broker.client("s", at: 1)
        _ = try subscriber.subscribe("t")
        let first = try broker.client("p", at: 0)
        let second = SimulatedClient("p", of: broker)
        second.open(at: 1)
        return (broker, subscriber, first, second)
    }

    @Test("What a client publishes after PUBACK comes after what was acknowledged, also on a connection to another shard [MQTT-4.6.0-6]")
    func acknowledgedFirst() throws {
        let (broker, subscriber, first, second) = try takeover()
        let socket = try #require(first.socket)
        socket.whenSent = {
            socket.whenSent = nil
            second.send(.connect(Connect(clientID: "q")))
            second.send(message("t", "on"))
        }
        first.send(message("t", "off", qos: .atLeastOnce, packetID: 1))
        broker.settle()
        #expect(try first.read() == [.puback(packetID: 1)])
        #expect(try subscriber.read() == [message("t", "off"), message("t", "on")])
    }

    @Test("What a client publishes after its goodbye comes after what it published before, also on another shard [MQTT5-4.6.0-6]")
    func goodbyeThenElsewhere() throws {
        let (broker, subscriber, first, second) = try takeover()
        first.send(message("t", "off"))
        first.send(.disconnect(Disconnect()))
        #expect(!first.isConnected)
        second.send(.connect(Connect(clientID: "p")))
        second.send(message("t", "on"))
        broker.settle()
        #expect(try subscriber.read() == [message("t", "off"), message("t", "on")])
    }

    @Test("What a client publishes after it took itself over comes after what it published before, also where that is read later")
    func takenOverElsewhere() throws {
        let (broker, subscriber, first, second) = try takeover()
        second.send(.connect(Connect(clientID: "p")))
        second.send(message("t", "on"))
        first.send(message("t", "off"))
        broker.settle()
        #expect(try subscriber.read() == [message("t", "off"), message("t", "on")])
        #expect(!first.isConnected)
        #expect(try second.exchange(.pingreq) == [accepted(), .pingresp])
    }

    @Test("A clean session takes the identifier from another shard, and what that one held is gone [MQTT-3.1.2-6]")
    func cleanSessionElsewhere() throws {
        let broker = SimulatedBroker(shards: 2)
        let old = try broker.client("a", at: 0, cleanSession: false)
        _ = try old.subscribe("t", .atLeastOnce)
        let new = SimulatedClient("a", of: broker)
        #expect(try new.connect(at: 1, cleanSession: true) == [accepted()])
        #expect(!old.isConnected)
        _ = try broker.client("p").exchange(message("t", "x", qos: .atLeastOnce, packetID: 1))
        #expect(try new.read() == [])
        #expect(broker.nodes.map { $0.core.statistics().subscriptions } == [0, 0])
        new.send(.disconnect(Disconnect()))
        broker.settle()
        #expect(try old.connect(at: 0, cleanSession: false) == [accepted()])
    }

    @Test("A connection that another shard hands over late does not take over a newer one [MQTT-3.1.4-2]")
    func lateHandOver() throws {
        let broker = SimulatedBroker(shards: 2)
        let owner = try broker.client("a", cleanSession: false)
        owner.lose()
        let connect = Packet.connect(Connect(clientID: "a", cleanStart: false))
        let late = SimulatedClient("a", of: broker)
        late.open(at: 1)
        late.send(connect)
        let newer = SimulatedClient("a", of: broker)
        newer.open(at: 0)
        newer.send(connect)
        broker.settle()
        #expect(try newer.read() == [accepted(sessionPresent: true)])
        #expect(newer.isConnected)
        #expect(try late.read().isEmpty)
        #expect(!late.isConnected)
    }
}
