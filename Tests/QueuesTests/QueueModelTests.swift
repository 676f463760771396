import Queues
import Testing

/// A queue as one would write it down on paper: a list, searched from its front.
private struct PaperQueue {
    struct Message {
        let id: String
        let sent: Int64
        var hiddenUntil: Int64
        var receives = 0
        var handle = ""
    }

    let visibility: Int64
    let retention: Int64
    var messages: [Message] = []

    mutating func expire(at now: Int64) { messages.removeAll { $0.sent + retention <= now } }

    mutating func receive(_ most: Int, at now: Int64, deadAfter limit: Int, dead: inout PaperQueue) -> [String] {
        var ids: [String] = []
        var position = 0
        while position < messages.count, ids.count < most {
            guard messages[position].hiddenUntil <= now else {
                position += 1
                continue
            }
            if messages[position].receives >= limit {
                var moved = messages.remove(at: position)
                moved.receives = 0
                moved.hiddenUntil = 0
                dead.messages.append(moved)
                continue
            }
            messages[position].receives += 1
            messages[position].hiddenUntil = now + visibility
            ids.append(messages[position].id)
            position += 1
        }
        return ids
    }
}

/// A seeded source of numbers (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct QueueModelTests {
    @Test("Random calls have the outcome that a list on paper has", arguments: UInt64(1)...40)
    func againstPaper(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let limit = Int.random(in: 1...3, using: &random)
        var queue = try QueueFixture([
            "orders": redrive(to: "dead", after: limit).merging(["VisibilityTimeout": "7", "MessageRetentionPeriod": "300"]) { $1 },
            "dead": ["VisibilityTimeout": "7", "MessageRetentionPeriod": "300"],
        ])
        var orders = PaperQueue(visibility: 7_000, retention: 300_000)
        var dead = orders
        var nowhere = orders
        for step in 0..<600 {
            orders.expire(at: queue.now)
            dead.expire(at: queue.now)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<35:
                let delay = Bool.random(using: &random) ? 0 : Int.random(in: 1...20, using: &random)
                let id = try queue.send("m\(step)", delay: delay)
                orders.messages.append(.init(id: id, sent: queue.now, hiddenUntil: delay == 0 ? 0 : queue.now + Int64(delay) * 1_000))
            case 35..<60:
                let most = Int.random(in: 1...10, using: &random)
                let received = try queue.receive("orders", most)
                #expect(
                    received.map(\.id) == orders.receive(most, at: queue.now, deadAfter: limit, dead: &dead), "seed \(seed) step \(step)")
                orders.note(received)
            case 60..<65:
                let received = try queue.receive("dead", 10)
                #expect(received.map(\.id) == dead.receive(10, at: queue.now, deadAfter: .max, dead: &nowhere), "seed \(seed) step \(step)")
                dead.note(received)
            case 65..<80:
                guard let message = orders.messages.filter({ !$0.handle.isEmpty }).randomElement(using: &random) else { continue }
                try queue.table.delete(message.handle, from: "orders", now: queue.now)
                orders.messages.removeAll { $0.id == message.id }
            case 80..<88:
                let inFlight = orders.messages.indices.filter {
                    orders.messages[$0].receives > 0 && orders.messages[$0].hiddenUntil > queue.now
                }
                guard let position = inFlight.randomElement(using: &random) else { continue }
                let seconds = Int.random(in: 0...30, using: &random)
                try queue.table.changeVisibility(of: orders.messages[position].handle, to: seconds, in: "orders", now: queue.now)
                orders.messages[position].hiddenUntil = queue.now + Int64(seconds) * 1_000
            default:
                queue.now += Int64.random(in: 1...5_000, using: &random)
                orders.expire(at: queue.now)
                dead.expire(at: queue.now)
            }
            #expect(try queue.counts() == orders.counts(at: queue.now), "seed \(seed) step \(step)")
        }
        let statistics = queue.table.statistics(at: queue.now)
        let counters = statistics.counters
        let stored = statistics.visible + statistics.inFlight + statistics.delayed
        #expect(counters.sent == counters.deleted + counters.expired + counters.purged + UInt64(stored))
    }
}

extension PaperQueue {
    mutating func note(_ received: [ReceivedMessage]) {
        for message in received {
            for position in messages.indices where messages[position].id == message.id { messages[position].handle = message.receiptHandle }
        }
    }

    /// Visible, in flight, delayed.
    func counts(at now: Int64) -> [Int] {
        let hidden = messages.filter { $0.hiddenUntil > now }
        return [messages.count - hidden.count, hidden.count { $0.receives > 0 }, hidden.count { $0.receives == 0 }]
    }
}
