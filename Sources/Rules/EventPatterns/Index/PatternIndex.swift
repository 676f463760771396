/// All patterns of one bus, compiled into one structure whose matching cost grows with the event, not with the patterns.
///
/// Each conjunction of a pattern is filed under the conditions of one of its fields, the one whose places are least crowded when the
/// pattern comes in. An event comes by the places of its own values, and only what is found there is evaluated in full. Copies share
/// what they have in common, so a copy that differs by one rule costs little beside the index itself.
package struct PatternIndex<RuleID: Hashable & Sendable>: Sendable {
    private struct Rule: Sendable {
        /// Nil where the number is free.
        let id: RuleID?
        /// Grows with every insertion, so that results come in that order.
        let sequence: Int
        var conjunctions: [Int32] = []
    }

    private struct Entry: Sendable {
        let rule: Int32
        let conjunction: Conjunction
        let receipts: [FilingCabinet.Receipt]
    }

    private var paths = PathTree()
    private var cabinet = FilingCabinet()
    private var rules = PagedStore<Rule>()
    private var entries = PagedStore<Entry>()
    private var numberOfRule = ShardedDictionary<RuleID, Int32>()
    private var sequence = 0

    package init() {}

    /// How many rules are in the index.
    package var count: Int { numberOfRule.count }

    /// Adds a rule, or replaces its pattern.
    package mutating func insert(_ pattern: EventPattern, for rule: RuleID) {
        remove(rule)
        sequence += 1
        let number = rules.insert(Rule(id: rule, sequence: sequence))
        numberOfRule.insert(number, for: rule)
        rules[number].conjunctions = pattern.combinations.map { combination in
            let fields = combination.map { index in
                Conjunction.Field(path: paths.retain(pattern.fields[index].segments), conditions: pattern.fields[index].conditions)
            }
            return file(Conjunction(fields: fields), of: number)
        }
    }

    private mutating func file(_ conjunction: Conjunction, of rule: Int32) -> Int32 {
        var best: (places: [Place], cost: Int)?
        for field in conjunction.fields {
            let filing = cabinet.bestPlaces(for: field)
            // On a tie the later field: what tells rules apart is usually deep in the detail.
            if filing.cost <= best?.cost ?? .max { best = filing }
        }
        let entry = entries.insert(Entry(rule: rule, conjunction: conjunction, receipts: []))
        let receipts = (best?.places ?? []).map { cabinet.file(entry, at: $0) }
        entries[entry] = Entry(rule: rule, conjunction: conjunction, receipts: receipts)
        return entry
    }

    /// Removes a rule; does nothing if it is not there.
    package mutating func remove(_ rule: RuleID) {
        guard let number = numberOfRule.remove(rule) else { return }
        for index in rules[number].conjunctions {
            let entry = entries[index]
            for receipt in entry.receipts { cabinet.withdraw(receipt) }
            for field in entry.conjunction.fields { paths.release(field.path) }
            entries.remove(index, leaving: Entry(rule: -1, conjunction: Conjunction(fields: []), receipts: []))
        }
        rules.remove(number, leaving: Rule(id: nil, sequence: 0))
    }

    // MARK: Matching

    /// The rules that want the event, in the order in which they were inserted.
    package func matches(_ event: JSONView) -> [RuleID] {
        var search = EventSearch()
        search.fields.read(event, paths: paths)
        return matches(using: &search)
    }

    /// The rules that want an event, read straight from its bytes.
    ///
    /// - Parameters:
    ///   - json: an object that ``JSONDocument`` would take; of bytes that are no JSON the answer means nothing.
    ///   - search: storage for the next event, best one for each thread.
    package func matches(_ json: [UInt8], using search: inout EventSearch) -> [RuleID] {
        read(json, into: &search)
        return matches(using: &search)
    }

    private func read(_ json: [UInt8], into search: inout EventSearch) {
        if search.reader.read(json.span, paths: paths, into: &search.fields) { return }
        search.fields.reset()
        let limits = JSONLimits(bytesMax: json.count, depthMax: json.count)
        if let document = try? JSONDocument(parsing: json, limits: limits) { search.fields.read(document.root, paths: paths) }
    }

    private func matches(using search: inout EventSearch) -> [RuleID] {
        search.findCandidates(in: cabinet)
        var found: [(sequence: Int, number: Int32)] = []
        for candidate in search.candidates {
            let entry = entries[candidate]
            if entry.conjunction.matches(search.fields) { found.append((rules[entry.rule].sequence, entry.rule)) }
        }
        guard found.count > 1 else { return found.compactMap { rules[$0.number].id } }
        found.sort { $0.sequence < $1.sequence }
        var result: [RuleID] = []
        var last = 0
        for (sequence, number) in found where sequence != last {
            last = sequence
            if let id = rules[number].id { result.append(id) }
        }
        return result
    }

    // MARK: Tests

    /// For tests and for reports on how well the tables select: how many patterns the event would be compared with in full.
    package func candidateCount(_ event: JSONView) -> Int {
        var search = EventSearch()
        search.fields.read(event, paths: paths)
        search.findCandidates(in: cabinet)
        return search.candidates.count
    }

    /// For tests: whether nothing of a removed rule is left.
    package var isVacant: Bool { cabinet.isEmpty && paths.nodeCount == 1 && count == 0 && entries.count == 0 }
}
