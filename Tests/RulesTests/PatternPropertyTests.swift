import Foundation
import Rules
import Synchronization
import Testing

/// Random rules and events: the index of many rules answers as each rule alone, and as an oracle that tries everything.
///
/// `CREMA_PATTERN_ROUNDS` says how many tables of rules are made, `CREMA_SEED` from which number on; a failure names its seed.
@Suite struct PatternPropertyTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let rounds = environment["CREMA_PATTERN_ROUNDS"].flatMap { Int($0) } ?? 8
    private static let firstSeed = environment["CREMA_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000_000)

    /// An index, and the same rules one by one.
    private struct Rules {
        var index = PatternIndex()
        var patterns: [Int: (compiled: EventPattern, source: JSONView)] = [:]

        mutating func insert(_ source: String, for rule: Int) throws {
            let pattern = try EventPattern(parsing: Array(source.utf8))
            index.insert(pattern, for: rule)
            patterns[rule] = (pattern, try json(source))
        }

        mutating func remove(_ rule: Int) {
            index.remove(rule)
            patterns[rule] = nil
        }

        func expected(_ event: JSONView) -> [Int] {
            patterns.filter { PatternOracle.matches(pattern: $0.value.source, event: event) }.keys.sorted()
        }
    }

    /// Beside many elements those that lie alone in their arrays are taken for what is around them.
    @Test func elementsThatAreAloneLeaveNoChoice() async throws {
        var matches = 0
        let seed = Self.firstSeed
        var generator = PatternGenerator(random: SeededGenerator(seed: seed))
        var rules = Rules()
        for rule in 0..<60 { try rules.insert(generator.pattern(), for: rule) }
        var search = EventSearch()
        for round in 0..<Self.rounds * 4 {
            if round % 4 == 0 { await Task.yield() }
            // So many that they are numbered all together.
            let many = "[" + (0..<24).map { _ in "[[\(generator.event(depth: 2, dots: false))]]" }.joined(separator: ",") + "]"
            let source = Array("{\"a\":\(many),\"b\":[[\(generator.event(depth: 3, dots: true))]],\"c\":[[[1]]]}".utf8)
            let event = try JSONDocument(parsing: source).root
            let expected = rules.expected(event)
            #expect(rules.index.matches(source, using: &search).sorted() == expected, "seed \(seed), event \(text(source))")
            matches += expected.count
        }
        #expect(matches > 0)
    }

    /// Rules come, change and go while events flow; copies of the index from before go on answering as they did.
    @Test func theIndexAgreesWithTheOracle() async throws {
        print("random patterns: \(Self.rounds) tables from seed \(Self.firstSeed) on")
        var (comparisons, matches) = (0, 0)
        for round in 0..<Self.rounds {
            let seed = Self.firstSeed &+ UInt64(round)
            var generator = PatternGenerator(random: SeededGenerator(seed: seed))
            let dots = round % 2 == 1
            var rules = Rules()
            var search = EventSearch()
            var earlier: [(index: PatternIndex, event: [UInt8], answer: [Int])] = []
            for rule in 0..<60 {
                try rules.insert(generator.pattern(), for: rule)
                if rule % 3 == 2 { rules.remove(Int.random(in: 0..<rule, using: &generator.random)) }
                if rule % 5 == 4 { try rules.insert(generator.pattern(), for: Int.random(in: 0..<rule, using: &generator.random)) }
                guard rule % 4 == 3 else { continue }
                // Others wait for the thread, some with deadlines.
                await Task.yield()
                #expect(rules.index.count == rules.patterns.count)
                for _ in 0..<4 {
                    let source = Array(generator.event(dots: dots).utf8)
                    let event = try JSONDocument(parsing: source).root
                    let expected = rules.expected(event)
                    let comment: Comment = "seed \(seed), event \(text(source))"
                    #expect(rules.index.matches(event).sorted() == expected, comment)
                    #expect(rules.index.matches(source, using: &search).sorted() == expected, comment)
                    #expect(rules.patterns.filter { $0.value.compiled.matches(event) }.keys.sorted() == expected, comment)
                    comparisons += rules.patterns.count
                    matches += expected.count
                    earlier.append((rules.index, source, expected))
                }
            }
            for (index, event, answer) in earlier {
                #expect(index.matches(event, using: &search).sorted() == answer, "seed \(seed), an index from before, event \(text(event))")
            }
            for rule in rules.patterns.keys.shuffled(using: &generator.random) { rules.remove(rule) }
            #expect(rules.index.isVacant, "seed \(seed)")
        }
        print("random patterns: \(comparisons) comparisons, \(matches) matches")
        #expect(matches > comparisons / 100, "the generator makes too few matches to say anything")
    }

    /// Threads match with the index of the moment while another changes rules.
    @Test func eventsFlowWhileRulesChange() async throws {
        let seed = Self.firstSeed
        var generator = PatternGenerator(random: SeededGenerator(seed: seed))
        let bytes = (0..<40).map { _ in Array(generator.event(dots: false).utf8) }
        // The rules with even numbers stay; the others come and go.
        var rules = Rules()
        for rule in stride(from: 0, to: 100, by: 2) { try rules.insert(generator.pattern(), for: rule) }
        let expected = try bytes.map { rules.expected(try JSONDocument(parsing: $0).root) }
        let others = try (0..<50).map { _ in try EventPattern(parsing: Array(generator.pattern().utf8)) }
        let shared = SharedIndex(rules.index)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask { await shared.match(bytes, expected: expected, seed: seed) }
            }
            for change in 0..<600 {
                let rule = change % 50 * 2 + 1
                let pattern = change / 50 % 2 == 0 ? others[change % 50] : nil
                var next = shared.current.withLock { $0 }
                if let pattern { next.insert(pattern, for: rule) } else { next.remove(rule) }
                let changed = next
                shared.current.withLock { $0 = changed }
                if change % 20 == 0 { await Task.yield() }
            }
            shared.isDone.store(true, ordering: .relaxed)
            for try await rounds in group { #expect(rounds > 0) }
        }
    }
}

/// The index of the moment.
private final class SharedIndex: Sendable {
    let current: Mutex<PatternIndex>
    let isDone = Atomic(false)

    init(_ index: PatternIndex) { current = Mutex(index) }

    /// Matches events until the changes are done; rules with even numbers answer as expected, whatever others come and go.
    func match(_ events: [[UInt8]], expected: [[Int]], seed: UInt64) async -> Int {
        var search = EventSearch()
        var rounds = 0
        repeat {
            for (number, event) in events.enumerated() {
                let index = current.withLock { $0 }
                let found = index.matches(event, using: &search).filter { $0.isMultiple(of: 2) }.sorted()
                #expect(found == expected[number], "seed \(seed), event \(text(event))")
            }
            rounds += 1
            await Task.yield()
        } while !isDone.load(ordering: .relaxed)
        return rounds
    }
}
