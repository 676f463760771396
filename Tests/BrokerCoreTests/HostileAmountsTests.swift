import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Much of something, in order to take memory or time from the others: classes of bugs that were found in other brokers.
///
/// Each test is named by its row in the project's list of threats.
@Suite struct HostileAmountsTests {
    @Test("Threat 3: a packet that comes in small pieces is not copied again for each of them, nor read from its beginning")
    func piecesAreNotCopied() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        let connection = try #require(client.socket?.connection)
        _ = try client.subscribe("t")
        var packet = ByteBuffer()
        message("t", String(repeating: "x", count: 500_000)).encode(into: &packet, version: .v311)
        var storage: UnsafeRawPointer?
        var moves = 0
        while let piece = packet.readSlice(length: min(256, max(1, packet.readableBytes))) {
            client.send(piece)
            let current = connection.inbox.withUnsafeReadableBytes { $0.baseAddress }
            if current != storage { moves += 1 }
            storage = current
        }
        #expect(moves < 40)
        broker.settle()
        #expect(try client.read().count == 1)
    }

    @Test("Threat 21: one QoS 2 identifier again and again is one message, and takes the room of one")
    func sameIdentifier() throws {
        var limits = BrokerLimits()
        limits.awaitingPubrelMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let subscriber = try broker.client("s", cleanSession: false)
        _ = try subscriber.subscribe("t", .exactlyOnce)
        let client = try broker.client("a")
        for _ in 0..<10_000 {
            #expect(try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 9, duplicate: true)) == [.pubrec(packetID: 9)])
        }
        #expect(try subscriber.read().count == 1)
        #expect(broker.nodes[0].core.sessions[ExactText("a")]?.awaitingPubrel.count == 1)
        #expect(broker.nodes[0].core.statistics().messagesInFlight == 1)
        #expect(try client.exchange(.pubrel(packetID: 9)) == [.pubcomp(packetID: 9)])
        #expect(broker.nodes[0].core.sessions[ExactText("a")]?.awaitingPubrel.count == 0)
    }

    @Test("Threat 22: changing the QoS of a subscription, or giving it up, with messages under way uses up no part of the window")
    func windowIsRestored() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        let publisher = try broker.client("p")
        var random = SeededRandom(seed: 22)
        var pubrecs: [UInt16] = []
        var pubcomps: [UInt16] = []
        for round in 0..<2_000 {
            let packetID = UInt16(round % 60_000 + 1)
            switch round % 4 {
            case 0: client.send(.subscribe(Subscribe(packetID: packetID, requests: [Subscribe.Request(filter: "t", qos: .exactlyOnce)])))
            case 1: client.send(.subscribe(Subscribe(packetID: packetID, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)])))
            case 2: client.send(.unsubscribe(Unsubscribe(packetID: packetID, filters: ["t"])))
            default: client.send(.subscribe(Subscribe(packetID: packetID, requests: [Subscribe.Request(filter: "t", qos: .exactlyOnce)])))
            }
            publisher.send(message("t", "x", qos: .exactlyOnce, packetID: packetID))
            publisher.send(.pubrel(packetID: packetID))
            broker.settle()
            _ = publisher.takeBytes()
            for packet in try client.read() {
                if case .publish(let publish) = packet, publish.qos == .exactlyOnce { pubrecs.append(publish.packetID) }
                if case .pubrel(let packet) = packet { pubcomps.append(packet.packetID) }
            }
            // The answers come late, and in any order.
            if random.happens(percent: 50), let next = pubrecs.popLast() { client.send(.pubrec(packetID: next)) }
            if random.happens(percent: 50), let next = pubcomps.popLast() { client.send(.pubcomp(packetID: next)) }
        }
        broker.settle()
        var packets = try client.read()
        while !packets.isEmpty || !pubrecs.isEmpty || !pubcomps.isEmpty {
            for packet in packets {
                if case .publish(let publish) = packet, publish.qos == .exactlyOnce { pubrecs.append(publish.packetID) }
                if case .pubrel(let packet) = packet { pubcomps.append(packet.packetID) }
            }
            for packetID in pubrecs { client.send(.pubrec(packetID: packetID)) }
            for packetID in pubcomps { client.send(.pubcomp(packetID: packetID)) }
            (pubrecs, pubcomps) = ([], [])
            broker.settle()
            packets = try client.read()
        }
        #expect(broker.nodes[0].core.statistics().messagesInFlight == 0)
        #expect(broker.nodes[0].core.statistics().messagesQueued == 0)
        _ = try client.subscribe("t", .exactlyOnce)
        for packetID: UInt16 in 1...3 { publisher.send(message("t", "x", qos: .exactlyOnce, packetID: packetID)) }
        broker.settle()
        #expect(try client.read().count == 2)
        #expect(broker.nodes[0].core.statistics().messagesQueued == 1)
    }

    @Test("Threat 23: no identifier is given again while its message is unacknowledged, in whatever order the answers come")
    func identifiersAreNotReused() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .exactlyOnce)
        let publisher = try broker.client("p")
        var random = SeededRandom(seed: 23)
        var unacknowledged: [UInt16: QoS] = [:]
        var received = 0
        var publishes = ByteBuffer()
        for number: UInt16 in 1...32 {
            message("t", "x", qos: number % 3 == 0 ? .exactlyOnce : .atLeastOnce, packetID: number).encode(into: &publishes, version: .v311)
            if number % 3 == 0 { Packet.pubrel(packetID: number).encode(into: &publishes, version: .v311) }
        }
        // One message stays unacknowledged until the broker waits for it and sends nothing more.
        var held: UInt16?
        var silentRounds = 0
        while received < 70_000 {
            publisher.send(publishes)
            broker.settle()
            _ = publisher.takeBytes()
            let before = received
            for packet in try client.read() {
                guard case .publish(let publish) = packet else { continue }
                received += 1
                held = held ?? publish.packetID
                if publish.packetID == 0 || unacknowledged.updateValue(publish.qos, forKey: publish.packetID) != nil {
                    Issue.record("identifier \(publish.packetID) is in use")
                    return
                }
            }
            if received == before && unacknowledged.count <= 1 { held = nil }
            silentRounds = received == before ? silentRounds + 1 : 0
            if silentRounds == 100 {
                Issue.record("nothing comes any more, \(received) messages in")
                return
            }
            var answers = ByteBuffer()
            for (packetID, qos) in unacknowledged.sorted(by: { $0.key < $1.key }) where packetID != held && random.happens(percent: 70) {
                if qos == .exactlyOnce {
                    Packet.pubrec(packetID: packetID).encode(into: &answers, version: .v311)
                    Packet.pubcomp(packetID: packetID).encode(into: &answers, version: .v311)
                } else {
                    Packet.puback(packetID: packetID).encode(into: &answers, version: .v311)
                }
                unacknowledged[packetID] = nil
            }
            client.send(answers)
        }
        #expect(unacknowledged.count <= 64)
    }

    @Test(
        "Threat 24: one client that reads nothing is kept no more than its limits, is counted, and holds up nobody",
        arguments: [true, false])
    func oneStalledClient(byCount: Bool) throws {
        var limits = BrokerLimits()
        limits.outboundBytesMax = 10_000
        if byCount { limits.queueMessagesMax = 30 } else { limits.queueBytesMax = 20_000 }
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let clients = try (0..<20).map { number in
            let client = try broker.client("s\(number)")
            _ = try client.subscribe("zero")
            _ = try client.subscribe("one", .atLeastOnce)
            return client
        }
        let stalled = try #require(clients[0].socket)
        broker.setWritable(stalled, false)
        let publisher = try broker.client("p")
        let text = String(repeating: "x", count: 500)
        for number: UInt16 in 1...300 {
            publisher.send(message("zero", text))
            publisher.send(message("one", text, qos: .atLeastOnce, packetID: number))
            broker.settle()
            broker.advance(seconds: 0.11)  // publishers wait for it once, for a moment
            broker.settle()
            for client in clients.dropFirst() {
                let packets = try client.read()
                #expect(packets.count == 2)
                for case .publish(let publish) in packets where publish.qos == .atLeastOnce {
                    client.send(.puback(packetID: publish.packetID))
                }
            }
            let kept = stalled.connection.outbound.count
            #expect(kept <= 2 * limits.outboundBytesMax + 600)
        }
        let statistics = broker.nodes[0].core.statistics()
        #expect(statistics.messagesQueued <= limits.queueMessagesMax)
        #expect(broker.nodes[0].core.sessions[ExactText("s0")]?.queue.bytes ?? .max <= limits.queueBytesMax)
        let sent = statistics.messagesInFlight + statistics.messagesQueued
        #expect(broker.dropped["queue_full"] == UInt64(300 - sent))
        #expect(broker.dropped["outbound_full"] ?? 0 > 250)
        #expect(clients.allSatisfy { $0.isConnected })
    }

    @Test("Threat 27: filters are bounded in a packet and for a client, and those given up leave no entry behind")
    func manyFilters() throws {
        let broker = SimulatedBroker(shards: 1)
        func requests(_ count: Int, _ name: Int = 0) -> [Subscribe.Request] {
            (0..<count).map { Subscribe.Request(filter: "t/\(name)/\($0)/+", qos: .atMostOnce) }
        }
        let client = try broker.client("a")
        for round in 0..<100 {
            client.send(.subscribe(Subscribe(packetID: 1, requests: requests(256, round))))
            #expect(broker.nodes[0].core.statistics().subscriptions == 256)
            let entries = broker.nodes[0].core.sessions[ExactText("a")]?.subscriptions.values.map(\.entry) ?? []
            #expect(entries.max() == 255, "round \(round)")
            client.send(.unsubscribe(Unsubscribe(packetID: 2, filters: requests(256, round).map(\.filter))))
            #expect(broker.nodes[0].core.statistics().subscriptions == 0)
        }
        broker.settle()
        _ = client.takeBytes()
        #expect(try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests(1_025)))) == [])
        #expect(!client.isConnected)
        #expect(broker.nodes[0].core.statistics().subscriptions == 0)
        let greedy = try broker.client("b")
        for start in 0..<40 {
            let more = (0..<256).map { Subscribe.Request(filter: "g/\(start)/\($0)", qos: .atMostOnce) }
            greedy.send(.subscribe(Subscribe(packetID: 1, requests: more)))
        }
        broker.settle()
        #expect(broker.nodes[0].core.statistics().subscriptions == 10_000)
        #expect(greedy.takeBytes().suffix(240).allSatisfy { $0 == 0x80 })
        #expect(greedy.isConnected)
    }

    @Test("Threat 28: topics of 65,535 levels take no stack: published, retained, subscribed to, as a will; the default limits refuse them")
    func deepTopics() throws {
        let deep = String(repeating: "/", count: 65_535)
        let wild = Array(repeating: "+", count: 32_768).joined(separator: "/")
        let shallow = String(repeating: "/", count: 32_767)
        var limits = BrokerLimits()
        limits.topicBytesMax = 65_535
        limits.topicLevelsMax = 65_536
        limits.connectBytesMax = 100_000
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        for filter in [deep, wild, String(deep.dropLast()) + "#"] { _ = try client.subscribe(filter) }
        _ = try client.exchange(message(deep, "1", retain: true))
        _ = try client.exchange(message(shallow, "2", retain: true))
        _ = try client.read()
        #expect(try client.subscribe("#").count == 3)
        #expect(try client.subscribe(wild).dropFirst() == [message(shallow, "2", retain: true)])
        try broker.client("w", will: will(deep, "3")).lose()
        broker.settle()
        #expect(try client.read() == [message(deep, "3")])
        _ = try client.exchange(message(deep, "", retain: true))
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 9, filters: [deep, wild, "#"])))
        client.send(.disconnect(Disconnect()))

        let strict = SimulatedBroker(shards: 1)
        let levels = String(repeating: "/", count: 128)  // 129 of them
        let other = try strict.client("a")
        #expect(try other.subscribe(levels) == [.suback(Suback(packetID: 1, reasonCodes: [.unspecifiedError]))])
        #expect(try other.exchange(message(levels, "x")) == [])
        #expect(!other.isConnected)
        let last = SimulatedClient("w", of: strict)
        #expect(try last.connect(will: will(levels, "x")) == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
    }

    @Test("Threat 29: every filter over one level and + is walked to once, and makes one copy")
    func overlappingWildcards() throws {
        let depth = 12
        var index = TopicIndex()
        let session = Session(clientID: "a", principal: nil, epoch: 1, expirySeconds: 0)
        for pattern in 0..<(1 << depth) {
            let filter = (0..<depth).map { pattern >> $0 & 1 == 0 ? "a" : "+" }.joined(separator: "/")
            _ = index.subscribe(session, to: filter, options: SubscriptionOptions(qos: .atMostOnce))
        }
        func matches(_ topic: [String]) -> Int {
            var found: [[UInt8]] = []
            index.forEachMatch(ByteBuffer(string: topic.joined(separator: "/"))) { found.append(Array($0.filter.readableBytesView)) }
            #expect(Set(found).count == found.count)
            return found.count
        }
        #expect(matches(Array(repeating: "a", count: depth)) == 1 << depth)
        #expect(matches(["b"] + Array(repeating: "a", count: depth - 1)) == 1 << (depth - 1))
        #expect(matches(Array(repeating: "b", count: depth)) == 1)
        #expect(matches(Array(repeating: "a", count: depth + 1)) == 0)

        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        for pattern in 0..<1_024 {
            let filter = (0..<10).map { pattern >> $0 & 1 == 0 ? "a" : "+" }.joined(separator: "/")
            _ = try client.subscribe(filter)
        }
        let topic = Array(repeating: "a", count: 10).joined(separator: "/")
        #expect(try client.exchange(message(topic, "x")) == [message(topic, "x")])
    }

    @Test(
        "Threat 33: every form of a topic with $ is taken or refused, and the broker goes on",
        arguments: [
            "$", "$/", "$//", "$SYS", "$SYS/", "$SYS/#", "$SYS/+", "$SYS//+/#", "$share", "$share/", "$share//", "$share/g", "$share/g/",
            "$share/g/#", "$share/+/t", "$share//t", "$queue/t", "$CONTROL/x", "$$", "a/$", "$\u{FEFF}", "+/$", "$/+", "#", "+", "/$SYS",
        ])
    func dollarTopics(topic: String) throws {
        let broker = SimulatedBroker(shards: 2)
        let watcher = try broker.client("watcher", at: 1)
        _ = try watcher.subscribe("t")
        let client = try broker.client("a", cleanSession: false)
        #expect(try client.subscribe(topic, .exactlyOnce) == [.suback(Suback(packetID: 1, reasonCodes: [.granted(.exactlyOnce)]))])
        let isName = !topic.contains("+") && !topic.contains("#")
        if isName {
            let isSystemTopic = topic.hasPrefix("$")
            for qos in QoS.allCases { client.send(message(topic, "x", qos: qos, packetID: qos == .atMostOnce ? 0 : 7, retain: true)) }
            broker.settle()
            let received = try client.read().count { if case .publish = $0 { true } else { false } }
            #expect(received == (isSystemTopic ? 0 : 3))
            #expect(broker.dropped == (isSystemTopic ? ["publish_denied": 3] : [:]))
            #expect(broker.retained.count == (isSystemTopic ? 0 : 1))
            try broker.client("w", will: will(topic, "x")).lose()
        } else {
            #expect(
                client.exchange(bytes: [0x30, UInt8(2 + topic.utf8.count), 0, UInt8(topic.utf8.count)] + topic.utf8, settling: broker) == []
            )
            #expect(!client.isConnected)
        }
        _ = try client.connect(cleanSession: false)
        _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 2, filters: [topic])))
        #expect(broker.nodes[0].core.statistics().subscriptions == 0)
        _ = try broker.client("p").exchange(message("t", "x"))
        #expect(try watcher.read() == [message("t", "x")])
    }
}
