import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Very many subscriptions, sessions or connections that go at once: each turn of the loop does a part, and the others have theirs.
@Suite struct HostileEndingTests {
    enum Way: CaseIterable {
        case goodbye
        case loss
        case expiry
        case cleanStart
        case cleanStartElsewhere
    }

    private static var roomy: BrokerLimits {
        var limits = BrokerLimits()
        limits.subscriptionsPerClientMax = 1_000_000
        limits.filterLevelsPerClientMax = 1_000_000
        return limits
    }

    /// A client with very many subscriptions, on the first shard.
    private func subscriber(_ name: String, of broker: SimulatedBroker, filters: Int, outlives: Bool) throws -> SimulatedClient {
        let client = try broker.client5(name, cleanStart: true) { $0.sessionExpiryInterval = outlives ? 100 : 0 }
        let core = broker.nodes[0].core
        let session = try #require(core.sessions[ExactText(name)])
        for number in 0..<filters {
            let request = Subscribe.Request(filter: "\(name)/\(number)" + (number.isMultiple(of: 2) ? "" : "/+"), qos: .atLeastOnce)
            core.announce(core.index.subscribe(session, to: request.filter, options: SubscriptionOptions(request, identifier: 0)))
        }
        broker.settle()
        return client
    }

    /// Lets the shard have its turns until all is done, and somebody else connect in between; answers the most that one turn has cost.
    private func settle(_ broker: SimulatedBroker) throws -> UInt64 {
        let core = broker.nodes[0].core
        var most: UInt64 = 0
        var turns = 0
        while !broker.isSettled {
            let before = core.work
            broker.endTurn(of: 0)
            most = max(most, core.work - before)
            turns += 1
            if turns == 2 {  // in the middle of it
                let other = SimulatedClient("other", of: broker)
                other.open()
                other.send(.connect(Connect(clientID: "other")))
                broker.endTurn(of: 0)
                #expect(try other.read() == [accepted()])
            }
            if broker.nodes.count > 1 {
                broker.endTurn(of: 1)
                while broker.deliverHandOff(to: 1) {}
                while broker.deliverHandOff(to: 0) {}
            }
        }
        #expect(turns > 5)
        return most
    }

    @Test(
        "Threat 27: a session with very many subscriptions leaves them by turns, however it ends, and gets nothing more",
        arguments: Way.allCases)
    func manySubscriptions(way: Way) throws {
        let broker = SimulatedBroker(shards: 2, limits: Self.roomy)
        let client = try subscriber("a", of: broker, filters: 20_000, outlives: way != .goodbye && way != .loss)
        let reader = try broker.client("r")
        _ = try reader.subscribe("a/7/+")
        let publisher = try broker.client("p")
        let core = broker.nodes[0].core
        let before = core.work
        switch way {
        case .goodbye: client.send(.disconnect(Disconnect()))
        case .loss: client.lose()
        case .expiry:
            client.lose()
            broker.advance(seconds: 101)
        case .cleanStart, .cleanStartElsewhere:
            let shard = way == .cleanStart ? 0 : 1
            client.open(at: shard)
            client.send(.connect(Connect(clientID: "a")))
            broker.endTurn(of: shard)
            #expect(try client.read() == [accepted()])
            while broker.deliverHandOff(to: 0) {}
        }
        #expect(core.work - before < 2 * UInt64(Shard.filtersPerTurn) * Shard.changeVisits)
        #expect(core.index.subscriptionCount > 17_000)
        // What is published now is for the others only.
        publisher.send(message("a/7/x", "1"))
        publisher.send(message("a/8", "2", qos: .atLeastOnce, packetID: 1))
        #expect(try settle(broker) <= 2 * UInt64(Shard.filtersPerTurn) * Shard.changeVisits)
        #expect(try reader.read().messages == ["a/7/x=1"])
        #expect(try client.read() == [])
        #expect(broker.dropped == [:])
        // Nothing of it is left, here or elsewhere.
        #expect(core.index.subscriptionCount == 1)
        let elsewhere = try broker.client5("e", at: 1)
        let answer = try elsewhere.exchange(message5("a/8", "3", qos: .atLeastOnce, packetID: 1))
        #expect(answer == [.puback(Acknowledgement(packetID: 1, reasonCode: .noMatchingSubscribers))])
    }

    @Test("Threat 27: a client that comes back at once has the subscriptions that it makes then, and no others")
    func comesBack() throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.roomy)
        let client = try subscriber("a", of: broker, filters: 5_000, outlives: true)
        let publisher = try broker.client("p")
        client.open()
        client.send(.connect(Connect(clientID: "a")))
        client.send(.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "a/8", qos: .atMostOnce)])))
        broker.endTurn(of: 0)
        for topic in ["a/8", "a/10"] { publisher.send(message(topic, "x")) }
        #expect(broker.nodes[0].core.index.subscriptionCount > 1)
        broker.settle()
        #expect(broker.nodes[0].core.index.subscriptionCount == 1)
        publisher.send(message("a/8", "y"))
        broker.settle()
        #expect(try client.read().messages == ["a/8=x", "a/8=y"])
    }

    @Test("Threat 27: UNSUBSCRIBE and SUBSCRIBE packets with thousands of filters in one read are done by turns, and answered in order")
    func manyPackets() throws {
        let broker = SimulatedBroker(shards: 1, limits: Self.roomy)
        let client = try subscriber("a", of: broker, filters: 10_000, outlives: true)
        let core = broker.nodes[0].core
        var bytes = ByteBuffer()
        let packets = 10_000 / 250
        for packet in 0..<packets {
            let names = (0..<250).map { packet * 250 + $0 }.map { "a/\($0)" + ($0.isMultiple(of: 2) ? "" : "/+") }
            Packet.unsubscribe(Unsubscribe(packetID: UInt16(packet + 1), filters: names)).encode(into: &bytes, version: .v5)
            let requests = names.map { Subscribe.Request(filter: $0 + "/again", qos: .atMostOnce) }
            Packet.subscribe(Subscribe(packetID: UInt16(packet + 1_001), requests: requests)).encode(into: &bytes, version: .v5)
        }
        let before = core.work
        client.send(bytes)
        #expect(core.work - before < 2 * Shard.visitsPerTurn)
        #expect(client.socket?.isRead == false)
        #expect(try settle(broker) < 2 * Shard.visitsPerTurn)
        let answers = try client.read().map { packet -> UInt16 in
            switch packet {
            case .unsuback(let packet): packet.packetID
            case .suback(let packet): packet.packetID
            default: 0
            }
        }
        var expected: [UInt16] = []
        for packet in 1...UInt16(packets) { expected += [packet, packet + 1_000] }
        #expect(answers == expected)
        #expect(core.index.subscriptionCount == 10_000)
        #expect(client.socket?.isRead == true)
    }

    @Test("Threat 30: thousands of sessions that expire, and strangers whose time is over, in the same moment leave the others their turn")
    func sameMoment() throws {
        let broker = SimulatedBroker(shards: 1)
        let core = broker.nodes[0].core
        for number in 0..<5_000 {
            let client = try broker.client5("c\(number)") { $0.sessionExpiryInterval = 4 }
            client.lose()
        }
        let strangers = (0..<5_000).map { SimulatedClient("s\($0)", of: broker) }
        broker.advance(seconds: 1)
        for stranger in strangers { stranger.open() }
        let before = core.work
        broker.advance(seconds: 10)
        #expect(core.work - before < 2 * Shard.visitsPerTurn)
        #expect(try settle(broker) < 2 * Shard.visitsPerTurn)
        #expect(core.sessions.all.map(\.clientID) == ["other"])
        #expect(broker.closed["connect_timeout"] == 5_000)
    }
}
