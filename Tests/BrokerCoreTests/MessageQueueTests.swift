import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// Retained messages keep their places between those that wait, whatever leaves the queue.
@Suite struct MessageQueueTests {
    private static func delivery(_ number: Int) -> Delivery {
        Delivery(message: Message(topic: "t", payload: "\(number)".utf8, qos: .atLeastOnce), qos: .atLeastOnce)
    }

    private static func number(_ delivery: Delivery) -> Int? { Int(String(buffer: delivery.message.payload)) }

    private static func retained(_ number: Int) -> OwedRetained {
        var retained = OwedRetained(topic: ByteBuffer(string: "r\(number)"), wanted: [])
        retained.kept = Message(topic: "r\(number)", payload: "\(number)".utf8, qos: .atLeastOnce)
        return retained
    }

    @Test func aRetainedMessageGoesWhenThoseBeforeItHaveExpired() {
        var queue = MessageQueue()
        for number in [1, 2] { queue.append(Self.delivery(number)) }
        queue.append(Self.retained(3))
        queue.append(Self.delivery(4))
        #expect(queue.popOwed()?.topic == nil)
        #expect(queue.remove { Self.number($0) == 1 }.count == 1)
        #expect(queue.popOwed()?.topic == nil)
        #expect(queue.popFirst().flatMap(Self.number) == 2)
        #expect(queue.popOwed()?.kept.map { String(buffer: $0.payload) } == "3")
        #expect(queue.popFirst().flatMap(Self.number) == 4)
    }

    /// Any sequence of arrivals, removals and departures gives what a list of both kinds gives.
    @Test func placesAgreeWithAList() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var queue = MessageQueue()
            var list: [(number: Int, isRetained: Bool)] = []
            for number in 0..<60 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    queue.append(Self.delivery(number))
                    list.append((number, false))
                case 2:
                    queue.append(Self.retained(number))
                    list.append((number, true))
                case 3:
                    let divisor = Int.random(in: 2...4, using: &random)
                    _ = queue.remove { (Self.number($0) ?? 0) % divisor == 0 }
                    list.removeAll { !$0.isRetained && $0.number % divisor == 0 }
                default:
                    let next = queue.popOwed().map { $0.kept.map { String(buffer: $0.payload) } ?? "" }
                    let popped = next.flatMap { Int($0) } ?? queue.popFirst().flatMap(Self.number)
                    let expected = list.isEmpty ? nil : list.removeFirst().number
                    #expect(popped == expected, "seed \(seed)")
                }
            }
        }
    }
}
