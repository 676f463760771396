import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@Suite struct SharedSubscriptionTests {
    private func receive(_ clients: [SimulatedClient]) throws -> [[String]] {
        try clients.map { client in
            let packets = try client.read()
            for publish in packets.publishes where publish.qos == .atLeastOnce { client.send(.puback(packetID: publish.packetID)) }
            return packets.messages
        }
    }

    @Test(
        "Each message goes to one member, all members get their share, in both versions", arguments: [1, 2], QoS.allCases)
    func fairShares(shards: Int, qos: QoS) throws {
        let broker = SimulatedBroker(shards: shards)
        let members = try (0..<4).map { number in
            let member =
                number < 2 ? try broker.client5("m\(number)", at: number % shards) : try broker.client("m\(number)", at: number % shards)
            _ = number < 2 ? try member.subscribe5("$share/g/t/#", .atLeastOnce) : try member.subscribe("$share/g/t/#", .atLeastOnce)
            return member
        }
        let outsider = try broker.client5("o")
        _ = try outsider.subscribe5("t/#")
        let publisher = try broker.client5("p")
        for number in 0..<40 { _ = try publisher.exchange(message5("t/\(number)", "x", qos: qos, packetID: UInt16(number + 1))) }
        let received = try receive(members)
        #expect(received.map(\.count) == [10, 10, 10, 10])
        #expect(Set(received.joined()).count == 40)
        #expect(try outsider.read().count == 40)
    }

    @Test("Members take turns in the order in which they subscribed, from the first message on", arguments: QoS.allCases)
    func turns(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let members = try (0..<3).map { number in
            let member = try broker.client5("m\(number)")
            _ = try member.subscribe5("$share/g/t", qos)
            return member
        }
        let publisher = try broker.client5("p")
        for number in 0..<4 { _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: UInt16(number + 1))) }
        #expect(try receive(members) == [["t=0", "t=3"], ["t=1"], ["t=2"]])
    }

    @Test("Groups of other names are others: each gets the message once")
    func otherGroups() throws {
        let broker = SimulatedBroker(shards: 2)
        let clients = try ["g", "g", "h"].enumerated().map { number, group in
            let client = try broker.client5("c\(number)", at: number % 2)
            _ = try client.subscribe5("$share/\(group)/t")
            return client
        }
        let publisher = try broker.client5("p")
        for _ in 0..<10 { _ = try publisher.exchange(message5("t", "x")) }
        #expect(try receive(clients).map(\.count) == [5, 5, 10])
    }

    @Test("A member that takes nothing is passed over while another one takes its messages", arguments: QoS.allCases, [0, 1])
    func stuckMember(qos: QoS, shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let stuck = try broker.client5("stuck")
        let healthy = try broker.client5("healthy", at: shard)
        for member in [stuck, healthy] { _ = try member.subscribe5("$share/g/t", qos) }
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(stuck.socket), false)
        for number in 0..<10 {
            _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: UInt16(number + 1)))
        }
        #expect(try healthy.read().messages == (0..<10).map { "t=\($0)" })
        broker.setWritable(try #require(healthy.socket), false)  // nobody is better than the other now, as far as the shard knows
        for number in 0..<10 {
            _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: UInt16(number + 11)))
        }
        for member in [stuck, healthy] { broker.setWritable(try #require(member.socket), true) }
        broker.settle()
        #expect(try stuck.read().publishes.count == (shard == 0 ? 5 : 0))
        #expect(broker.dropped == [:])
    }

    @Test("A member of any shard that counts as slow is passed over until it has caught up", arguments: [0, 1])
    func slowMember(shard: Int) throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 100
        let broker = SimulatedBroker(shards: 2, limits: limits)
        let slow = try broker.client5("slow", at: shard)
        let healthy = try broker.client5("healthy")
        for member in [slow, healthy] { _ = try member.subscribe5("$share/g/t") }
        let publisher = try broker.client5("p")
        func publish(_ count: Int) throws {
            for _ in 0..<count {
                publisher.send(message5("t", String(repeating: "x", count: 50)))
                broker.settle()
                broker.advance(seconds: 0.1)
                broker.settle()
            }
        }
        broker.setWritable(try #require(slow.socket), false)
        try publish(20)
        _ = try healthy.read()
        try publish(10)
        #expect(try healthy.read().publishes.count == 10)
        broker.setWritable(try #require(slow.socket), true)
        broker.settle()
        _ = try slow.read()
        try publish(10)
        #expect(try [slow, healthy].map { try $0.read().publishes.count } == [5, 5])
        // One that leaves while it is slow is counted no more, and no less.
        broker.setWritable(try #require(slow.socket), false)
        try publish(20)
        slow.lose()
        let other = try broker.client5("other", at: 1)
        _ = try other.subscribe5("$share/g/t")
        _ = try healthy.read()
        try publish(10)
        #expect(try [other, healthy].map { try $0.read().publishes.count } == [5, 5])
    }

    @Test("A shared subscription gets no retained messages when it begins")
    func noRetained() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "x", retain: true))
        let member = try broker.client5("m")
        #expect(try member.subscribe5("$share/g/t") == [.suback(Suback(packetID: 1, reasonCodes: [.success]))])
    }

    @Test("A message on its way to a member that has just lost its connection goes to one that has not", arguments: QoS.allCases)
    func lostOnTheWay(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 2)
        let here = try broker.client5("here")
        let there = try broker.client5("there", at: 1, cleanStart: false) { $0.sessionExpiryInterval = 60 }
        for member in [here, there] { _ = try member.subscribe5("$share/g/t", .exactlyOnce) }
        let publisher = try broker.client5("p")
        for number in 1...4 { publisher.send(message5("t", "\(number)", qos: qos, packetID: qos == .atMostOnce ? 0 : UInt16(number))) }
        there.lose()  // before two of them have arrived at its shard
        broker.settle()
        #expect(Set(try here.read().messages) == ["t=1", "t=2", "t=3", "t=4"])
        #expect(broker.dropped == [:])
    }

    @Test("A message that no shard has anybody online for comes back to the session that waits for it", arguments: 2...4)
    func backFromTheWay(shards: Int) throws {
        let broker = SimulatedBroker(shards: shards)
        let members = try (0..<shards).map { try broker.client5("m\($0)", at: $0, cleanStart: false) { $0.sessionExpiryInterval = 60 } }
        for member in members { _ = try member.subscribe5("$share/g/t", .atLeastOnce) }
        let publisher = try broker.client5("p")
        for number in 1...8 { publisher.send(message5("t", "\(number)", qos: .atLeastOnce, packetID: UInt16(number))) }
        for member in members.dropLast() { member.send(.unsubscribe(Unsubscribe(packetID: 2, filters: ["$share/g/t"]))) }
        members[shards - 1].lose()
        broker.settle()
        var received = try members.dropLast().flatMap { try $0.read().messages }
        received += try members[shards - 1].connect5(at: 0, cleanStart: false).messages
        #expect(broker.dropped == [:])
        #expect(Set(received) == Set((1...8).map { "t=\($0)" }))
    }

    @Test("What a member did not acknowledge goes to another when its session ends", arguments: [0, 1])
    func redelivery(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let lost = try broker.client5("lost")
        _ = try lost.subscribe5("$share/g/t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for number in 0..<5 { _ = try publisher.exchange(message5("t", "\(number)", qos: .atLeastOnce, packetID: 1)) }
        let first = try #require(try lost.read().publishes.first)
        _ = try lost.exchange(.puback(packetID: first.packetID))
        let other = try broker.client5("other", at: shard)
        _ = try other.subscribe5("$share/g/t", .atLeastOnce)
        lost.lose()
        broker.settle()
        #expect(try other.read().messages == (1..<5).map { "t=\($0)" })
    }

    @Test("A message that has expired goes to no other member when its session ends [MQTT5-3.3.2-5]", arguments: [0, 1])
    func expiredRedelivery(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let lost = try broker.client5("lost")
        _ = try lost.subscribe5("$share/g/t", .atLeastOnce)
        let publisher = try broker.client5("p")
        for expiry in [5, 50] as [UInt32] {
            _ = try publisher.exchange(message5("t", "\(expiry)", qos: .atLeastOnce, packetID: 1) { $0.messageExpiryInterval = expiry })
        }
        #expect(try lost.read().messages == ["t=5", "t=50"])
        let other = try broker.client5("other", at: shard)
        _ = try other.subscribe5("$share/g/t", .atLeastOnce)
        broker.advance(seconds: 6)
        lost.lose()
        broker.settle()
        #expect(try other.read().messages == ["t=50"])
        #expect(broker.dropped == ["message_expired": 1])
    }

    @Test("A message that expires on its way to another event loop is not sent [MQTT5-3.3.2-5]", arguments: QoS.allCases)
    func expiredOnTheWay(qos: QoS) throws {
        let broker = SimulatedBroker(shards: 2)
        let member = try broker.client5("m", at: 1)
        _ = try member.subscribe5("$share/g/t", qos)
        let publisher = try broker.client5("p")
        publisher.send(message5("t", "x", qos: qos, packetID: qos == .atMostOnce ? 0 : 1) { $0.messageExpiryInterval = 2 })
        broker.endTurn(of: 0)
        broker.advance(seconds: 3)
        broker.settle()
        #expect(try member.read().publishes == [])
        #expect(broker.dropped == ["message_expired": 1])
    }

    @Test("A QoS 2 message stays with the member that it was begun with, and comes again there [MQTT5-4.8.2-4]")
    func exactlyOnceStays() throws {
        let broker = SimulatedBroker(shards: 1)
        let chosen = try broker.client5("chosen", cleanStart: false) { $0.sessionExpiryInterval = 100 }
        _ = try chosen.subscribe5("$share/g/t", .exactlyOnce)
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 1))
        #expect(try chosen.read().count == 1)
        let other = try broker.client5("other")
        _ = try other.subscribe5("$share/g/t", .exactlyOnce)
        chosen.lose()
        broker.settle()
        #expect(try other.read().isEmpty)
        let answer = try chosen.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }
        #expect(answer.publishes.map(\.duplicate) == [true])
    }

    @Test("A QoS 2 message goes to nobody else when the session of the member ends that it was begun with [MQTT5-4.8.2-5]")
    func exactlyOnceEnds() throws {
        let broker = SimulatedBroker(shards: 1)
        let chosen = try broker.client5("chosen")
        _ = try chosen.subscribe5("$share/g/t", .exactlyOnce)
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...2 { _ = try publisher.exchange(message5("t", "\(number)", qos: .exactlyOnce, packetID: number)) }
        #expect(try chosen.read().count == 2)
        _ = try chosen.exchange(.pubrec(packetID: 2))
        let other = try broker.client5("other")
        _ = try other.subscribe5("$share/g/t", .exactlyOnce)
        chosen.lose()
        broker.settle()
        #expect(try other.read().isEmpty)
    }

    @Test("A message that a member refused goes to no other, now or when its session ends [MQTT5-4.8.2-6]", arguments: [1, 2])
    func refused(qos: Int) throws {
        let qos = try #require(QoS(rawValue: UInt8(qos)))
        let broker = SimulatedBroker(shards: 1)
        let chosen = try broker.client5("chosen")
        _ = try chosen.subscribe5("$share/g/t", qos)
        let publisher = try broker.client5("p")
        // The first stays open, so that the refused one cannot leave the window before the session ends.
        for number: UInt16 in 1...2 { _ = try publisher.exchange(message5("t", "\(number)", qos: qos, packetID: number)) }
        #expect(try chosen.read().count == 2)
        let other = try broker.client5("other")
        _ = try other.subscribe5("$share/g/t", qos)
        let refusal = Acknowledgement(packetID: 2, reasonCode: .unspecifiedError)
        #expect(try chosen.exchange(qos == .atLeastOnce ? .puback(refusal) : .pubrec(refusal)).isEmpty)
        #expect(try other.read().isEmpty)
        chosen.lose()
        broker.settle()
        #expect(try other.read().messages == (qos == .atLeastOnce ? ["t=1"] : []))
    }

    @Test("Members get messages at the QoS that each was granted [MQTT5-4.8.2-3]")
    func grantedQoS() throws {
        let broker = SimulatedBroker(shards: 2)
        let members = try QoS.allCases.map { granted in
            let member = try broker.client5("m\(granted)", at: Int(granted.rawValue) % 2)
            _ = try member.subscribe5("$share/g/t", granted)
            return member
        }
        let publisher = try broker.client5("p")
        for number: UInt16 in 1...6 { _ = try publisher.exchange(message5("t", "x", qos: .exactlyOnce, packetID: number)) }
        #expect(try members.map { try $0.read().publishes.map(\.qos) } == QoS.allCases.map { [$0, $0] })
    }

    @Test("A client with a shared and a plain subscription gets a copy for each, with its identifier [MQTT5-3.3.4-5]")
    func identifiersOfCopies() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client5("a")
        _ = try client.subscribe5("t", identifier: 1)
        _ = try client.subscribe5("$share/g/t", identifier: 2)
        _ = try client.subscribe5("$share/h/t")
        _ = try broker.client5("p").exchange(message5("t", "x"))
        let identifiers = try client.read().publishes.map(\.properties.subscriptionIdentifiers)
        #expect(Set(identifiers) == [[1], [2], []] && identifiers.count == 3)
    }

    @Test("Members that are away are passed over while somebody is there, and get what nobody was there for", arguments: [0, 1])
    func awayMembers(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2)
        let away = try broker.client5("away", cleanStart: false) { $0.sessionExpiryInterval = 100 }
        _ = try away.subscribe5("$share/g/t", .atLeastOnce)
        let present = try broker.client5("present", at: shard)
        _ = try present.subscribe5("$share/g/t", .atLeastOnce)
        away.lose()
        broker.settle()
        let publisher = try broker.client5("p")
        for number in 0..<4 { _ = try publisher.exchange(message5("t", "\(number)", qos: .atLeastOnce, packetID: 1)) }
        #expect(try receive([present]) == [(0..<4).map { "t=\($0)" }])
        _ = try present.exchange(.disconnect(Disconnect()))
        _ = try publisher.exchange(message5("t", "last", qos: .atLeastOnce, packetID: 1))
        #expect(try away.connect5(cleanStart: false) { $0.sessionExpiryInterval = 100 }.messages == ["t=last"])
    }

    @Test("A member that gives the subscription up gets no more, and the group ends with its last", arguments: [1, 2])
    func leaving(shards: Int) throws {
        let broker = SimulatedBroker(shards: shards)
        let members = try (0..<2).map { number in
            let member = try broker.client5("m\(number)", at: number % shards)
            _ = try member.subscribe5("$share/g/t", .atLeastOnce)
            return member
        }
        _ = try members[0].exchange(.unsubscribe(Unsubscribe(packetID: 2, filters: ["$share/g/t"])))
        let publisher = try broker.client5("p")
        _ = try publisher.exchange(message5("t", "x", qos: .atLeastOnce, packetID: 1))
        #expect(try receive(members) == [[], ["t=x"]])
        members[1].lose()
        broker.settle()
        let nobody = Acknowledgement(packetID: 1, reasonCode: .noMatchingSubscribers)
        #expect(try publisher.exchange(message5("t", "x", qos: .atLeastOnce, packetID: 1)) == [.puback(nobody)])
    }

    @Test("A filter that only looks like a shared one is an error [MQTT5-4.8.2-1] [MQTT5-4.8.2-2], and so is no local [MQTT5-3.8.3-4]")
    func malformed() throws {
        let broker = SimulatedBroker(shards: 1)
        for (filter, noLocal) in [("$share/g", false), ("$share//t", false), ("$share/g/t", true)] {
            let client = try broker.client5("a")
            let answer = try client.subscribe5(Subscribe.Request(filter: filter, qos: .atMostOnce, noLocal: noLocal))
            #expect(answer.count == 1 && !client.isConnected, "\(filter)")
        }
    }
}
