import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// QoS 2 messages that a client sends and never releases: how many, for how long, and what is left of them.
@Suite struct AwaitingPubrelTests {
    private func send(_ count: Int, by client: SimulatedClient) {
        for number in 1...count { client.send(message("t", "x", qos: .exactlyOnce, packetID: UInt16(number))) }
    }

    @Test("Threat 22: identifiers that are never released are bounded without a word in the configuration, well before there are no more")
    func defaultBound() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        send(10_001, by: client)
        #expect(!client.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
        // What it has stays: it may come back, and release it.
        #expect(broker.nodes[0].core.sessions[ExactText("a")]?.awaitingPubrel.count == 10_000)
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
        #expect(try client.exchange(.pubrel(packetID: 10_000)) == [.pubcomp(packetID: 10_000)])
        #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 10_001)) == [.pubrec(packetID: 10_001)])
    }

    @Test("Threat 22: all sessions together, those that are away among them, keep no more identifiers than awaitingPubrelInAllMax")
    func sessionsThatAreAway() throws {
        var limits = BrokerLimits()
        limits.awaitingPubrelInAllMax = 200  // an equal share of it on both loops
        let broker = SimulatedBroker(shards: 2, limits: limits)
        for number in 0..<10 {
            let client = try broker.client("away\(number)", cleanSession: false)
            send(BrokerLimits.awaitingPubrelAlways + 50, by: client)
            client.lose()
        }
        broker.settle()
        #expect(broker.nodes[0].core.awaitingPubrel == 100)
        #expect(broker.closed["limit_exceeded"] == 8)
        // Who behaves has always room.
        let good = try broker.client("good")
        send(BrokerLimits.awaitingPubrelAlways, by: good)
        #expect(good.isConnected)
        // The other loop has a share of its own.
        let elsewhere = try broker.client("elsewhere", at: 1)
        send(BrokerLimits.awaitingPubrelAlways + 100, by: elsewhere)
        #expect(elsewhere.isConnected)
        // And what ends gives its room back, whichever way it ends.
        for number in 0..<10 {
            let client = try broker.client("away\(number)")
            if number.isMultiple(of: 2) { client.lose() } else { client.send(.disconnect(Disconnect())) }
        }
        elsewhere.lose()
        broker.settle()
        #expect(broker.nodes.map(\.core.awaitingPubrel) == [0, 0])
    }

    @Test("Room that a burst took is given back when it is released, also by a session that lives on with one message of it")
    func roomIsGivenBack() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        send(9_000, by: client)
        for number in 2...9_000 { client.send(.pubrel(packetID: UInt16(number))) }
        let session = try #require(broker.nodes[0].core.sessions[ExactText("a")])
        #expect(session.awaitingPubrel.count == 1)
        #expect(session.awaitingPubrel.capacity <= 2 * BrokerLimits.awaitingPubrelAlways)
        #expect(broker.nodes[0].core.awaitingPubrel == 0)
        broker.settle()
        #expect(try client.read().last == .pubcomp(packetID: 9_000))
    }

    @Test("The send quota of MQTT 5 begins anew with each connection; what earlier ones left is bounded by awaitingPubrelMax")
    func quotaOfAConnection() throws {
        var limits = BrokerLimits()
        limits.receiveMaximum = 3
        limits.awaitingPubrelMax = 8
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = SimulatedClient("a", of: broker)
        for round in 0..<2 {
            _ = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
            for number in 1...3 { client.send(message5("t", "x", qos: .exactlyOnce, packetID: UInt16(round * 3 + number))) }
            #expect(client.isConnected)
            client.lose()
        }
        _ = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        // One that comes again is one of this connection's [MQTT5-4.3.3-10], and a message that it is not sent again.
        client.send(message5("t", "x", qos: .exactlyOnce, packetID: 1, duplicate: true))
        for number: UInt16 in [7, 8] { client.send(message5("t", "x", qos: .exactlyOnce, packetID: number)) }
        #expect(client.isConnected)
        #expect(try client.exchange(.pubrel(packetID: 7)).last == .pubcomp(packetID: 7))
        client.send(message5("t", "x", qos: .exactlyOnce, packetID: 9))
        client.send(message5("t", "x", qos: .exactlyOnce, packetID: 10))
        #expect(try client.read().withoutReasonStrings.last == disconnected(.receiveMaximumExceeded).last)
        // 1 to 6, 8 and 9.
        #expect(broker.nodes[0].core.sessions[ExactText("a")]?.awaitingPubrel.count == 8)
        _ = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 1_000 }
        client.send(message5("t", "x", qos: .exactlyOnce, packetID: 11))
        #expect(try client.read().withoutReasonStrings.last == disconnected(.quotaExceeded).last)
    }

    @Test("What a restart found of QoS 2 messages counts as well")
    func restored() throws {
        let broker = SimulatedBroker(shards: 1, store: SimulatedStore())
        let client = try broker.client("a", cleanSession: false)
        send(BrokerLimits.awaitingPubrelAlways + 5, by: client)
        broker.settle()
        let next = broker.afterCrash(shards: 1)
        #expect(next.nodes[0].core.awaitingPubrel == 5)
    }

    @Test("What a crash found half done is known until the message is received, however often it is refused before")
    func partsStay() {
        var identifiers = InboundExactlyOnce()
        var (one, both) = (ShardSet(), ShardSet())
        one.insert(ShardID(1))
        both.formUnion(one)
        both.insert(ShardID(0))
        identifiers.restore([ReceivedRecord(session: 1, packetID: 7, cell: ShardID(1), expected: ShardSet(), done: one)])
        for _ in 0..<2 { #expect(identifiers.partDone(7).done == one) }
        let isNew = identifiers.receive(7)
        #expect(isNew)
        #expect(identifiers.partDone(7).done.isEmpty && identifiers.contains(7))
        #expect(identifiers.count == 1)
    }
}
