import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Retained messages where a limit or a second filter makes them meet (MQTT 3.1.1 section 3.3.1.3).
@Suite struct RetainedLimitTests {
    @Test("A new retained message replaces the old one of any QoS [MQTT-3.3.1-7]", arguments: QoS.allCases, QoS.allCases)
    func replaces(old: QoS, new: QoS) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "old", qos: old, packetID: old == .atMostOnce ? 0 : 1, retain: true))
        _ = try client.exchange(message("t", "new", qos: new, packetID: new == .atMostOnce ? 0 : 2, retain: true))
        let expected = message("t", "new", qos: new, packetID: new == .atMostOnce ? 0 : 1, retain: true)
        #expect(try client.subscribe("t", .exactlyOnce).dropFirst() == [expected])
    }

    @Test("One that has no room takes the topic's older one with it: what is not the last is not sent [MQTT-3.3.1-7]")
    func noRoomForTheNext() throws {
        var limits = BrokerLimits()
        limits.retainedBytesMax = 10
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "123456789", retain: true))
        #expect(broker.retained.bytes == 10)
        _ = try client.exchange(message("t", "1234567890", retain: true))
        #expect(broker.dropped == ["retained_full": 1])
        #expect(try client.subscribe("t").count == 1)
        #expect(broker.retained.count == 0)
        #expect(broker.retained.bytes == 0)
        _ = try client.exchange(message("u", "123456789", retain: true))
        #expect(try client.subscribe("u").last == message("u", "123456789", retain: true))
    }

    @Test("What a limit refuses whole is delivered to nobody and leaves the older one; who cannot be told is as in MQTT 3.1.1")
    func noRoomInMQTT5() throws {
        var limits = BrokerLimits()
        limits.retainedBytesMax = 10
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client5("a")
        let reader = try broker.client("r")
        _ = try reader.subscribe("t")
        _ = try client.exchange(message5("t", "old", qos: .atLeastOnce, packetID: 1, retain: true))
        let refused = try client.exchange(message5("t", "1234567890", qos: .atLeastOnce, packetID: 2, retain: true))
        #expect(refused.first.map { if case .puback(let puback) = $0 { puback.reasonCode == .quotaExceeded } else { false } } == true)
        #expect(try reader.read() == [message("t", "old")])
        #expect(broker.retained.count == 1)
        _ = try client.exchange(message5("t", "1234567890", retain: true))
        #expect(try reader.read() == [message("t", "1234567890")])
        #expect(broker.retained.count == 0)
    }

    @Test("Threat 25: a flood of retained messages stops at its client's share, by count, bytes and levels, and the others have room")
    func flood() throws {
        var limits = BrokerLimits()
        limits.retainedMessagesPerClientMax = 100
        limits.retainedBytesPerClientMax = 20_000
        limits.retainedLevelsPerClientMax = 400
        limits.retainedMessagesMax = 250
        let broker = SimulatedBroker(shards: 2, limits: limits)
        let forms: [(topic: (Int) -> String, payloadBytes: Int, kept: Int)] = [
            ({ "n/\($0)" }, 1, 100), ({ "bytes/\($0)" }, 1_000, 19), ({ "l/\($0)" + String(repeating: "/x", count: 38) }, 1, 10),
        ]
        for (number, form) in forms.enumerated() {
            var kept = 0
            for round in 0..<20 {  // to come back, elsewhere or for a new session, is no way to more
                let client = try broker.client5("flood\(number)", at: round % 2)
                for message in 0..<100 {
                    let payload = String(repeating: "x", count: form.payloadBytes)
                    let topic = form.topic(round * 100 + message)
                    let answer = try client.exchange(message5(topic, payload, qos: .atLeastOnce, packetID: 1, retain: true))
                    guard case .puback(let puback) = answer.last else { continue }
                    if puback.reasonCode == .quotaExceeded { continue }
                    kept += 1
                }
                client.lose()
                broker.settle()
            }
            #expect(kept == form.kept)
        }
        #expect(broker.retained.count == 129)
        #expect(broker.dropped["retained_full"] == UInt64(6_000 - 129))
        // Many clients together stop at what there is for all.
        for number in 0..<10 {
            let client = try broker.client("c\(number)")
            for message in 0..<20 { client.send(BrokerCoreTests.message("c/\(number)/\(message)", "x", retain: true)) }
            broker.settle()
        }
        #expect(broker.retained.count == 250)
        // A message that takes the place of an older one needs no more room.
        let client = try broker.client5("flood0")
        let answer = try client.exchange(message5("n/0", "new", qos: .atLeastOnce, packetID: 1, retain: true))
        #expect(answer == [.puback(Acknowledgement(packetID: 1, reasonCode: .noMatchingSubscribers))])
    }

    @Test("The broker's own topics take no room from clients, and clients none from them")
    func systemTopics() {
        var limits = BrokerLimits()
        (limits.retainedMessagesMax, limits.retainedBytesMax, limits.retainedLevelsMax) = (1, 10, 5)
        let store = RetainedStore(limits: limits)
        func update(_ topic: String, _ payload: String, by name: String?) -> Bool {
            let message = Message(
                topic: ByteBuffer(string: topic), payload: ByteBuffer(string: payload), qos: .atMostOnce, retain: true)
            return store.update(message, by: Publisher(clientID: name, principal: nil))
        }
        for number in 0..<20 { #expect(update("$SYS/broker/\(number)", "a long payload", by: nil)) }
        #expect(update("t", "123456789", by: "a"))
        #expect(!update("u", "1", by: "a"))
        #expect(update("$SYS/broker/more", "x", by: nil))
        #expect(!update("v", "1", by: nil))  // what a rule retains counts
        #expect((store.count, store.bytes) == (22, 10))
    }

    @Test("While the disk takes nothing, topics that come and go gather up to a bound, and are kept again when it has taken those")
    func comingAndGoing() {
        var limits = BrokerLimits()
        limits.retainedMessagesMax = 10
        limits.retainedBytesMax = 1_000
        let store = RetainedStore(limits: limits, isKept: true)
        func update(_ topic: String, _ payload: String) -> Bool {
            store.update(Message(topic: ByteBuffer(string: topic), payload: ByteBuffer(string: payload), qos: .atMostOnce, retain: true))
        }
        #expect(update("first", "x"))
        var refused = 0
        for number in 0..<10_000 {
            if !update("t/\(number)", "x") { refused += 1 }
            #expect(update("t/\(number)", ""))
        }
        #expect(refused > 5_000)
        #expect(update("first", "y") && update("t/0", "again"), "what the disk is owed anyway")
        #expect(store.takeChanges().count < 5_000)
        let long = String(repeating: "x", count: 10_000)
        for number in 0..<1_000 {
            _ = update("\(number)\(long)", "x")
            _ = update("\(number)\(long)", "")
        }
        #expect(store.takeChanges().count < 200)
        #expect(update("new", "x"))
    }

    @Test("A topic that is there for long keeps nothing of the messages that came before")
    func replacedMessagesAreLetGo() throws {
        let store = RetainedStore()
        let large = ByteBuffer(repeating: 0x78, count: 100_000)
        for number in 0..<300 {
            var storage = ByteBuffer(string: "a/b")
            storage.writeImmutableBuffer(number == 0 ? large : ByteBuffer(string: "x"))
            let slice = storage.readSlice(length: 3)
            let topic = try #require(slice)
            var message = Message(topic: topic, payload: storage, qos: .atMostOnce, retain: true)
            message.properties = MessageProperties(forwarded: nil, expiresAt: Instant(nanoseconds: 600_000_000_000))
            _ = store.update(message)
        }
        var levels = 0
        #expect(store.topics(matching: ByteBuffer(string: "a/+"), counting: &levels).map(\.storageCapacity).allSatisfy { $0 < 1_024 })
        #expect(store.expiryCount < 30)
    }

    @Test(
        "A topic that two filters of one SUBSCRIBE ask for comes for each of them, so also with the higher QoS of the two [MQTT-3.3.5-1]",
        arguments: [[QoS.exactlyOnce, .atMostOnce], [.atMostOnce, .exactlyOnce]])
    func overlappingFilters(granted: [QoS]) throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a")
        _ = try client.exchange(message("t", "x", qos: .exactlyOnce, packetID: 1, retain: true))
        let requests = zip(["t", "t/#"], granted).map { Subscribe.Request(filter: $0, qos: $1) }
        let answers = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests)))
        let copies = granted.map { message("t", "x", qos: $0, packetID: $0 == .exactlyOnce ? 1 : 0, retain: true) }
        #expect(Array(answers.dropFirst()) == copies)
    }
}
