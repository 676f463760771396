import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SlowConsumerTests {
    /// Room for two messages of 99 bytes, and four while publishers wait.
    private static func limits(_ change: (inout BrokerLimits) -> Void = { _ in }) -> BrokerLimits {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 198
        limits.queueMessagesMax = 8
        limits.inflightMax = 1
        change(&limits)
        return limits
    }

    private static func payload(_ number: Int) -> String { String("\(number)-" + String(repeating: "x", count: 93)).prefix(93).description }

    private func connect(_ broker: SimulatedBroker, _ policy: SlowConsumerPolicy, at shard: Int = 0) throws -> SimulatedClient {
        let client = SimulatedClient("slow", of: broker)
        client.open(at: shard, terms: ListenerTerms(slowConsumer: policy))
        _ = try client.exchange(.connect(Connect(clientID: "slow", cleanStart: true, keepAlive: 0, version: .v5)))
        return client
    }

    private func numbers(_ packets: [Packet]) -> [String] {
        packets.publishes.map { String(String(buffer: $0.payload).prefix { $0 != "-" }) }
    }

    @Test("Publishers wait for a subscriber at its limit, and nothing is lost when it catches up", arguments: [0, 1])
    func publishersWait(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.limits())
        let client = try connect(broker, .dropNewest, at: shard)
        _ = try client.subscribe5("t")
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(client.socket), false)
        for number in 0..<20 {
            publisher.send(message5("t", Self.payload(number)))
            broker.settle()
        }
        #expect(publisher.socket?.isRead == false)
        #expect(broker.dropped == [:])
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(numbers(try client.read()) == (0..<20).map { "\($0)" })
    }

    @Test("Once its time is over a subscriber is waited for no more, until it has caught up", arguments: [0, 1])
    func patienceEnds(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.limits())
        let client = try connect(broker, .dropNewest, at: shard)
        let other = try broker.client5("other")
        for reader in [client, other] { _ = try reader.subscribe5("t") }
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(client.socket), false)
        for number in 0..<10 {
            publisher.send(message5("t", Self.payload(number)))
            broker.settle()
        }
        #expect(numbers(try other.read()).count < 10)
        broker.advance(seconds: 0.11)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(numbers(try other.read()).last == "9")
        for number in 10..<20 {
            _ = try publisher.exchange(message5("t", Self.payload(number)))
            #expect(numbers(try other.read()) == ["\(number)"])
        }
        #expect((broker.dropped["outbound_full"] ?? 0) >= 14)
        let report = broker.events.compactMap { if case .messagesDropped("slow", "outbound_full", let count) = $0 { count } else { nil } }
        #expect(report == [1])  // one line in ten seconds, however many
        broker.advance(seconds: 10)
        let reports = broker.events.compactMap { if case .messagesDropped("slow", "outbound_full", let count) = $0 { count } else { nil } }
        #expect(reports.reduce(0, +) == broker.dropped["outbound_full"])  // and what it left out is told then
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        _ = try client.read()
        _ = try publisher.exchange(message5("t", Self.payload(99)))
        #expect(numbers(try client.read()) == ["99"])
    }

    @Test("drop-oldest keeps the newest QoS 0 messages")
    func dropOldestAtQoS0() throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.limits())
        let client = try connect(broker, .dropOldest)
        _ = try client.subscribe5("t")
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(client.socket), false)
        for number in 0..<20 {
            publisher.send(message5("t", Self.payload(number)))
            broker.settle()
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        let received = numbers(try client.read())
        #expect(Array(received.suffix(2)) == ["18", "19"])  // what was in the buffer already, then the newest
        #expect(broker.dropped["outbound_full"] == UInt64(20 - received.count))
        #expect(received.map { Int($0) ?? -1 } == received.map { Int($0) ?? -1 }.sorted())
    }

    @Test("The queue of QoS 1 follows the policy at its limit", arguments: SlowConsumerPolicy.allCases)
    func queuePolicies(policy: SlowConsumerPolicy) throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.limits())
        let client = try connect(broker, policy)
        _ = try client.subscribe5("t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for number in 0..<12 {
            publisher.send(message5("t", "\(number)", qos: .atLeastOnce, packetID: UInt16(number + 1)))
            broker.settle()
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        var received: [String] = []
        var packets = try client.read()
        let end = packets.filter { if case .disconnect = $0 { true } else { false } }.withoutReasonStrings
        while let next = packets.publishes.first, client.isConnected {
            received.append(String(buffer: next.payload))
            packets = try client.exchange(.puback(packetID: next.packetID))
        }
        switch policy {
        case .dropNewest: #expect(received == (0..<9).map { "\($0)" })
        case .dropOldest: #expect(received == ["0"] + (4..<12).map { "\($0)" })
        case .disconnect: #expect(end == disconnected(.quotaExceeded) && !client.isConnected)
        }
        #expect(broker.dropped["queue_full"] == (policy == .disconnect ? 1 : 3))
    }

    @Test("disconnect closes a client that lets QoS 0 pile up, one below the limit not")
    func disconnectAtQoS0() throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.limits())
        let client = try connect(broker, .disconnect)
        _ = try client.subscribe5("t")
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(client.socket), false)
        for number in 0..<3 {
            #expect(client.isConnected)
            publisher.send(message5("t", Self.payload(number)))
            broker.settle()
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        #expect(client.isConnected)
        publisher.send(message5("t", Self.payload(3)))
        broker.settle()
        #expect(!client.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
    }

    @Test("All queues together are bounded: queueBytesInAllMax")
    func queuesInAll() throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.limits { $0.queueBytesInAllMax = 5 * (2 + Shard.deliveryBytes) })
        for name in ["a", "b"] {
            let client = try broker.client5(name) { $0.sessionExpiryInterval = 10 }
            _ = try client.subscribe5("t", .atLeastOnce)
            client.lose()
        }
        let publisher = try broker.client5("p")
        for number in 1...3 { _ = try publisher.exchange(message5("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
        #expect(broker.dropped["queue_full"] == 1)  // 5 of 6 messages of 2 bytes
        broker.advance(seconds: 11)  // both sessions end: their bytes are free
        let client = try broker.client5("c") { $0.sessionExpiryInterval = 10 }
        _ = try client.subscribe5("t", .atLeastOnce)
        client.lose()
        for number in 1...5 { _ = try publisher.exchange(message5("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
        #expect(broker.dropped["queue_full"] == 1)
    }

    @Test("What is sent and not acknowledged counts with the queues: queueBytesInAllMax", arguments: [QoS.atLeastOnce, .exactlyOnce])
    func inflightInAll(qos: QoS) throws {
        let limits = Self.limits {
            $0.queueBytesInAllMax = 5 * (2 + Shard.deliveryBytes)
            $0.inflightMax = 10
        }
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let clients = try ["a", "b"].map { try broker.client5($0, cleanStart: false) { $0.sessionExpiryInterval = 10 } }
        for client in clients { _ = try client.subscribe5("t", qos) }
        let publisher = try broker.client5("p")
        func publish(_ count: UInt16) throws {
            for number in 0..<count {
                _ = try publisher.exchange(message5("t", "x", qos: qos, packetID: 1 + number))
                publisher.send(.pubrel(packetID: 1 + number))
            }
            broker.settle()
        }
        try publish(3)
        #expect(broker.dropped == ["queue_full": 1])  // 5 of 6 messages of 2 bytes
        let first = try clients.map { try $0.read().publishes.count }
        #expect(first == [3, 2])
        // What the client has is counted no more.
        for id in 1...2 as ClosedRange<UInt16> {
            _ = try clients[0].exchange(qos == .atLeastOnce ? .puback(packetID: id) : .pubrec(packetID: id))
            if qos == .exactlyOnce { _ = try clients[0].exchange(.pubcomp(packetID: id)) }
        }
        try publish(1)
        #expect(broker.dropped == ["queue_full": 1])
        for client in clients { client.lose() }
        broker.advance(seconds: 11)  // both sessions end: all is free
        broker.settle()
        let late = try broker.client5("late")
        _ = try late.subscribe5("t", qos)
        try publish(5)
        #expect(try late.read().publishes.count == 5)
        #expect(broker.dropped["queue_full"] == 1)
    }

    @Test("All sockets that take nothing are bounded together: outboundBytesInAllMax")
    func outboundInAll() throws {
        let broker = SimulatedBroker(
            shards: 1,
            limits: Self.limits {
                $0.outboundBytesMax = 100_000
                $0.outboundBytesInAllMax = 250
            })
        for name in ["a", "b"] {
            let client = try broker.client5(name)
            _ = try client.subscribe5("t")
            broker.setWritable(try #require(client.socket), false)
        }
        let publisher = try broker.client5("p")
        for number in 0..<3 { _ = try publisher.exchange(message5("t", Self.payload(number))) }
        #expect(broker.dropped == ["outbound_full": 3])
    }

    @Test("With the largest limits a subscriber that is waited for takes QoS 0 as before")
    func hugeLimits() throws {
        let broker = SimulatedBroker(
            shards: 1,
            limits: Self.limits {
                $0.outboundBytesMax = .max
                $0.outboundBytesInAllMax = .max
                $0.queueBytesMax = .max
                $0.queueBytesInAllMax = .max
                $0.backPressureMillisecondsMax = .max
            })
        let client = try connect(broker, .dropNewest)
        _ = try client.subscribe5("t", .atLeastOnce)
        let publishers = try ["p", "q"].map { try broker.client5($0) }
        broker.setWritable(try #require(client.socket), false)
        for number in 1...5 as ClosedRange<UInt16> {  // half of the queue: now it is waited for
            publishers[0].send(message5("t", "x", qos: .atLeastOnce, packetID: number))
            broker.settle()
        }
        publishers[1].send(message5("t", "zero"))
        broker.settle()
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        #expect(try client.read().messages == ["t=x", "t=zero"])
        #expect(broker.dropped == [:])
    }

    @Test("A client that publishes faster than it may is read more slowly, and loses nothing", arguments: [true, false])
    func publishRate(byMessages: Bool) throws {
        let broker = SimulatedBroker(
            shards: 1,
            limits: Self.limits { if byMessages { $0.publishesPerSecondMax = 10 } else { $0.publishBytesPerSecondMax = 100 } })
        let reader = try broker.client5("r")
        _ = try reader.subscribe5("t")
        let publisher = try broker.client5("p")
        for number in 0..<30 {
            publisher.send(message5("t", "\(number % 10)12"))  // 9 bytes
            broker.settle()
        }
        let first = try reader.read().count
        #expect((10...13).contains(first))
        #expect(publisher.socket?.isRead == false)
        broker.advance(seconds: 1)
        broker.settle()
        #expect(try reader.read().count < 13)
        for _ in 0..<30 {
            broker.advance(seconds: 0.2)
            broker.settle()
        }
        #expect(broker.dropped == [:])
        #expect(publisher.socket?.isRead == true)
        #expect(broker.nodes[0].core.statistics().publishersThrottled > 1)
        #expect(broker.nodes[0].core.statistics().publishSent[0] == 30)
    }
}
