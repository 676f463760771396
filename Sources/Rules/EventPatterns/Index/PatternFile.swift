/// The conjunctions of all rules of a bus, filed, and the paths they name; rules are numbers here.
struct PatternFile: Sendable {
    private struct Entry: Sendable {
        let rule: Int32
        let conjunction: Conjunction

        static let vacant = Entry(rule: -1, conjunction: Conjunction(fields: []))
    }

    private var paths = PathTree()
    private var cabinet = FilingCabinet()
    /// Of each rule its conjunctions.
    private var rules = PagedStore<[Int32]>()
    /// Of each rule a number that grows with every insertion, so that results come in that order.
    private var sequences = PagedArray<Int>()
    private var entries = PagedStore<Entry>()
    /// Of each entry where it is filed.
    private var receipts = PagedArray<[FilingCabinet.Receipt]>()
    /// Of each path how many fields look for values there by their hashes, and by ranges.
    private var keyedFields = PagedArray<(hashes: Int32, ranges: Int32)>()
    private var sequence = 0
    /// How many rules have several conjunctions.
    private var alternativesCount = 0

    /// Whether nothing of any rule is left.
    var isVacant: Bool { cabinet.isEmpty && paths.nodeCount == 1 && rules.count == 0 && entries.count == 0 }

    /// Files a pattern and returns the number of its rule.
    mutating func insert(_ pattern: EventPattern) -> Int32 {
        sequence += 1
        let number = rules.insert([])
        while sequences.count <= Int(number) { sequences.append(0) }
        sequences[number] = sequence
        rules[number] = pattern.combinations.map { combination in
            let fields = combination.map { index in
                let field = Conjunction.Field(
                    path: paths.retain(pattern.fields[index].segments), number: UInt8(truncatingIfNeeded: index),
                    conditions: pattern.fields[index].conditions)
                countKeys(of: field, by: 1)
                return field
            }
            return file(Conjunction(fields: fields), of: number)
        }
        if pattern.combinations.count > 1 { alternativesCount += 1 }
        return number
    }

    private mutating func file(_ conjunction: Conjunction, of rule: Int32) -> Int32 {
        var best: (places: [Place], cost: Int)?
        for field in conjunction.fields {
            let filing = cabinet.bestPlaces(for: field)
            // On a tie the later field: what tells rules apart is usually deep in the detail.
            if filing.cost <= best?.cost ?? .max { best = filing }
        }
        let entry = entries.insert(Entry(rule: rule, conjunction: conjunction))
        while receipts.count <= Int(entry) { receipts.append([]) }
        receipts[entry] = (best?.places ?? []).map { cabinet.file(entry, at: $0) }
        return entry
    }

    mutating func remove(_ number: Int32) {
        for index in rules[number] {
            let entry = entries[index]
            for receipt in receipts[index] { cabinet.withdraw(receipt) }
            receipts[index] = []
            for field in entry.conjunction.fields {
                countKeys(of: field, by: -1)
                paths.release(field.path)
            }
            entries.remove(index, leaving: .vacant)
        }
        if rules[number].count > 1 { alternativesCount -= 1 }
        rules.remove(number, leaving: [])
    }

    private mutating func countKeys(of field: Conjunction.Field, by difference: Int32) {
        guard let keys = field.conditions.keys else { return }
        while keyedFields.count <= Int(field.path) { keyedFields.append((0, 0)) }
        if !keys.hashes.isEmpty { keyedFields[field.path].hashes += difference }
        if keys.hasRanges { keyedFields[field.path].ranges += difference }
    }

    /// Whether a field looks for values at a path by their hashes.
    func isHashed(_ path: Int32) -> Bool { Int(path) < keyedFields.count && keyedFields[path].hashes > 0 }

    /// Whether a field looks for values at a path by ranges.
    func isRanged(_ path: Int32) -> Bool { Int(path) < keyedFields.count && keyedFields[path].ranges > 0 }

    // MARK: Matching

    /// Leaves in the search the numbers of the rules that want the event, in the order of their insertion.
    func match(_ event: JSONView, _ search: inout EventSearch) {
        search.fields.read(event, paths: paths)
        match(&search)
    }

    func match(_ json: [UInt8], _ search: inout EventSearch) {
        if !search.reader.read(json.span, paths: paths, into: &search.fields) {
            search.fields.reset()
            let limits = JSONLimits(bytesMax: json.count, depthMax: json.count)
            if let document = try? JSONDocument(parsing: json, limits: limits) { search.fields.read(document.root, paths: paths) }
        }
        match(&search)
    }

    /// How many conjunctions the event's values come by.
    func findCandidates(_ event: JSONView, _ search: inout EventSearch) -> Int {
        search.fields.read(event, paths: paths)
        search.findCandidates(in: cabinet)
        return search.candidates.count
    }

    /// Whether some rule has several conjunctions.
    var hasAlternatives: Bool { alternativesCount > 0 }

    /// The rule of a conjunction, and whether it has no other.
    @inline(__always)
    func entry(_ number: Int32) -> (rule: Int32, conjunction: Conjunction, isAlone: Bool) {
        let entry = entries[number]
        return (entry.rule, entry.conjunction, !hasAlternatives || rules[entry.rule].count == 1)
    }

    /// Brings the conjunctions of each rule together.
    func sortByRule(_ candidates: inout [Int32]) {
        guard candidates.count > 1 else { return }
        let entries = entries
        candidates.sort { (entries[$0].rule, $0) < (entries[$1].rule, $1) }
    }

    private func match(_ search: inout EventSearch) {
        search.findCandidates(in: cabinet)
        search.tryCandidates(of: self)
        guard search.found.count > 1 else { return }
        // Not `self.sequences`: the closure would copy all of this.
        let sequences = sequences
        search.found.sort { sequences[$0] < sequences[$1] }
        var kept = 1
        for index in 1..<search.found.count where search.found[index] != search.found[kept - 1] {
            search.found[kept] = search.found[index]
            kept += 1
        }
        search.found.removeSubrange(kept...)
    }
}
