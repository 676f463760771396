import Testing

@testable import Queues

/// A FIFO queue as one would write it down on paper: a list in the order of sending.
private struct PaperFIFO {
    struct Message {
        let body: String
        let group: String
        let sent: Int64
        var hiddenUntil: Int64
        var isInFlight = false
        var receives = 0
        var handle = ""
    }

    let retention: Int64
    var messages: [Message] = []

    mutating func advance(to now: Int64) {
        messages.removeAll { $0.sent + retention <= now }
        for position in messages.indices where messages[position].hiddenUntil <= now { messages[position].isInFlight = false }
    }

    /// The place of the first message of a group that this request has not got, unless somebody has it or it is hidden.
    private func next(of group: String, but got: [String], at now: Int64) -> Int? {
        guard let first = messages.firstIndex(where: { $0.group == group && !got.contains($0.body) }), !messages[first].isInFlight,
            messages[first].hiddenUntil <= now
        else { return nil }
        return first
    }

    mutating func receive(_ most: Int, visibility: Int64, at now: Int64, deadAfter limit: Int, dead: inout [String]) -> [String] {
        var bodies: [String] = []
        var current: String?
        while bodies.count < most {
            if let group = current, next(of: group, but: bodies, at: now) == nil { current = nil }
            let groups = current.map { [$0] } ?? messages.map(\.group)
            guard let place = groups.compactMap({ next(of: $0, but: bodies, at: now) }).min() else { break }
            guard messages[place].receives < limit else {
                dead.append(messages.remove(at: place).body)
                continue
            }
            current = messages[place].group
            messages[place].isInFlight = true
            messages[place].receives += 1
            messages[place].hiddenUntil = now + visibility
            bodies.append(messages[place].body)
        }
        return bodies
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

@Suite struct FIFOModelTests {
    @Test("Random calls have the outcome that a list on paper has", arguments: UInt64(1)...40)
    func againstPaper(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let (limit, delay) = (Int.random(in: 1...4, using: &random), Int.random(in: 0...2, using: &random) * 3)
        let settings = ["FifoQueue": "true", "VisibilityTimeout": "7", "MessageRetentionPeriod": "300", "DelaySeconds": "\(delay)"]
        var queue = try QueueFixture([
            "orders.fifo": settings.merging(redrive(to: "dead.fifo", after: limit)) { $1 }, "dead.fifo": settings,
        ])
        var paper = PaperFIFO(retention: 300_000)
        var dead: [String] = []
        for step in 0..<600 {
            paper.advance(to: queue.now)
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<35:
                let group = "\(Int.random(in: 0...4, using: &random))"
                try queue.send("m\(step)", group: group, id: "\(step)")
                paper.messages.append(
                    .init(body: "m\(step)", group: group, sent: queue.now, hiddenUntil: queue.now + Int64(delay) * 1_000))
            case 35..<65:
                let most = Int.random(in: 1...10, using: &random)
                let received = try queue.receive("orders.fifo", most)
                let expected = paper.receive(most, visibility: 7_000, at: queue.now, deadAfter: limit, dead: &dead)
                #expect(received.map(\.body) == expected, "seed \(seed) step \(step)")
                for message in received {
                    for place in paper.messages.indices where paper.messages[place].body == message.body {
                        paper.messages[place].handle = message.receiptHandle
                    }
                }
            case 65..<85:
                guard let message = paper.messages.filter(\.isInFlight).randomElement(using: &random) else { continue }
                try queue.table.delete(message.handle, from: "orders.fifo", now: queue.now)
                paper.messages.removeAll { $0.body == message.body }
            case 85..<90:
                guard let place = paper.messages.indices.filter({ paper.messages[$0].isInFlight }).randomElement(using: &random) else {
                    continue
                }
                let seconds = Int.random(in: 0...30, using: &random)
                try queue.table.changeVisibility(of: paper.messages[place].handle, to: seconds, in: "orders.fifo", now: queue.now)
                paper.messages[place].hiddenUntil = queue.now + Int64(seconds) * 1_000
            default: queue.now += Int64.random(in: 1...5_000, using: &random)
            }
        }
        let statistics = queue.table.statistics(at: queue.now)
        let stored = statistics.visible + statistics.inFlight + statistics.delayed
        let counters = statistics.counters
        #expect(counters.sent == counters.deleted + counters.expired + counters.purged + UInt64(stored))
        #expect(counters.deadLettered == UInt64(dead.count))
    }
}
