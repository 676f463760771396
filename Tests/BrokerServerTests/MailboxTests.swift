import BrokerCore
import MQTTCodec
import NIOCore
import Testing

@testable import BrokerServer

/// What shards hand to each other.
@Suite struct MailboxTests {
    private static func message(_ payload: String) -> [ShardMessage] {
        [.publish(Message(topic: "t", payload: payload.utf8, qos: .atMostOnce))]
    }

    private static func payloads(_ batches: [Mailbox.Batch]) -> [String] {
        batches.flatMap(\.messages).map { if case .publish(let message) = $0 { String(buffer: message.payload) } else { "" } }
    }

    @Test("What was handed over is taken once, in the order of handing over, and who fills an empty box is to tell of it")
    func takenInOrder() {
        let box = Mailbox()
        #expect(box.take().isEmpty)
        #expect(box.put(Self.message("1"), from: ShardID(0)))
        #expect(!box.put(Self.message("2"), from: ShardID(2)))
        let taken = box.take()
        #expect(Self.payloads(taken) == ["1", "2"])
        #expect(taken.map(\.sender) == [ShardID(0), ShardID(2)])
        #expect(box.take().isEmpty)
        #expect(box.put(Self.message("3"), from: ShardID(1)))
        #expect(Self.payloads(box.take()) == ["3"])
    }

    @Test("Whatever several threads hand over arrives, that of each in its order")
    func fromSeveralThreads() async {
        let box = Mailbox()
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask { for number in 0..<500 { _ = box.put(Self.message("\(number)"), from: ShardID(sender)) } }
            }
            var next = [0, 0, 0, 0]
            while next.reduce(0, +) < 2_000 {
                let batches = box.take()
                if batches.isEmpty { await Task.yield() }
                for batch in batches {
                    #expect(Self.payloads([batch]) == ["\(next[batch.sender.index])"])
                    next[batch.sender.index] += 1
                }
            }
        }
        #expect(box.take().isEmpty)
    }
}
