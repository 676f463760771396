import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Few bytes that take much memory or time elsewhere: on another event loop, in the index, among deadlines.
@Suite struct HostileRoomTests {
    @Test("However many shared subscriptions match elsewhere, another event loop is handed a message once")
    func sharesElsewhere() throws {
        let broker = SimulatedBroker(shards: 2)
        let member = try broker.client("m", at: 1)
        for number in 0..<200 { _ = try member.subscribe("$share/g\(number)/t", packetID: UInt16(number + 1)) }
        let publisher = try broker.client("p")
        publisher.send(message("t", "x"))
        broker.endTurn(of: 0)
        let handed = broker.handOffs(to: 1)
        #expect(handed.count { if case .deliverShared = $0 { true } else { false } } == 1)
        broker.settle()
        #expect(try member.read().messages == Array(repeating: "t=x", count: 200))
    }

    @Test("A publisher is not read while another event loop has much to do for it, and goes on when that is done, in order")
    func busyLoop() throws {
        var limits = BrokerLimits()
        limits.handOffBytesMax = 10_000
        let broker = SimulatedBroker(shards: 2, limits: limits)
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe("t")
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for number in 0..<3_000 { message("t", "\(number)").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        broker.endTurn(of: 0)
        #expect(broker.handOffs(to: 1).count < 200)
        #expect(broker.nodes[0].core.counters.publishReceived[0] < 2_000)
        #expect(publisher.socket?.isRead == false)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try reader.read().messages == (0..<3_000).map { "t=\($0)" })
    }

    @Test("A client whose session is on a busy event loop is not read either, whatever it sends")
    func busyLoopOfASession() throws {
        var limits = BrokerLimits()
        limits.handOffBytesMax = 10_000
        let broker = SimulatedBroker(shards: 2, limits: limits)
        try broker.client("c", at: 1, cleanSession: false).send(.disconnect(Disconnect()))
        broker.settle()
        let client = try broker.client("c", at: 0, cleanSession: false)
        let reader = try broker.client("r", at: 1)
        _ = try reader.subscribe("t")
        for number in 0..<40 {
            client.send(message("t", String(repeating: "x", count: 500) + "\(number)"))
            if client.socket?.isRead == false { break }
        }
        #expect(client.socket?.isRead == false)
        #expect(broker.handOffs(to: 1).count < 40)
        broker.settle()
        #expect(client.socket?.isRead == true)
        client.send(message("t", "last"))
        broker.settle()
        #expect(try reader.read().messages.last == "t=last")
    }

    @Test("Such a client is read in turns with those who keep that event loop busy")
    func busyLoopIsShared() throws {
        var limits = BrokerLimits()
        limits.handOffBytesMax = 10_000
        let broker = SimulatedBroker(shards: 2, limits: limits)
        try broker.client("c", at: 1, cleanSession: false).send(.disconnect(Disconnect()))
        broker.settle()
        let client = try broker.client("c", at: 0, cleanSession: false)
        _ = try broker.client("r", at: 1).subscribe("t")
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for number in 0..<3_000 { message("t", "\(number)").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        client.send(message("t", "c"))
        #expect(client.socket?.isRead == false)
        let core = broker.nodes[0].core
        var reads = 0
        while core.counters.publishReceived[0] < 3_000 {
            broker.endTurn(of: 0)
            while broker.deliverHandOff(to: 1) {}
            broker.endTurn(of: 1)
            while broker.deliverHandOff(to: 0) {}
            guard client.socket?.isRead == true else { continue }
            reads += 1
            client.send(message("t", "c"))
        }
        #expect(reads > 5)
        broker.settle()
        #expect(client.socket?.isRead == true)
    }

    @Test("What one client gets at once leaves when it is as much as may wait, also with aliases of its own")
    func aliasesWithinOneTurn() throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client5("r") { $0.topicAliasMaximum = 10 }
        _ = try reader.subscribe5("t", identifier: 7)
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        for _ in 0..<1_000 { message("t", String(repeating: "x", count: 100)).encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        #expect(try #require(reader.socket).connection.outbound.count < 1_200)
        broker.settle()
        #expect(try reader.read().publishes.count == 1_000)
    }

    @Test("Topics that lead through much of the index leave the others their turn, and come in order")
    func deepMatches() throws {
        var limits = BrokerLimits()
        limits.filterLevelsPerClientMax = 200_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client("r")
        // Every filter over `a` and `+` in ten levels: each topic of as many leads to 2,047 nodes.
        for number in 0..<1_024 {
            let levels = (0..<10).map { number >> $0 & 1 == 1 ? "a" : "+" }
            _ = try reader.subscribe(levels.joined(separator: "/") + "/x/+", packetID: UInt16(number + 1))
        }
        let publisher = try broker.client("p")
        var bytes = ByteBuffer()
        let topic = Array(repeating: "a", count: 10).joined(separator: "/") + "/x/"
        for number in 0..<200 { message(topic + "\(number)", "").encode(into: &bytes, version: .v311) }
        let before = broker.nodes[0].core.index.visits
        publisher.send(bytes)
        #expect(broker.nodes[0].core.index.visits - before < Shard.visitsPerTurn + 10_000)
        #expect(publisher.socket?.isRead == false)
        // Somebody else is answered in between.
        let other = SimulatedClient("o", of: broker)
        other.open()
        other.send(.connect(Connect(clientID: "o")))
        broker.endTurn(of: 0)
        #expect(try other.read().count == 1)
        broker.settle()
        #expect(try reader.read().messages == (0..<200).map { "\(topic)\($0)=" })
        #expect(publisher.socket?.isRead == true)
    }

    @Test("Messages that very many get leave the others their turn, and come in order")
    func manyRecipients() throws {
        let broker = SimulatedBroker(shards: 1)
        for number in 0..<1_000 {
            let client = try broker.client("away\(number)", cleanSession: false)
            _ = try client.subscribe("+")
            client.lose()
        }
        let reader = try broker.client("r")
        _ = try reader.subscribe("+")
        let publisher = try broker.client("p")
        // Two topics in turns, so that each message goes its way alone.
        var bytes = ByteBuffer()
        for number in 0..<1_500 { message(number % 2 == 0 ? "t" : "u", "\(number)").encode(into: &bytes, version: .v311) }
        publisher.send(bytes)
        #expect(publisher.socket?.isRead == false)
        let core = broker.nodes[0].core
        #expect(core.counters.publishReceived[0] < 1_200)
        broker.settle()
        #expect(publisher.socket?.isRead == true)
        #expect(try reader.read().messages == (0..<1_500).map { "\($0 % 2 == 0 ? "t" : "u")=\($0)" })
    }

    @Test("A client that goes while much of what it sent waits loses nothing of it")
    func deepMatchesOfAClientThatGoes() throws {
        let broker = SimulatedBroker(shards: 1)
        let reader = try broker.client("r")
        for number in 0..<512 {
            let levels = (0..<9).map { number >> $0 & 1 == 1 ? "a" : "+" }
            _ = try reader.subscribe(levels.joined(separator: "/") + "/+", packetID: UInt16(number + 1))
        }
        let publisher = try broker.client("p")
        let topic = Array(repeating: "a", count: 9).joined(separator: "/") + "/"
        for number in 0..<200 { publisher.send(message(topic + "\(number)", "")) }
        publisher.lose()
        broker.settle()
        #expect(try reader.read().messages == (0..<200).map { "\(topic)\($0)=" })
    }

    @Test("Retained messages that each expire before the last, and wills that are postponed again and again, leave no deadlines behind")
    func deadlines() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client5("p")
        for number in 0..<5_000 {
            publisher.send(message5("t", "x", retain: true) { $0.messageExpiryInterval = 4_000_000_000 - UInt32(number) })
        }
        broker.settle()
        #expect(broker.nodes[0].core.deadlineCount < 1_100)
        for number in 0..<2_000 {
            let client = SimulatedClient("w", of: broker)
            var will = will("gone", "x")
            will.properties.willDelayInterval = UInt32(500_000 - number)
            _ = try client.connect5(cleanStart: false, will: will) { $0.sessionExpiryInterval = .max }
            client.lose()
        }
        #expect(broker.nodes[0].core.deadlineCount < 2_200)
    }

    @Test("A will that makes another client too slow to keep ends that one, too")
    func doomedByAWill() throws {
        var limits = BrokerLimits()
        limits.queueMessagesMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        func slow(_ name: String, on topic: String, will: Will?) throws -> SimulatedClient {
            let client = SimulatedClient(name, of: broker)
            client.open(terms: ListenerTerms(slowConsumer: .disconnect))
            _ = try client.exchange(.connect(Connect(clientID: name, will: will)))
            _ = try client.subscribe(topic, .atLeastOnce)
            broker.setWritable(try #require(client.socket), false)
            return client
        }
        let first = try slow("a", on: "first", will: will("second", "gone", qos: .atLeastOnce))
        let second = try slow("b", on: "second", will: nil)
        let publisher = try broker.client("p")
        // Both have as much as they may; one more for the first, and its will is one more for the second.
        for topic in ["first", "second"] {
            for number in 0..<(BrokerLimits().inflightMax + 2) {
                publisher.send(message(topic, "x", qos: .atLeastOnce, packetID: UInt16(number + 1)))
            }
        }
        for _ in 0..<3 {  // each is waited for, for a moment
            broker.settle()
            broker.advance(seconds: 1)
        }
        #expect(first.isConnected && second.isConnected)
        publisher.send(message("first", "x", qos: .atLeastOnce, packetID: 999))
        broker.settle()
        #expect(!first.isConnected)
        #expect(!second.isConnected)
    }

    @Test("When the broker stops, a client whose session is on another event loop is told so like the others")
    func shutdownOfRelays() throws {
        let broker = SimulatedBroker(shards: 2)
        let away = SimulatedClient("a", of: broker)
        _ = try away.connect5(at: 1, cleanStart: false) { $0.sessionExpiryInterval = 100 }
        away.lose()
        broker.settle()
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect5(at: 0, cleanStart: false) { $0.sessionExpiryInterval = 100 }
        for shard in 0..<2 { broker.nodes[shard].core.closeAll(reference: "other:1", now: broker.now) }
        broker.settle()
        var goodbye = Disconnect(reasonCode: .useAnotherServer)
        goodbye.properties.serverReference = "other:1"
        #expect(try client.read() == [.disconnect(goodbye)])
        #expect(!client.isConnected)
    }
}
