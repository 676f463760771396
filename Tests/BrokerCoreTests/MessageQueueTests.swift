import CremaTesting
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerCore

/// The mark in a queue keeps its place between the messages that wait, whatever leaves.
@Suite struct MessageQueueTests {
    private static func delivery(_ number: Int) -> Delivery {
        Delivery(message: Message(topic: "t", payload: "\(number)".utf8, qos: .atLeastOnce), qos: .atLeastOnce)
    }

    private static func number(_ delivery: Delivery) -> Int? { Int(String(buffer: delivery.message.payload)) }

    @Test func theMarkIsReachedWhenThoseBeforeItHaveLeftOrExpired() {
        var queue = MessageQueue()
        for number in [1, 2] { queue.append(Self.delivery(number)) }
        queue.setMark()
        queue.append(Self.delivery(4))
        #expect(!queue.isMarkReached)
        #expect(queue.remove { Self.number($0) == 1 }.count == 1)
        #expect(!queue.isMarkReached)
        #expect(queue.popFirst().flatMap(Self.number) == 2)
        #expect(queue.isMarkReached)
        #expect(queue.popFirst().flatMap(Self.number) == 4)
    }

    /// Any sequence of arrivals, removals and departures gives what a list with a mark in it gives.
    @Test func theMarkAgreesWithAList() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var queue = MessageQueue()
            var before: [Int] = []
            var behind: [Int] = []
            for number in 0..<60 {
                switch Int.random(in: 0..<6, using: &random) {
                case 0, 1:
                    queue.append(Self.delivery(number))
                    behind.append(number)
                case 2:
                    queue.setMark()
                    before += behind
                    behind = []
                case 3:
                    let divisor = Int.random(in: 2...4, using: &random)
                    _ = queue.remove { (Self.number($0) ?? 0) % divisor == 0 }
                    before.removeAll { $0 % divisor == 0 }
                    behind.removeAll { $0 % divisor == 0 }
                default:
                    let expected = before.isEmpty ? (behind.isEmpty ? nil : behind.removeFirst()) : before.removeFirst()
                    #expect(queue.popFirst().flatMap(Self.number) == expected, "seed \(seed)")
                }
                #expect(queue.isMarkReached == before.isEmpty, "seed \(seed)")
            }
        }
    }
}
