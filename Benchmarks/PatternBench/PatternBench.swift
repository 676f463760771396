import Measurement
import Rules

/// Matching order events of 468 bytes, read from their bytes, against 1 to 100 k rules of each kind; changing such rules; and events
/// and patterns that mean harm, in three sizes.
@main enum PatternBench {
    static func main() {
        var cases: [BenchmarkCase] = []
        for shape in RuleShape.all {
            for (label, count) in [("1", 1), ("100", 100), ("10k", 10_000), ("100k", 100_000)] {
                cases.append(matching("\(shape.name)-\(label)", shape, count: count))
            }
        }
        for shape in RuleShape.all { cases.append(changing("change-\(shape.name)-100k", shape, count: 100_000)) }
        for shape in RuleShape.all { cases.append(building("build-\(shape.name)-10k", shape, count: 10_000)) }
        for hostile in HostileCase.all {
            for kilobytes in [32, 64, 256] { cases.append(matching("hostile-\(hostile.name)-\(kilobytes)k", hostile, kilobytes << 10)) }
        }
        BenchmarkCommand.run(cases)
    }

    private static func matching(_ name: String, _ shape: RuleShape, count: Int) -> BenchmarkCase {
        let events = (0..<256).map { OrderEvent.json(user: $0 * max(1, count / 256) % count) }
        // The index is built when the case first runs, so that a choice of cases does not wait for the others.
        var built: RuleSet?
        var search = EventSearch()
        return BenchmarkCase(name: name, bytes: events[0].count, operations: events.count) {
            let rules = built ?? RuleSet(shape, count: count)
            built = rules
            var found = 0
            for event in events { found += rules.index.matches(event, using: &search).count }
            precondition(found >= events.count, "\(name): \(found) matches for \(events.count) events")
            return found
        }
    }

    /// Adds a rule to a copy that others go on using, and takes it out again.
    private static func changing(_ name: String, _ shape: RuleShape, count: Int) -> BenchmarkCase {
        var built: RuleSet?
        return BenchmarkCase(name: name, operations: 2) {
            let rules = built ?? RuleSet(shape, count: count)
            built = rules
            let before = rules.index
            rules.index.insert(shape.pattern(count / 2), for: count)
            let between = rules.index
            rules.index.remove(count)
            return before.count + between.count + rules.index.count
        }
    }

    private static func building(_ name: String, _ shape: RuleShape, count: Int) -> BenchmarkCase {
        BenchmarkCase(name: name, operations: count) { RuleSet(shape, count: count).index.count }
    }

    private static func matching(_ name: String, _ hostile: HostileCase, _ bytes: Int) -> BenchmarkCase {
        var built: (index: PatternIndex, event: [UInt8])?
        var search = EventSearch()
        return BenchmarkCase(name: name, bytes: bytes, operations: 1) {
            if built == nil {
                var index = PatternIndex()
                for (number, pattern) in hostile.patterns.enumerated() { index.insert(compiled(pattern), for: number) }
                built = (index, Array(hostile.event(bytes).utf8))
            }
            return built.map { $0.index.matches($0.event, using: &search).count } ?? 0
        }
    }
}

/// An index with rules of one shape.
private final class RuleSet {
    var index = PatternIndex()

    init(_ shape: RuleShape, count: Int) {
        for number in 0..<count { index.insert(shape.pattern(number), for: number) }
    }
}

func compiled(_ pattern: String) -> EventPattern {
    do {
        return try EventPattern(parsing: Array(pattern.utf8))
    } catch {
        fatalError("\(pattern): \(error)")
    }
}
