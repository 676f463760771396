import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Few bytes that ask for much work, in order to keep the event loop from the others.
@Suite struct HostileWorkTests {
    /// A client at shard 0 of two, which pipelines SUBSCRIBE and UNSUBSCRIBE of one filter, and the bytes of `count` such pairs.
    private func pipelining(_ count: Int, will: Will? = nil) throws -> (broker: SimulatedBroker, client: SimulatedClient, bytes: ByteBuffer)
    {
        let broker = SimulatedBroker(shards: 2)
        var bytes = ByteBuffer()
        for number in 0..<count {
            let packetID = UInt16(1 + number % 60_000)
            let requests = [Subscribe.Request(filter: "q/x", qos: .atMostOnce)]
            Packet.subscribe(Subscribe(packetID: packetID, requests: requests)).encode(into: &bytes, version: .v311)
            Packet.unsubscribe(Unsubscribe(packetID: packetID, filters: ["q/x"])).encode(into: &bytes, version: .v311)
        }
        return (broker, try broker.client("a", will: will), bytes)
    }

    @Test("A client that pipelines behind its SUBACKs is not read while much of it waits, and what waits is not copied for each of them")
    func pipelinedSubscriptions() throws {
        let (broker, client, bytes) = try pipelining(4_000)
        let socket = try #require(client.socket)
        client.send(bytes)
        #expect(bytes.readableBytes > Shard.inboxBytesMax)
        #expect(!socket.isRead)
        var storage: UnsafeRawPointer?
        var moves = 0
        var answers = 0
        for _ in 0..<4_000 {
            broker.endTurn(of: 0)
            while broker.deliverHandOff(to: 1) {}
            broker.endTurn(of: 1)
            while broker.deliverHandOff(to: 0) {}
            let current = socket.connection.inbox.withVeryUnsafeBytes { $0.baseAddress }
            if current != storage { moves += 1 }
            storage = current
            #expect(socket.isRead == (socket.connection.inbox.readableBytes < Shard.inboxBytesMax))
            answers += try client.read().count
        }
        broker.settle()
        answers += try client.read().count
        #expect(answers == 8_000)
        #expect(moves < 40)
        #expect(socket.isRead)
    }

    @Test("What a client sent before it went is worked off over turns, its goodbye at the end of it [MQTT-3.14.4-3]")
    func goneWithMuchUnread() throws {
        var (broker, client, bytes) = try pipelining(4_000, will: will("gone", "x"))
        Packet.disconnect(Disconnect()).encode(into: &bytes, version: .v311)
        let watcher = try broker.client("w")
        _ = try watcher.subscribe("gone")
        client.send(bytes)
        let core = broker.nodes[0].core
        let packetsPerTurn = UInt64(Shard.leavingBytesPerTurn / 7 + 2)
        var before = core.counters.packetsReceived
        client.lose()
        var turns = 0
        while core.sessions[ExactText("a")] != nil, turns < 10_000 {
            #expect(core.counters.packetsReceived - before <= packetsPerTurn)
            before = core.counters.packetsReceived
            broker.endTurn(of: 0)
            turns += 1
        }
        #expect(turns > 10)
        broker.settle()
        #expect(try watcher.read() == [])
        #expect(broker.closed["disconnected"] == 1)
        #expect(core.announcements.pending.isEmpty)
    }

    @Test("A client that comes back ends what it had sent before: nothing more is done for a connection that is closed")
    func backBeforeItIsWorkedOff() throws {
        let (broker, client, bytes) = try pipelining(4_000)
        client.send(bytes)
        client.lose()
        let core = broker.nodes[0].core
        _ = try broker.client("a")
        let before = core.counters.packetsReceived
        broker.settle()
        #expect(core.counters.packetsReceived == before)
        #expect(core.leaving.isEmpty)
    }

    @Test("Ending a session, or giving up shared subscriptions, looks through its queue once or twice, however many it has")
    func endingIsLinear() throws {
        let broker = SimulatedBroker(shards: 2)
        func member() throws -> Session {
            let client = try broker.client("a", cleanSession: false)
            for group in 0..<100 { _ = try client.subscribe("$share/g\(group)/t", .atLeastOnce) }
            client.lose()
            return try #require(broker.nodes[0].core.sessions[ExactText("a")])
        }
        let ended = try member()
        let before = ended.queue.passes
        _ = try broker.client("a").exchange(.disconnect(Disconnect()))
        #expect(ended.queue.passes - before <= 2)
        #expect(ended.subscriptions.isEmpty)
        let left = try member()
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect(cleanSession: false)
        let passes = left.queue.passes
        let filters = (0..<100).map { "$share/g\($0)/t" }
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 1, filters: filters)))
        #expect(left.queue.passes - passes <= 1)
        #expect(left.subscriptions.isEmpty)
    }

    @Test("Who publishes to many shared groups, or to groups of many members that are away, pays for the looks at them", arguments: [0, 1])
    func sharedGroups(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        for number in 0..<320 {
            let member = try broker.client("away\(number)", at: shard, cleanSession: false)
            _ = try member.subscribe("$share/one/t", .atLeastOnce)
            member.lose()
        }
        let member = try broker.client("m", at: shard)
        _ = try member.subscribe("$share/one/t", .atLeastOnce)
        for number in 0..<320 { _ = try member.subscribe("$share/g\(number)/u", packetID: UInt16(number + 1)) }
        let publisher = try broker.client("p", at: shard)
        let core = broker.nodes[shard].core
        for topic in ["t", "u"] {
            var before = core.work
            publisher.send(message(topic, "x"))
            broker.settle()
            before = core.work - before
            #expect(before >= UInt64(320 / Shard.recipientsPerVisit))
        }
    }

    // MARK: Retained messages

    @Test("Retained messages that expire together are forgotten a part at a time, and no name keeps a longer topic alive")
    func retainedTogether() throws {
        let store = RetainedStore()
        let end = Instant(nanoseconds: 1_000)
        for number in 0..<(RetainedStore.expiriesPerSweep + 10) {
            let topic = ByteBuffer(string: "r/\(number)")
            var message = Message(topic: topic, payload: ByteBuffer(string: "x"), qos: .atMostOnce, retain: true)
            message.properties = MessageProperties(forwarded: nil, expiresAt: end)
            _ = store.update(message)
        }
        var (removed, next) = store.removeExpired(at: end)
        #expect(removed == RetainedStore.expiriesPerSweep && next == end)
        (removed, next) = store.removeExpired(at: end)
        #expect(removed == 10 && next == nil)

        let long = String(repeating: "x", count: 10_000)
        for topic in ["a/\(long)", "a/b"] {
            _ = store.update(Message(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: "x"), qos: .atMostOnce, retain: true))
        }
        _ = store.update(Message(topic: ByteBuffer(string: "a/\(long)"), payload: ByteBuffer(), qos: .atMostOnce, retain: true))
        let largest = store.withState { state in state.nodes.map(\.name.storageCapacity).max() }
        #expect(try #require(largest) < 1_000)
    }

    private func retaining(_ count: Int, limits: BrokerLimits = BrokerLimits()) throws -> SimulatedBroker {
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let publisher = try broker.client("p")
        for number in 0..<count { publisher.send(message("r/\(number)", "x", retain: true)) }
        broker.settle()
        return broker
    }

    @Test("Threat 26: SUBSCRIBE of everything, many times in one packet, is sent a part in each turn, and once")
    func everythingManyTimes() throws {
        let broker = try retaining(2_000)
        let clients = try (0..<3).map { try broker.client("c\($0)") }
        let requests = Array(repeating: Subscribe.Request(filter: "#", qos: .atMostOnce), count: BrokerLimits().filtersPerPacketMax)
        for client in clients { client.send(.subscribe(Subscribe(packetID: 1, requests: requests))) }
        let core = broker.nodes[0].core
        var received = [0, 0, 0]
        while received.reduce(0, +) < 6_000 {
            let before = core.counters.publishSent[0]
            broker.endTurn(of: 0)
            #expect(core.counters.publishSent[0] - before <= UInt64(Shard.retainedPerTurn))
            for (place, client) in clients.enumerated() { received[place] += try client.read().publishes.count }
        }
        broker.settle()
        #expect(received == [2_000, 2_000, 2_000])
        #expect(try clients.allSatisfy { try $0.read().isEmpty })
        #expect(core.owedLater.isEmpty)
    }

    @Test("Threat 26: a hundred clients that ask for everything at once share what one turn sends, and the others have theirs in between")
    func everythingForMany() throws {
        let broker = try retaining(2_000)
        let clients = try (0..<100).map { try broker.client("c\($0)") }
        for client in clients {
            client.send(.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "#", qos: .atMostOnce)])))
        }
        let core = broker.nodes[0].core
        var turns = 0
        while !broker.isSettled {
            let before = core.counters.publishSent[0]
            broker.endTurn(of: 0)
            #expect(core.counters.publishSent[0] - before <= UInt64(2 * Shard.retainedPerTurn))
            turns += 1
            if turns == 50 {
                let other = SimulatedClient("other", of: broker)
                other.open()
                other.send(.connect(Connect(clientID: "other")))
                broker.endTurn(of: 0)
                #expect(try other.read() == [accepted()])
            }
        }
        #expect(turns > 100 * 2_000 / (2 * Shard.retainedPerTurn))
        for client in clients { #expect(try client.read().publishes.count == 2_000) }
    }

    @Test("Threat 26: what filters are owed costs by their number only, and to ask again, or to give up, costs no look at what is owed")
    func manyFilters() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        let broker = try retaining(500, limits: limits)
        let client = try broker.client("c")
        let publisher = try broker.client("p")
        _ = try client.subscribe("live", .atLeastOnce)
        _ = try publisher.exchange(message("live", "x", qos: .atLeastOnce, packetID: 1))  // not acknowledged: the window is full
        let core = broker.nodes[0].core
        let share = core.retainedShare
        for _ in 0..<200 {
            let filters = ["#", "+/#", "r/#", "+/+", "r/+"]
            let requests = filters.map { Subscribe.Request(filter: $0, qos: .atLeastOnce) }
            client.send(.subscribe(Subscribe(packetID: 1, requests: requests)))
            client.send(.unsubscribe(Unsubscribe(packetID: 2, filters: Array(filters.dropFirst(3)))))
        }
        broker.settle()
        #expect(core.retainedShare == share)
        let session = try #require(core.sessions[ExactText("c")])
        #expect(session.retainedBacklog.places <= 30)
        let waiting = try client.read().publishes
        #expect(waiting.map(\.retain) == [false])
        let copies = try client.exchange(.puback(packetID: try #require(waiting.first).packetID)).publishes
        #expect(copies.count == 3 * 500)
        #expect(session.retainedBacklog.isEmpty)
    }

    @Test("Threat 26: to look through many topics for a filter that matches none is paid for over turns")
    func searchesInVain() throws {
        let broker = try retaining(2_000)
        let client = try broker.client("c")
        let requests = (0..<50).map { Subscribe.Request(filter: "+/+/\($0)", qos: .atMostOnce) }
        client.send(.subscribe(Subscribe(packetID: 1, requests: requests)))
        let core = broker.nodes[0].core
        var turns = 0
        while broker.nodes[0].workIsUnderWay || turns == 0, turns < 1_000 {
            broker.endTurn(of: 0)
            turns += 1
        }
        #expect(turns >= 20)
        #expect(core.owedLater.isEmpty)
        #expect(core.sessions[ExactText("c")]?.retainedBacklog.isEmpty == true)
    }

    @Test("Each filter of one SUBSCRIBE gets its own copy, as if each had come in a packet of its own [MQTT-3.8.4-4] [MQTT5-3.8.4-5]")
    func filtersOfOnePacket() throws {
        let broker = try retaining(1)
        let client = try broker.client("c")
        let requests = ["r/0", "r/+"].map { Subscribe.Request(filter: $0, qos: .atMostOnce) }
        let together = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests))).publishes
        let other = try broker.client("d")
        let apart = try (other.subscribe("r/0") + other.subscribe("r/+")).publishes
        #expect(together.count == 2)
        #expect(together == apart)
    }
}
