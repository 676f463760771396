import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Limits of what waits: in queues, for sockets, and as retained messages.
extension LimitRow {
    static let waiting = [
        LimitRow(name: "queueMessagesMax", limit: 4, beyond: "dropped: queue_full") { trial in
            let broker = trial.broker()
            try wait(in: broker, payloads: Array(repeating: "x", count: trial.amount))
            #expect(broker.nodes[0].core.statistics().messagesQueued == min(trial.amount, 4))
            return broker.refusals
        },
        LimitRow(name: "queueBytesMax", limit: 100, beyond: "dropped: queue_full") { trial in
            let broker = trial.broker()
            try wait(in: broker, payloads: [String(repeating: "x", count: 49), String(repeating: "x", count: trial.amount - 51)])
            return broker.refusals
        },
        LimitRow(name: "queueBytesInAllMax", limit: 400, beyond: "dropped: queue_full") { trial in
            let broker = trial.broker()
            // Each with its topic, and what it takes beside its bytes.
            let rest = trial.amount - 51 - 2 * Shard.deliveryBytes
            try wait(in: broker, payloads: [String(repeating: "x", count: 49), String(repeating: "x", count: rest)])
            return broker.refusals
        },
        LimitRow(name: "inboxBytesInAllMax", limit: 100, beyond: "closed: limit_exceeded") { trial in
            let broker = trial.broker()
            for (name, bytes) in [("a", 40), ("b", trial.amount - 40)] {
                // A PUBLISH of 10,000 bytes that does not go on.
                let client = try broker.client(name)
                var start = ByteBuffer(bytes: [0x30, 0x90, 0x4E, 0, 1, 0x74])
                start.writeRepeatingByte(0x78, count: BrokerLimits.connectBytesAlways + bytes - start.readableBytes)
                client.send(start)
            }
            return broker.refusals
        },
        LimitRow(name: "handOffBytesMax", limit: 100, beyond: "the publisher waits") { trial in
            let broker = trial.broker(shards: 2)
            _ = try broker.client("s", at: 1).subscribe("t")
            let publisher = try broker.client("p")
            publisher.send(message("t", String(repeating: "x", count: trial.amount - 65)))
            defer {
                broker.settle()
                #expect(publisher.socket?.isRead == true)
            }
            return publisher.socket?.isRead == true ? "" : "the publisher waits"
        },
        LimitRow(name: "publishBytesWaitingMax", limit: 200, beyond: "the next call is refused", servesLimit: false) { trial in
            var trial = trial
            trial.limits.handOffBytesMax = 1
            let broker = trial.broker(shards: 2)
            _ = try broker.client("s", at: 1).subscribe("t")
            let core = broker.nodes[0].core
            core.publish([Message(topic: "t", payload: [], qos: .atMostOnce)], receipt: 1, now: broker.now)
            #expect(broker.admission.publishRoom.admits())
            // The other loop has more to do than it may: this waits.
            let payload = Array(repeating: UInt8(ascii: "x"), count: trial.amount - 65)
            core.publish([Message(topic: "t", payload: payload, qos: .atMostOnce)], receipt: 2, now: broker.now)
            let isAdmitted = broker.admission.publishRoom.admits()
            broker.settle()
            #expect(broker.nodes[0].receipts == [1, 2])
            #expect(broker.admission.publishRoom.admits())
            return isAdmitted ? "" : "the next call is refused"
        },
        LimitRow(name: "outboundBytesMax", limit: 300, beyond: "dropped: outbound_full", servesLimit: false) { trial in
            let broker = trial.broker()
            _ = try broker.stalled()
            let publisher = try broker.client("p")
            broker.publish(packetBytes: trial.amount, from: publisher)
            broker.publish(packetBytes: 10, from: publisher)
            if publisher.socket?.isRead == true { return broker.refusals }
            // It is waited for, for a moment; then it counts as slow.
            broker.advance(seconds: 1)
            broker.settle()
            broker.publish(packetBytes: 10, from: publisher)
            return broker.refusals
        },
        LimitRow(name: "outboundBytesInAllMax", limit: 300, beyond: "dropped: outbound_full", servesLimit: false) { trial in
            let broker = trial.broker()
            _ = try broker.stalled()
            let publisher = try broker.client("p")
            broker.publish(packetBytes: trial.amount, from: publisher)
            broker.publish(packetBytes: 10, from: publisher)
            return broker.refusals
        },
        LimitRow(name: "backPressureMillisecondsMax", limit: 1_000, beyond: "read again", servesLimit: false) { trial in
            var trial = trial
            trial.limits.outboundBytesMax = 300
            let broker = trial.broker()
            _ = try broker.stalled()
            let publisher = try broker.client("p")
            for _ in 0..<2 { broker.publish(packetBytes: 300, from: publisher) }
            #expect(publisher.socket?.isRead == false)
            broker.advance(seconds: Double(trial.amount) / 1_000)
            broker.settle()
            return publisher.socket?.isRead == true ? "read again" : broker.refusals
        },
        LimitRow(name: "storeBytesWaitingMax", limit: 100, beyond: "the publisher waits") { trial in
            let broker = trial.broker(store: SimulatedStore())
            let subscriber = try broker.client("s", cleanSession: false)
            _ = try subscriber.subscribe("t", .atLeastOnce)
            subscriber.lose()
            broker.settle()
            let publisher = try broker.client("p")
            publisher.send(message("t", String(repeating: "x", count: trial.amount - 1), qos: .atLeastOnce, packetID: 1))
            broker.endTurn(of: 0)
            publisher.send(message("t", "", qos: .atLeastOnce, packetID: 2))
            return publisher.socket?.isRead == true ? "" : "the publisher waits"
        },
        LimitRow(name: "storeChangesWaitingMax", limit: 10, beyond: "the publisher waits") { trial in
            let broker = trial.broker(store: SimulatedStore())
            let subscriber = try broker.client("s", cleanSession: false)
            _ = try subscriber.subscribe("t", .atLeastOnce)
            subscriber.lose()
            broker.settle()
            let publisher = try broker.client("p")
            for number in 1...trial.amount { publisher.send(message("t", "x", qos: .atLeastOnce, packetID: UInt16(number))) }
            defer {
                broker.settle()
                #expect(publisher.socket?.isRead == true)
            }
            return publisher.socket?.isRead == true ? "" : "the publisher waits"
        },
    ]

    /// Leaves messages for a session without a connection.
    private static func wait(in broker: SimulatedBroker, payloads: [String]) throws {
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .atLeastOnce)
        client.send(.disconnect(Disconnect()))
        let publisher = try broker.client("p")
        for (number, payload) in payloads.enumerated() {
            _ = try publisher.exchange(message("t", payload, qos: .atLeastOnce, packetID: UInt16(number + 1)))
        }
        #expect(broker.closed == ["disconnected": 1])
    }

    static let retaining = [
        LimitRow(name: "retainedMessagesMax", limit: 3, beyond: "dropped: retained_full") { trial in
            try retain((0..<trial.amount).map { ("\($0)", "t/\($0)", "x") }, in: trial.broker())
        },
        LimitRow(name: "retainedBytesMax", limit: 100, beyond: "dropped: retained_full") { trial in
            let rest = String(repeating: "x", count: trial.amount - 51)
            return try retain([("a", "1", String(repeating: "x", count: 49)), ("b", "2", rest)], in: trial.broker())
        },
        LimitRow(name: "retainedLevelsMax", limit: 6, beyond: "dropped: retained_full") { trial in
            let rest = Array(repeating: "x", count: trial.amount - 3).joined(separator: "/")
            return try retain([("a", "1/2/3", "x"), ("b", rest, "x")], in: trial.broker())
        },
        LimitRow(name: "retainedLevelsPerClientMax", limit: 6, beyond: "dropped: retained_full") { trial in
            let rest = Array(repeating: "x", count: trial.amount - 3).joined(separator: "/")
            return try retain([("other", "o/p/q", "x"), ("a", "1/2/3", "x"), ("a", rest, "x")], in: trial.broker())
        },
        LimitRow(name: "retainedMessagesPerClientMax", limit: 3, beyond: "dropped: retained_full") { trial in
            let others = (0..<3).map { ("other", "o/\($0)", "x") }
            return try retain(others + (0..<trial.amount).map { ("a", "t/\($0)", "x") }, in: trial.broker())
        },
        LimitRow(name: "retainedBytesPerClientMax", limit: 100, beyond: "dropped: retained_full") { trial in
            let half = String(repeating: "x", count: 49)
            let rest = String(repeating: "x", count: trial.amount - 51)
            return try retain([("other", "0", half), ("a", "1", half), ("a", "2", rest)], in: trial.broker())
        },
    ]

    /// Publishes retained messages; a client of MQTT 5 is told when there is no room.
    private static func retain(_ messages: [(client: String, topic: String, payload: String)], in broker: SimulatedBroker) throws -> String
    {
        var last: Packet?
        for (client, topic, payload) in messages {
            let publisher = try broker.client5(client)
            last = try publisher.exchange(message5(topic, payload, qos: .atLeastOnce, packetID: 1, retain: true)).last
            publisher.send(.disconnect(Disconnect()))
        }
        let seen = broker.refusals
        guard case .puback(let puback) = last else {
            Issue.record("\(String(describing: last))")
            return seen
        }
        #expect((puback.reasonCode == .quotaExceeded) == !seen.isEmpty)
        return seen
    }

    static let rates =
        [
            LimitRow(name: "publishesPerSecondMax", limit: 3, beyond: "throttled") { trial in
                let broker = trial.broker()
                let publisher = try broker.client("p")
                for _ in 0..<trial.amount { publisher.send(message("t", "x")) }
                return broker.refusals
            },
            LimitRow(name: "publishBytesPerSecondMax", limit: 100, beyond: "throttled") { trial in
                let broker = trial.broker()
                broker.publish(packetBytes: trial.amount, from: try broker.client("p"))
                return broker.refusals
            },
        ] + admission
}
