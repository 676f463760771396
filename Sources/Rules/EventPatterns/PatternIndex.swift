/// All patterns of one bus, compiled into one structure whose matching cost grows with the event, not with the patterns.
///
/// Each pattern is filed under the values of one of its fields, the one whose places in the tables are least crowded when the
/// pattern comes in. An event looks up its own values, and only the patterns found there are evaluated in full.
package struct PatternIndex<RuleID: Hashable & Sendable>: Sendable {
    private struct Slot: Sendable {
        let rule: RuleID
        let pattern: CompiledPattern
        /// Which field of the pattern is filed in the tables.
        let filed: Int
        /// Grows with every insertion, so that results come in that order.
        let sequence: Int
    }

    private var paths = PathTree()
    private var tables = PatternTables()
    private var slots: [Slot?] = []
    private var free: [Int] = []
    private var slotOfRule: [RuleID: Int] = [:]
    private var sequence = 0

    package init() {}

    /// How many rules are in the index.
    package var count: Int { slotOfRule.count }

    /// Adds a rule, or replaces its pattern.
    package mutating func insert(_ pattern: EventPattern, for rule: RuleID) {
        remove(rule)
        let compiled = CompiledPattern(pattern.fields, in: &paths)
        let filed = leastCrowdedField(of: compiled)
        let slot = free.popLast() ?? slots.count
        if slot == slots.count { slots.append(nil) }
        sequence += 1
        slots[slot] = Slot(rule: rule, pattern: compiled, filed: filed, sequence: sequence)
        slotOfRule[rule] = slot
        for condition in compiled.fields[filed].conditions {
            tables.file(slot, under: condition, at: compiled.fields[filed].path)
        }
    }

    /// Removes a rule; does nothing if it is not there.
    package mutating func remove(_ rule: RuleID) {
        guard let index = slotOfRule.removeValue(forKey: rule), let slot = slots[index] else { return }
        let field = slot.pattern.fields[slot.filed]
        for condition in field.conditions { tables.withdraw(index, from: condition, at: field.path) }
        slot.pattern.release(in: &paths)
        slots[index] = nil
        free.append(index)
    }

    /// The rules that want the event, in the order in which they were inserted.
    package func matches(_ event: JSONView) -> [RuleID] {
        let fields = EventFields(event, paths: paths)
        var candidates: Set<Int> = []
        for entry in fields.entries { tables.collect(for: entry, into: &candidates) }
        var found: [Slot] = []
        for candidate in candidates {
            if let slot = slots[candidate], slot.pattern.matches(fields) { found.append(slot) }
        }
        found.sort { $0.sequence < $1.sequence }
        return found.map(\.rule)
    }

    /// For tests and for reports on how well the tables select: how many patterns the event would be compared with in full.
    package func candidateCount(_ event: JSONView) -> Int {
        var candidates: Set<Int> = []
        for entry in EventFields(event, paths: paths).entries { tables.collect(for: entry, into: &candidates) }
        return candidates.count
    }

    /// For tests: whether nothing of a removed rule is left.
    package var isVacant: Bool { tables.isEmpty && paths.nodeCount == 1 && slotOfRule.isEmpty }

    private func leastCrowdedField(of pattern: CompiledPattern) -> Int {
        var best = 0
        var bestCrowd = Int.max
        for (index, field) in pattern.fields.enumerated() {
            var crowd = 0
            for condition in field.conditions { crowd += tables.crowd(at: condition, path: field.path) }
            // On a tie the later field: `detail` usually says more than `source`.
            if crowd <= bestCrowd { (best, bestCrowd) = (index, crowd) }
        }
        return best
    }
}

/// Where patterns are filed: exact values in a hash table, prefixes in one trie per path.
struct PatternTables: Sendable {
    private struct ExactPlace: Hashable, Sendable {
        let path: Int
        let key: ValueKey
    }

    private var exact: [ExactPlace: Set<Int>] = [:]
    private var prefixes: [Int: PrefixTrie] = [:]

    var isEmpty: Bool { exact.isEmpty && prefixes.isEmpty }

    /// How many patterns a value at this place would have compared in full.
    ///
    /// A prefix counts more than a value: it is met more often.
    func crowd(at condition: PatternCondition, path: Int) -> Int {
        switch condition {
        case .exact(let key): exact[ExactPlace(path: path, key: key)]?.count ?? 0
        case .prefix(let prefix): 2 * (prefixes[path]?.crowd(at: prefix) ?? 0) + 1
        }
    }

    mutating func file(_ slot: Int, under condition: PatternCondition, at path: Int) {
        switch condition {
        case .exact(let key): exact[ExactPlace(path: path, key: key), default: []].insert(slot)
        case .prefix(let prefix): prefixes[path, default: PrefixTrie()].insert(slot, at: prefix)
        }
    }

    mutating func withdraw(_ slot: Int, from condition: PatternCondition, at path: Int) {
        switch condition {
        case .exact(let key):
            let place = ExactPlace(path: path, key: key)
            exact[place]?.remove(slot)
            if exact[place]?.isEmpty ?? false { exact[place] = nil }
        case .prefix(let prefix):
            prefixes[path]?.remove(slot, at: prefix)
            if prefixes[path]?.isEmpty ?? false { prefixes[path] = nil }
        }
    }

    func collect(for entry: EventFields.Entry, into slots: inout Set<Int>) {
        if let found = exact[ExactPlace(path: entry.path, key: entry.key)] { slots.formUnion(found) }
        if let string = entry.string, let trie = prefixes[entry.path] { trie.collect(for: string, into: &slots) }
    }
}
