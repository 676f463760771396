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

    /// Messages with numbers that follow each other, as they come in one piece; from the message with a place on.
    private static func run(of numbers: Range<Int>) throws -> PublishRun {
        var packets = ByteBuffer()
        for number in numbers {
            packets.writePublish(
                topic: ByteBuffer(string: "t"), payload: ByteBuffer(string: "\(number)"), qos: .atLeastOnce, retain: false,
                duplicate: false, packetID: 1)
        }
        let topic = ByteBuffer(string: "t")
        let layout = PublishRunLayout(
            reading: packets.readableBytesUInt8Span, topic: topic.readableBytesUInt8Span, version: .v311, packetBytesMax: .max)
        return PublishRun(topic: topic, packets: packets, version: .v311, layout: try #require(layout), acceptedAt: .unknown)
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
    @Test func theLastMessageOfARunKeepsNothingOfTheOthers() throws {
        var queue = MessageQueue()
        let run = try Self.run(of: 1_000..<1_400)
        queue.append(run, from: 0)
        queue.takeFromFrontRun(399)
        #expect(queue.frontRun == nil)
        #expect(queue.popFirst()?.message.payload.storageCapacity ?? .max < 64)
        queue.append(run, from: 399)
        #expect(queue.frontRun == nil)
        #expect(queue.popFirst()?.message.payload.storageCapacity ?? .max < 64)
        #expect(queue.isEmpty)
    }

    @Test func theMarkAgreesWithAList() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SeededRandom(seed: seed)
        for _ in 0..<200 {
            var queue = MessageQueue()
            var before: [Int] = []
            var behind: [Int] = []
            for number in 0..<60 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0, 1:
                    queue.append(Self.delivery(number))
                    behind.append(number)
                case 4:
                    let first = Int.random(in: 0...2, using: &random)
                    let numbers = number * 100 + 100..<number * 100 + 100 + Int.random(in: 1...6, using: &random)
                    queue.append(try Self.run(of: numbers), from: first)
                    behind += numbers.dropFirst(first)
                case 5:
                    // As many of a run at once as there is room for.
                    guard let (run, first) = queue.frontRun else { continue }
                    let count = Int.random(in: 1...run.messages - first, using: &random)
                    let taken = (first..<first + count).map { Int(String(buffer: run.message($0).payload)) ?? 0 }
                    #expect(taken == Array((before + behind).prefix(count)), "seed \(seed)")
                    queue.takeFromFrontRun(count)
                    behind.removeFirst(max(0, count - before.count))
                    before.removeFirst(min(count, before.count))
                case 2:
                    queue.setMark()
                    before += behind
                    behind = []
                case 3:
                    let divisor = Int.random(in: 2...4, using: &random)
                    // Only of those that came by themselves; the last one of a run waits by itself, too.
                    let isPicked = { (number: Int) in number < 100 && number % divisor == 0 }
                    _ = queue.remove { isPicked(Self.number($0) ?? 0) }
                    before.removeAll(where: isPicked)
                    behind.removeAll(where: isPicked)
                default:
                    let expected = before.isEmpty ? (behind.isEmpty ? nil : behind.removeFirst()) : before.removeFirst()
                    #expect(queue.popFirst().flatMap(Self.number) == expected, "seed \(seed)")
                }
                #expect(queue.isMarkReached == before.isEmpty, "seed \(seed)")
                let waiting = before + behind
                #expect(queue.count == waiting.count && queue.isEmpty == waiting.isEmpty, "seed \(seed)")
                #expect(queue.bytes == waiting.reduce(0) { $0 + 1 + "\($1)".utf8.count }, "seed \(seed)")
            }
        }
    }
}
