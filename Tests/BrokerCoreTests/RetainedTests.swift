import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

@Suite struct RetainedTests {
    @Test("A retained message goes to those subscribed without RETAIN, and to those who come later with it [MQTT-3.3.1-9] [MQTT-3.3.1-8]")
    func setAndClear() throws {
        let broker = SimulatedBroker(shards: 1)
        let live = try broker.client("live")
        _ = try live.subscribe("t")
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "1", retain: true))
        #expect(try live.read() == [message("t", "1")])
        let late = try broker.client("late")
        let suback = Packet.suback(Suback(packetID: 1, reasonCodes: [.granted(.atMostOnce)]))
        #expect(try late.subscribe("t") == [suback, message("t", "1", retain: true)])
        // Again at each SUBSCRIBE [MQTT-3.8.4-3].
        #expect(try late.subscribe("t") == [suback, message("t", "1", retain: true)])
        // An empty one clears, and is itself delivered [MQTT-3.3.1-10] [MQTT-3.3.1-11].
        _ = try publisher.exchange(message("t", "", retain: true))
        #expect(try live.read() == [message("t", "")])
        #expect(try late.read() == [message("t", "")])
        #expect(try late.subscribe("t") == [suback])
        #expect(broker.retained.count == 0)
        #expect(broker.retained.bytes == 0)
    }

    @Test("A message without RETAIN neither replaces nor clears [MQTT-3.3.1-12]")
    func notRetainedChangesNothing() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client("p")
        for packet in [message("t", "1", retain: true), message("t", "2"), message("t", "")] { _ = try publisher.exchange(packet) }
        #expect(try publisher.subscribe("t").last == message("t", "1", retain: true))
    }

    @Test("The latest retained message counts, also one of a lower QoS; it comes with the lower QoS of the two [MQTT-3.3.1-5]")
    func latestCounts() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "1", qos: .exactlyOnce, packetID: 1, retain: true))
        let high = try broker.client("high")
        #expect(try high.subscribe("t", .atLeastOnce).last == message("t", "1", qos: .atLeastOnce, packetID: 1, retain: true))
        #expect(try high.subscribe("t", .exactlyOnce).last == message("t", "1", qos: .exactlyOnce, packetID: 2, retain: true))
        _ = try publisher.exchange(message("t", "2", retain: true))
        _ = try high.read()
        #expect(try high.subscribe("t", .exactlyOnce).last == message("t", "2", retain: true))
    }

    @Test("A retained copy that comes again keeps RETAIN, and gains DUP [MQTT-3.3.1-1]")
    func resentCopyKeepsRetain() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try broker.client("a", cleanSession: false)
        _ = try client.exchange(message("t", "1", qos: .atLeastOnce, packetID: 1, retain: true))
        _ = try client.subscribe("t", .atLeastOnce)
        client.lose()
        #expect(
            try client.connect(cleanSession: false) == [
                accepted(sessionPresent: true), message("t", "1", qos: .atLeastOnce, packetID: 1, retain: true, duplicate: true),
            ])
    }

    @Test(
        "Wildcards find retained messages as they find live ones [MQTT-3.3.1-6] [MQTT-4.7.2-1]",
        arguments: [
            ("a/#", ["a", "a/b", "a/b/c"]), ("+/b", ["a/b"]), ("#", ["/x", "a", "a/b", "a/b/c"]), ("+", ["a"]), ("+/x", ["/x"]),
            ("$SYS/#", ["$SYS/x"]),
        ])
    func wildcards(filter: String, expected: [String]) throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client("p")
        for topic in ["a", "a/b", "a/b/c", "/x"] { _ = try publisher.exchange(message(topic, "1", retain: true)) }
        broker.nodes[0].core.publish(Message(topic: "$SYS/x", payload: [0x31], qos: .atMostOnce, retain: true), now: broker.now)
        let answers = try publisher.subscribe(filter).dropFirst()
        let topics = answers.compactMap { packet in if case .publish(let publish) = packet { String(buffer: publish.topic) } else { nil } }
        #expect(topics.sorted() == expected)
    }

    @Test("A retained will stays for those who come later [MQTT-3.1.2-17]")
    func retainedWill() throws {
        let broker = SimulatedBroker(shards: 1)
        try broker.client("a", will: will("gone", "bye", qos: .atLeastOnce, retain: true)).lose()
        let late = try broker.client("late")
        #expect(try late.subscribe("gone", .exactlyOnce).last == message("gone", "bye", qos: .atLeastOnce, packetID: 1, retain: true))
    }

    @Test("What is retained after a subscription comes as it comes, and not a second time because the window was full")
    func notTwice() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("a/old", "1", retain: true))
        _ = try client.subscribe("b", .atLeastOnce)
        _ = try publisher.exchange(message("b", "x", qos: .atLeastOnce, packetID: 1))
        _ = try client.subscribe("a/#", packetID: 2)  // the window is full: retained messages wait
        _ = try publisher.exchange(message("a/new", "2", retain: true))
        #expect(try client.read().last == message("a/new", "2"))
        #expect(try client.exchange(.puback(packetID: 1)) == [message("a/old", "1", retain: true)])
    }

    @Test("Retained messages beyond the limit are delivered, not kept, and counted; known topics still change")
    func retainedLimit() throws {
        var limits = BrokerLimits()
        limits.retainedMessagesMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        _ = try client.subscribe("#")
        for packet in [message("a", "1", retain: true), message("b", "1", retain: true), message("a", "2", retain: true)] {
            client.send(packet)
        }
        broker.settle()
        #expect(try client.read() == [message("a", "1"), message("b", "1"), message("a", "2")])
        #expect(broker.dropped == ["retained_full": 1])
        #expect(try client.subscribe("#").dropFirst() == [message("a", "2", retain: true)])
    }

    @Test("A client of another principal does not use up what an identifier may have retained")
    func sharesOfPrincipals() throws {
        var limits = BrokerLimits()
        limits.retainedMessagesPerClientMax = 1
        let broker = SimulatedBroker(shards: 1, limits: limits)
        for (principal, topic) in [("thief", "x"), ("thief", "y"), ("owner", "a"), ("owner", "b"), (nil, "n")] {
            let client = SimulatedClient("a", of: broker)
            client.open(principal: principal)
            _ = try client.exchange(.connect(Connect(clientID: "a")))
            _ = try client.exchange(message(topic, "1", retain: true))
            client.send(.disconnect(Disconnect()))
        }
        #expect(try broker.client("r").subscribe("#").publishes.map { String(buffer: $0.topic) }.sorted() == ["a", "n", "x"])
    }

    @Test("More retained messages than the window has room for follow as acknowledgements come")
    func retainedBeyondTheWindow() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a")
        for number in 1...5 { _ = try client.exchange(message("t/\(number)", "x", qos: .atLeastOnce, packetID: 1, retain: true)) }
        #expect(try client.subscribe("t/#", .atLeastOnce).count == 3)
        var received = 2
        for packetID: UInt16 in 1...5 { received += try client.exchange(.puback(packetID: packetID)).count }
        #expect(received == 5)
    }

    @Test("Retained messages that a session is still owed follow after a reconnection [MQTT-3.3.1-6]")
    func retainedAfterReconnection() throws {
        var limits = BrokerLimits()
        limits.inflightMax = 2
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let client = try broker.client("a", cleanSession: false)
        for number in 1...5 { _ = try client.exchange(message("t/\(number)", "x", qos: .atLeastOnce, packetID: 1, retain: true)) }
        #expect(try client.subscribe("t/#", .atLeastOnce).count == 3)
        client.lose()
        var received = try client.connect(cleanSession: false).count - 1
        for packetID: UInt16 in 1...5 { received += try client.exchange(.puback(packetID: packetID)).count }
        #expect(received == 5)
    }

    @Test("The most clients at once are those that were connected, not the sessions that were left behind")
    func clientsMaximum() throws {
        let broker = SimulatedBroker(shards: 1)
        for number in 1...3 { try broker.client("c\(number)", cleanSession: false).lose() }
        #expect(broker.nodes[0].core.statistics().clientsMaximum == 1)
    }

    /// What a reader gets that was at its window of one, with "a" = 1 and 2 retained and waiting, when it subscribed to "a" again; a message
    /// comes for each that it acknowledges.
    private func underLoad(
        of broker: SimulatedBroker, messages: [(topic: String, payload: String, retain: Bool)]
    ) throws -> [String] {
        let reader = try broker.client("r")
        for filter in ["a", "b"] { _ = try reader.subscribe(filter, .atLeastOnce) }
        let publisher = try broker.client("p")
        for number: UInt16 in 1...2 {
            _ = try publisher.exchange(message("a", "\(number)", qos: .atLeastOnce, packetID: number, retain: true))
        }
        var packets = try reader.read() + reader.subscribe("a", .atLeastOnce, packetID: 9)
        var got: [String] = []
        for (number, each) in messages.enumerated() {
            let packetID = UInt16(number + 3)
            _ = try publisher.exchange(message(each.topic, each.payload, qos: .atLeastOnce, packetID: packetID, retain: each.retain))
            for publish in packets.publishes {
                got.append("\(String(buffer: publish.topic))=\(String(buffer: publish.payload))\(publish.retain ? " retained" : "")")
                packets = try reader.exchange(.puback(packetID: publish.packetID))
            }
        }
        return got
    }

    private var windowOfOne: BrokerLimits {
        var limits = BrokerLimits()
        limits.inflightMax = 1
        return limits
    }

    @Test("A retained message waits for what the queue held before it, and not for what is always coming")
    func isNotStarved() throws {
        let broker = SimulatedBroker(shards: 1, limits: windowOfOne)
        let got = try underLoad(of: broker, messages: (3...12).map { ("b", "\($0)", false) })
        #expect(Array(got.prefix(5)) == ["a=1", "a=2", "b=3", "a=2 retained", "b=4"])
    }

    @Test("A retained message that waits for the queue keeps its place when its topic gets newer ones [MQTT-4.6.0-6]")
    func keepsItsPlace() throws {
        let broker = SimulatedBroker(shards: 1, limits: windowOfOne)
        let got = try underLoad(of: broker, messages: (3...12).map { ("a", "\($0)", true) })
        #expect(Array(got.prefix(6)) == ["a=1", "a=2", "a=3", "a=3 retained", "a=4", "a=5"])
    }

    @Test("A filter that asks again is owed one copy, also where the first had its place in the queue [MQTT5-3.8.4-3]")
    func askedAgain() throws {
        let broker = SimulatedBroker(shards: 1, limits: windowOfOne)
        let reader = try broker.client("r")
        _ = try reader.subscribe("a", .atLeastOnce)
        let publisher = try broker.client("p")
        for number: UInt16 in 1...3 {
            _ = try publisher.exchange(message("a", "\(number)", qos: .atLeastOnce, packetID: number, retain: true))
        }
        _ = try reader.read() + reader.subscribe("a", .atLeastOnce, packetID: 9)
        // The second is sent, and the retained one has its place behind the third.
        var packets = try reader.exchange(.puback(packetID: 1)) + reader.subscribe("a", .atLeastOnce, packetID: 10)
        var copies = 0
        while let next = packets.publishes.first {
            if next.retain { copies += 1 }
            packets = try reader.exchange(.puback(packetID: next.packetID))
        }
        #expect(copies == 1)
    }

    @Test("What is still owed comes as the subscription wants it that replaced the one that asked [MQTT5-3.8.4-3]")
    func replacedMeanwhile() throws {
        let broker = SimulatedBroker(shards: 1)
        let publisher = try broker.client("p")
        for number: UInt16 in 1...5 {
            _ = try publisher.exchange(message("t/\(number)", "x", qos: .atLeastOnce, packetID: number, retain: true))
        }
        let reader = SimulatedClient("r", of: broker)
        _ = try reader.connect5 { $0.receiveMaximum = 1 }
        let first = try reader.subscribe5(Subscribe.Request(filter: "t/+", qos: .atLeastOnce), identifier: 1)
        #expect(first.publishes.map(\.properties.subscriptionIdentifiers) == [[1]])
        let replacing = Subscribe.Request(filter: "t/+", qos: .atMostOnce, retainHandling: .doNotSend)
        var rest = try reader.subscribe5(replacing, packetID: 2, identifier: 2).publishes
        rest += try reader.exchange(.puback(packetID: 1)).publishes
        #expect(rest.map(\.properties.subscriptionIdentifiers) == [[2], [2], [2], [2]])
        #expect(rest.allSatisfy { $0.qos == .atMostOnce })
    }

    @Test("A retained message that was cleared while it waited for the queue is owed no more")
    func isClearedMeanwhile() throws {
        let broker = SimulatedBroker(shards: 1, limits: windowOfOne)
        let got = try underLoad(of: broker, messages: [("b", "3", false), ("a", "", true)] + (4...9).map { ("b", "\($0)", false) })
        #expect(Array(got.prefix(6)) == ["a=1", "a=2", "b=3", "a=", "b=4", "b=5"])
    }

    @Test(
        "What retained messages keep of their session's room for bytes is given back, however they leave",
        arguments: ["sent", "left", "again"])
    func placesCost(way: String) throws {
        var limits = windowOfOne
        limits.queueBytesMax = 40
        let broker = SimulatedBroker(shards: 1, limits: limits)
        let reader = try broker.client("r", cleanSession: false)
        _ = try reader.subscribe("a", .atLeastOnce)
        let publisher = try broker.client("p")
        let payload = String(repeating: "x", count: 9)  // ten bytes with the topic
        func publish() throws {
            _ = try publisher.exchange(message("a", payload, qos: .atLeastOnce, packetID: 1, retain: true))
        }
        for round in 1...20 {
            for _ in 1...3 { try publish() }
            var packets = try reader.read()
            packets += try reader.subscribe("a", way == "left" ? .atMostOnce : .atLeastOnce, packetID: 9)
            if way != "sent" {
                // One acknowledgement gives the retained one its place; then the client goes, or asks again.
                packets = try reader.exchange(.puback(packetID: try #require(packets.publishes.first).packetID))
                if way == "left" {
                    reader.lose()
                    packets = try reader.connect(cleanSession: false)
                    packets += try reader.subscribe("a", .atLeastOnce, packetID: 9)
                } else {
                    packets += try reader.subscribe("a", .atLeastOnce, packetID: 9)
                }
            }
            var count = 0
            while let publish = packets.publishes.first {
                packets = Array(packets.drop { $0 != .publish(publish) }.dropFirst())
                packets += try reader.exchange(.puback(packetID: publish.packetID))
                count += 1
                if count > 100 { break }
            }
            #expect(broker.dropped.isEmpty, "round \(round)")
            #expect(broker.nodes[0].core.sessions[ExactText("r")]?.queue.bytes == 0, "round \(round)")
            #expect(broker.nodes[0].core.queuedBytes == 0, "round \(round)")
        }
    }
}
