/// All patterns of one bus, compiled into one structure whose matching cost grows with the event, not with the patterns.
///
/// Each conjunction of a pattern is filed under the conditions of one of its fields, the one whose places are least crowded when the
/// pattern comes in. An event comes by the places of its own values, and only what is found there is evaluated in full. Copies share
/// what they have in common, so a copy that differs by one rule costs little beside the index itself. Rules are numbers of the caller's,
/// and nothing here is generic: the code that matches is made once, where it can be made well.
package struct PatternIndex: Sendable {
    private var file = PatternFile()
    /// The number that the file knows a rule by, and back.
    private var fileNumbers = ShardedDictionary<Int, Int32>()
    private var rules = PagedArray<Int>()

    package init() {}

    /// How many rules are in the index.
    package var count: Int { fileNumbers.count }

    /// Adds a rule, or replaces its pattern.
    package mutating func insert(_ pattern: EventPattern, for rule: Int) {
        remove(rule)
        let number = file.insert(pattern)
        fileNumbers.insert(number, for: rule)
        while rules.count <= Int(number) { rules.append(0) }
        rules[number] = rule
    }

    /// Removes a rule; does nothing if it is not there.
    package mutating func remove(_ rule: Int) {
        guard let number = fileNumbers.remove(rule) else { return }
        file.remove(number)
    }

    // MARK: Matching

    /// The rules that want the event, in the order in which they were inserted.
    package func matches(_ event: JSONView) -> [Int] {
        var search = EventSearch()
        file.match(event, &search)
        return rules(search.found)
    }

    /// The rules that want an event, read straight from its bytes.
    ///
    /// The bytes should be an object that ``JSONDocument`` would take; of others the answer means nothing. Keep a `search` for each thread.
    package func matches(_ json: [UInt8], using search: inout EventSearch) -> [Int] {
        file.match(json, &search)
        return search.found.isEmpty ? [] : rules(search.found)
    }

    private func rules(_ numbers: [Int32]) -> [Int] {
        let rules = rules
        return numbers.map { rules[$0] }
    }

    // MARK: Tests

    /// For tests and for reports on how well the tables select: how many patterns the event would be compared with in full.
    package func candidateCount(_ event: JSONView) -> Int {
        var search = EventSearch()
        return file.findCandidates(event, &search)
    }

    /// For tests: whether nothing of a removed rule is left.
    package var isVacant: Bool { file.isVacant && count == 0 }
}
