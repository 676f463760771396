import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Messages in a session's queue that expire [MQTT5-3.3.2-5]: their room is free again soon, whatever waits with them.
@Suite struct QueuedExpiryTests {
    private let broker: SimulatedBroker
    private let publisher: SimulatedClient

    init() throws {
        var limits = BrokerLimits()
        limits.queueMessagesMax = 3
        broker = SimulatedBroker(shards: 1, limits: limits)
        publisher = try broker.client5("p")
        let client = try broker.client5("s", cleanStart: true) { $0.sessionExpiryInterval = 10_000 }
        _ = try client.subscribe5("t", .atLeastOnce)
        client.lose()
    }

    private func publish(_ payload: String, expiry: UInt32?) throws {
        _ = try publisher.exchange(message5("t", payload, qos: .atLeastOnce, packetID: 1) { $0.messageExpiryInterval = expiry })
    }

    /// The client comes back; what it gets.
    private func comeBack() throws -> [String] {
        let client = SimulatedClient("s", of: broker)
        let messages = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 10_000 }.messages
        for publish in try client.read().publishes { client.send(.puback(packetID: publish.packetID)) }
        client.lose()
        return messages
    }

    @Test("One that expires before those in front of it makes room when its time is over")
    func earlierExpiry() throws {
        for (payload, expiry) in [("long", 1_000), ("short", 2), ("shorter", 1)] { try publish(payload, expiry: UInt32(expiry)) }
        broker.advance(seconds: 5)
        try publish("new", expiry: nil)
        #expect(broker.dropped == ["message_expired": 2])
        #expect(try comeBack() == ["t=long", "t=new"])
    }

    @Test("So it does when the one that was waited for has been taken meanwhile")
    func afterOthersLeft() throws {
        try publish("taken", expiry: 1_000)
        let client = SimulatedClient("s", of: broker)
        let taken = try client.connect5(cleanStart: false) { $0.sessionExpiryInterval = 10_000 }.publishes
        _ = try client.exchange(.puback(packetID: try #require(taken.first).packetID))
        client.lose()
        for number in 0..<3 { try publish("\(number)", expiry: 2) }
        broker.advance(seconds: 5)
        try publish("new", expiry: nil)
        #expect(broker.dropped == ["message_expired": 3])
        #expect(try comeBack() == ["t=new"])
    }

    @Test("Ever earlier ones leave no more times behind than there are sessions to look at")
    func deadlinesAreBounded() throws {
        for expiry in (10...20_000).reversed() {
            try publish("x", expiry: UInt32(expiry))
            if expiry % 3 == 0 { _ = try comeBack() }
        }
        #expect(broker.nodes[0].core.deadlineCount < 5_000)
    }
}
