import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// The table of limits, row by row.
extension LimitRow {
    static let all = [connecting, packets, sessions, waiting, retaining, operators, rates].flatMap(\.self)

    private static let connecting = [
        LimitRow(name: "connectSecondsMax", limit: 5, beyond: "closed: connect_timeout", servesLimit: false) { trial in
            let broker = trial.broker()
            SimulatedClient("a", of: broker).open()
            broker.advance(seconds: Double(trial.amount))
            return broker.refusals
        },
        LimitRow(name: "connectBytesMax", limit: 200, beyond: "closed: malformed_packet") { trial in
            let broker = trial.broker()
            let client = SimulatedClient("a", of: broker)
            client.open()
            // Three bytes of fixed header, ten of variable header, and the lengths of two fields.
            let userName = String(repeating: "u", count: trial.amount - 3 - 10 - 3 - 2)
            let answer = try client.exchange(.connect(Connect(clientID: "a", userName: userName)))
            #expect(answer.isEmpty == (trial.amount > 200))
            return broker.refusals
        },
        LimitRow(name: "connectBytesInAllMax", limit: 100, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            for bytes in [49, trial.amount - 49] {
                let client = SimulatedClient("a", of: broker)
                client.open()
                // A CONNECT of 5,000 bytes, of which these come; the first are always taken.
                let count = BrokerLimits.connectBytesAlways + bytes - 3
                client.send(ByteBuffer(bytes: [0x10, 0x85, 0x27] + Array(repeating: 0, count: count)))
            }
            return broker.refusals
        },
        LimitRow(name: "clientIDBytesMax", limit: 30, beyond: "refused: clientIdentifierNotValid") { trial in
            let broker = trial.broker()
            _ = try SimulatedClient(String(repeating: "i", count: trial.amount), of: broker).connect()
            return broker.refusals
        },
        LimitRow(name: "keepAliveSecondsMax", limit: 60, beyond: "told: server keep alive 60") { trial in
            let client = SimulatedClient("a", of: trial.broker())
            let connack = try client.connect5(keepAlive: UInt16(trial.amount)).connack
            return connack?.properties.serverKeepAlive.map { "told: server keep alive \($0)" } ?? ""
        },
        LimitRow(name: "sessionExpirySecondsMax", limit: 60, beyond: "told: session expiry 60") { trial in
            let client = SimulatedClient("a", of: trial.broker())
            let connack = try client.connect5 { $0.sessionExpiryInterval = UInt32(trial.amount) }.connack
            return connack?.properties.sessionExpiryInterval.map { "told: session expiry \($0)" } ?? ""
        },
    ]

    private static let packets = [
        LimitRow(name: "packetBytesMax", limit: 200, beyond: "closed: malformed_packet") { trial in
            let broker = trial.broker()
            broker.publish(packetBytes: trial.amount, from: try broker.client("a"))
            return broker.refusals
        },
        LimitRow(name: "topicBytesMax", limit: 10, beyond: "closed: limit_exceeded, subscription refused") { trial in
            try useTopic(String(repeating: "t", count: trial.amount), of: trial.broker())
        },
        LimitRow(name: "topicLevelsMax", limit: 4, beyond: "closed: limit_exceeded, subscription refused") { trial in
            try useTopic(String(repeating: "/", count: trial.amount - 1), of: trial.broker())
        },
        LimitRow(name: "filtersPerPacketMax", limit: 3, beyond: "closed: malformed_packet") { trial in
            let broker = trial.broker()
            let filters = (0..<trial.amount).map { "t/\($0)" }
            let packets: [Packet] = [
                .subscribe(Subscribe(packetID: 1, requests: filters.map { Subscribe.Request(filter: $0, qos: .atMostOnce) })),
                .unsubscribe(Unsubscribe(packetID: 1, filters: filters)),
            ]
            for (name, packet) in zip(["a", "b"], packets) {
                let answer = try broker.client(name).exchange(packet)
                #expect(answer.isEmpty == (trial.amount > 3))
            }
            return broker.refusals
        },
        LimitRow(name: "userPropertiesMax", limit: 3, beyond: "closed: malformed_packet") { trial in
            let broker = trial.broker()
            let publisher = try broker.client5("a")
            let pair = Property(.userProperty, .textPair("n", "v"))
            publisher.send(message5("t", "x") { $0 = Properties(Array(repeating: pair, count: trial.amount)) })
            #expect(try publisher.read().withoutReasonStrings == (trial.amount > 3 ? disconnected(.quotaExceeded) : []))
            return broker.refusals
        },
        LimitRow(name: "propertyBytesMax", limit: 50, beyond: "closed: malformed_packet") { trial in
            let broker = trial.broker()
            let publisher = try broker.client5("a")
            // An identifier, two lengths of two bytes, and a name of one.
            let value = String(repeating: "v", count: trial.amount - 6)
            publisher.send(message5("t", "x") { $0 = Properties([Property(.userProperty, .textPair("n", value))]) })
            #expect(try publisher.read().withoutReasonStrings == (trial.amount > 50 ? disconnected(.quotaExceeded) : []))
            return broker.refusals
        },
        LimitRow(name: "topicAliasesMax", limit: 3, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            let publisher = try broker.client5("a")
            publisher.send(message5("t", "x") { $0.topicAlias = UInt16(trial.amount) })
            #expect(try publisher.read().withoutReasonStrings == (trial.amount > 3 ? disconnected(.topicAliasInvalid) : []))
            return broker.refusals
        },
        LimitRow(name: "outboundTopicAliasesMax", limit: 3, beyond: "sent by name") { trial in
            let broker = trial.broker()
            let reader = try broker.client5("a") { $0.topicAliasMaximum = 100 }
            _ = try reader.subscribe5("#")
            let publisher = try broker.client("p")
            for number in 0..<trial.amount { _ = try publisher.exchange(message("t/\(number)", "x")) }
            return try reader.read().publishes.last?.properties.topicAlias == nil ? "sent by name" : ""
        },
    ]

    private static func useTopic(_ topic: String, of broker: SimulatedBroker) throws -> String {
        _ = try broker.client("s").subscribe(topic)
        _ = try broker.client("p").exchange(message(topic, "x"))
        return broker.refusals
    }

    private static func will(bytes: Int) -> Will {
        let payload = ByteBuffer(repeating: 0x78, count: bytes - 1)
        return Will(topic: ByteBuffer(string: "w"), payload: payload, qos: .atMostOnce, retain: false)
    }

    private static let sessions = [
        LimitRow(name: "subscriptionsPerClientMax", limit: 3, beyond: "subscription refused") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            for number in 0..<trial.amount { _ = try client.subscribe("t/\(number)") }
            #expect(broker.nodes[0].core.statistics().subscriptions == min(trial.amount, 3))
            return broker.refusals
        },
        LimitRow(name: "filterLevelsPerClientMax", limit: 10, beyond: "subscription refused") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            for number in 1..<(trial.amount - 6) { _ = try client.subscribe("a/long/name/without/wildcards/\(number)") }
            _ = try client.subscribe("a/b/c/d/#")
            _ = try client.subscribe("x/+")
            _ = try client.exchange(.unsubscribe(Unsubscribe(packetID: 7, filters: ["x/+"])))
            _ = try client.subscribe("y")
            return broker.refusals
        },
        LimitRow(name: "sharedSubscriptionsPerClientMax", limit: 3, beyond: "subscription refused") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            _ = try client.subscribe("others/are/not/counted")
            for number in 0..<trial.amount { _ = try client.subscribe("$share/g\(number)/t") }
            return broker.refusals
        },
        LimitRow(name: "filterLevelsInAllMax", limit: 10, beyond: "subscription refused") { trial in
            let broker = trial.broker()
            _ = try broker.client("a").subscribe("a/b/c/d/#")
            let client = try broker.client("b")
            for number in 0..<(trial.amount - 5) { _ = try client.subscribe("\(number)") }
            return broker.refusals
        },
        LimitRow(name: "subscriptionsInAllMax", limit: 3, beyond: "subscription refused") { trial in
            let broker = trial.broker()
            for number in 0..<trial.amount {
                let client = try broker.client("c\(number)")
                _ = try client.subscribe("t")
                _ = try client.subscribe("t")  // the same again takes no room
            }
            #expect(broker.nodes[0].core.statistics().subscriptions == min(trial.amount, 3))
            return broker.refusals
        },
        LimitRow(name: "sessionsMax", limit: 3, beyond: "refused: quotaExceeded") { trial in
            let broker = trial.broker()
            for number in 1..<trial.amount { try broker.client("c\(number)", cleanSession: false).send(.disconnect(Disconnect())) }
            broker.settle()
            try broker.client("c1", cleanSession: false).send(.disconnect(Disconnect()))  // one that is there takes no room
            broker.settle()
            _ = try SimulatedClient("last", of: broker).connect()
            return broker.refusals
        },
        LimitRow(name: "willBytesInAllMax", limit: 100, beyond: "refused: quotaExceeded") { trial in
            let broker = trial.broker()
            let stays = try broker.client("stays", will: will(bytes: 60))
            // What a client takes along when it goes takes no room.
            try broker.client("goes", will: will(bytes: 30)).send(.disconnect(Disconnect()))
            broker.settle()
            _ = try SimulatedClient("last", of: broker).connect(will: will(bytes: trial.amount - 60))
            #expect(stays.isConnected)
            return broker.refusals
        },
        LimitRow(name: "inflightMax", limit: 3, beyond: "queued: 1") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            _ = try client.subscribe("t", .atLeastOnce)
            let publisher = try broker.client("p")
            for number in 1...trial.amount { _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
            #expect(try client.read().count == min(trial.amount, 3))
            let queued = broker.nodes[0].core.statistics().messagesQueued
            return queued == 0 ? broker.refusals : "queued: \(queued)"
        },
        LimitRow(name: "inflightBytesMax", limit: 100, beyond: "queued: 1", servesLimit: false) { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            _ = try client.subscribe("t", .atLeastOnce)
            let publisher = try broker.client("p")
            for payload in [String(repeating: "x", count: trial.amount - 1), "x"] {
                _ = try publisher.exchange(message("t", payload, qos: .atLeastOnce, packetID: 1))
            }
            let queued = broker.nodes[0].core.statistics().messagesQueued
            #expect(try client.read().count == 2 - queued)
            #expect(try client.exchange(.puback(packetID: 1)).count == queued)  // now there is room
            return queued == 0 ? broker.refusals : "queued: \(queued)"
        },
        LimitRow(name: "awaitingPubrelMax", limit: 3, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            for number in 1...trial.amount { client.send(message("t", "x", qos: .exactlyOnce, packetID: UInt16(number))) }
            return broker.refusals
        },
        LimitRow(name: "awaitingPubrelInAllMax", limit: 5, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            // The first of each are always taken, and what a session that is away has counts.
            for (name, beyond) in [("away", 3), ("here", trial.amount - 3)] {
                let client = try broker.client(name, cleanSession: false)
                for number in 1...(BrokerLimits.awaitingPubrelAlways + beyond) {
                    client.send(message("t", "x", qos: .exactlyOnce, packetID: UInt16(number)))
                }
                if name == "away" { client.send(.disconnect(Disconnect())) }
            }
            return broker.refusals
        },
        LimitRow(name: "receiveMaximum", limit: 3, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            let client = try broker.client5("a")
            for number in 1...trial.amount { client.send(message5("t", "x", qos: .exactlyOnce, packetID: UInt16(number))) }
            let told = try client.read().withoutReasonStrings.last
            #expect((told == disconnected(.receiveMaximumExceeded).last) == (trial.amount > 3))
            return broker.refusals
        },
    ]

    private static let operators = [
        LimitRow(name: "topicsTrackedMax", limit: 3, beyond: "not listed: 1") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            for number in 0..<trial.amount { client.send(message("t/\(number)", "x")) }
            #expect(broker.nodes[0].core.allTopics.count == min(trial.amount, 3))
            let untracked = broker.nodes[0].core.statistics().topicsUntracked
            return untracked == 0 ? broker.refusals : "not listed: \(untracked)"
        },
        LimitRow(name: "topicSampleBytesMax", limit: 3, beyond: "cut") { trial in
            let broker = trial.broker()
            let client = try broker.client("a")
            client.send(message("t", String(repeating: "x", count: trial.amount)))
            let sample = try #require(broker.nodes[0].core.allTopics.first?.sample)
            #expect(sample.payloadBytes == trial.amount && sample.bytes.readableBytes == min(trial.amount, 3))
            return sample.bytes.readableBytes == trial.amount ? broker.refusals : "cut"
        },
        LimitRow(name: "routeRecipientsMax", limit: 6, beyond: "made anew") { trial in
            let broker = trial.broker()
            let reader = try broker.client("r")
            _ = try reader.subscribe("r/+")
            let publisher = try broker.client("p")
            // Two topics with one recipient each count twice, the others once.
            for topic in ["r/1", "r/2"] + (4..<trial.amount).map({ "t/\($0)" }) { publisher.send(message(topic, "x")) }
            #expect(try publisher.exchange(message("r/1", "y")).isEmpty)
            #expect(try reader.read().messages == ["r/1=x", "r/2=x", "r/1=y"])
            return broker.nodes[0].core.routeRecipients == trial.amount ? broker.refusals : "made anew"
        },
    ]
}
