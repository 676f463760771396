/// What matching one event after the other needs of storage, kept from one to the next.
///
/// One for each thread that matches.
package struct EventSearch: Sendable {
    var reader = EventReader()
    var fields = EventFields()
    /// Conjunctions that some value came by.
    private(set) var candidates: [Int32] = []
    /// The numbers of the rules that want the event.
    var found: [Int32] = []
    /// Places that a value has come by already, so that many equal values find their rules once.
    private var visited = VisitedPlaces()
    private var points: [UInt64] = []
    /// Those of the values at a path, as numbers.
    private var addresses: [UInt128] = []
    private var alternatives = AlternativeFields()
    /// What matching the last event took: values, places, rules and array elements that were looked at.
    ///
    /// For tests: that it grows with the event and not faster.
    package var steps = 0

    /// With so few values no place is worth remembering.
    private static let unvisitedMax = 8

    package init() {}

    /// Finds the conjunctions that the event's values come by; each once.
    mutating func findCandidates(in cabinet: FilingCabinet) {
        candidates.removeAll(keepingCapacity: true)
        visited.removeAll()
        steps = fields.values.count
        for path in fields.touched {
            let kinds = cabinet.kinds(at: path)
            if kinds != 0 { look(at: path, kinds, in: cabinet) }
        }
        for index in 0..<cabinet.absentPaths.count {
            let path = cabinet.absentPaths[index]
            if mayBeMissing(path) { visit(Place(.absent, at: path).key, in: cabinet) }
        }
        if candidates.count > 1 { sortOut() }
    }

    /// Leaves in ``found`` the rules of the candidates that the event meets.
    mutating func tryCandidates(of file: PatternFile) {
        found.removeAll(keepingCapacity: true)
        // Only then: what is handed over holds on to the whole file.
        if candidates.count > 1, fields.areMany { steps += fields.indexValues(byHash: file.isHashed, inOrderAt: file.isRanged) }
        if file.hasAlternatives { file.sortByRule(&candidates) }
        if file.hasAlternatives { alternatives.forgetEvent() }
        var current: Int32 = -1
        for candidate in candidates {
            let (rule, conjunction, isAlone) = file.entry(candidate)
            steps += 1
            if isAlone {
                if conjunction.matches(fields, steps: &steps) { found.append(rule) }
                continue
            }
            if rule != current {
                current = rule
                alternatives.reset()
            }
            if found.last != rule, alternatives.meet(conjunction, in: fields, steps: &steps) { found.append(rule) }
        }
    }

    private mutating func sortOut() {
        candidates.sort()
        var kept = 1
        for index in 1..<candidates.count where candidates[index] != candidates[kept - 1] {
            candidates[kept] = candidates[index]
            kept += 1
        }
        candidates.removeSubrange(kept...)
    }

    /// Whether the event has no value at the path outside arrays.
    private func mayBeMissing(_ path: Int32) -> Bool {
        var next = fields.last(at: path)
        while next >= 0 {
            let value = fields.values[Int(next)]
            if value.scope == EventFields.outermostScope { return false }
            next = value.previous
        }
        return true
    }

    @inline(__always)
    private mutating func visit(_ key: UInt64, isRepeated: Bool = false, in cabinet: FilingCabinet) {
        steps += 1
        let head = cabinet.find(key)
        guard head >= 0 else { return }
        if isRepeated || fields.values.count > Self.unvisitedMax, !visited.insert(key) { return }
        cabinet.collect(from: head, into: &candidates)
    }

    private mutating func look(at path: Int32, _ kinds: UInt32, in cabinet: FilingCabinet) {
        if kinds & PathProfile.bit(.present) != 0 { visit(Place(.present, at: path).key, in: cabinet) }
        let usesTexts = kinds & PathProfile.textKinds != 0
        var next = fields.last(at: path)
        while next >= 0 {
            let value = fields.values[Int(next)]
            next = value.previous
            if kinds & PathProfile.bit(.exact) != 0 { visit(Place.key(.exact, path, length: 0, fields.hash(value)), in: cabinet) }
            if value.kind == .string {
                if usesTexts { look(into: fields.text(value), at: path, kinds, in: cabinet) }
            } else if value.kind == .number {
                if kinds & PathProfile.bit(.block) != 0 {
                    for (bits, _) in cabinet.lengths(at: path).of(.block) {
                        visit(Place.key(.block, path, length: Int(bits), value.bits >> UInt64(bits)), in: cabinet)
                    }
                }
            }
        }
        if kinds & Self.addressKinds != 0 { lookUpAddresses(at: path, kinds, in: cabinet) }
        guard kinds & PathProfile.bit(.interval) != 0 else { return }
        points.removeAll(keepingCapacity: true)
        fields.collectNumbers(at: path, into: &points)
        let points = points
        steps += cabinet.intervals(at: path).forEach(holding: points) { cabinet.collect(from: $0, into: &candidates) }
    }

    private mutating func look(into text: ArraySlice<UInt8>, at path: Int32, _ kinds: UInt32, in cabinet: FilingCabinet) {
        let lengths = cabinet.lengths(at: path)
        if kinds & PathProfile.bit(.prefix) != 0 { walk(text, .prefix, lengths, at: path, in: cabinet) }
        if kinds & PathProfile.bit(.suffix) != 0 { walk(text.reversed(), .suffix, lengths, at: path, in: cabinet) }
        if kinds & PathProfile.bit(.infix) != 0 {
            for (length, _) in lengths.of(.infix) { slide(over: text, length: Int(length), at: path, in: cabinet) }
        }
        if kinds & Self.caselessKinds != 0 {
            let folded = FoldedText(text)
            if kinds & PathProfile.bit(.caseless) != 0, folded.isWhole {
                visit(Place.key(.caseless, path, length: 0, ByteHash.hash(folded.beginning, seed: 0)), in: cabinet)
            }
            walk(folded.beginning, .caselessPrefix, lengths, at: path, in: cabinet)
            walk(folded.ending.reversed(), .caselessSuffix, lengths, at: path, in: cabinet)
        }
    }

    private static let caselessKinds = PathProfile.bit(.caseless) | PathProfile.bit(.caselessPrefix) | PathProfile.bit(.caselessSuffix)
    private static let addressKinds = PathProfile.bit(.address) | PathProfile.bit(.network)

    /// Looks up the addresses of a path, and all blocks around them in one walk.
    private mutating func lookUpAddresses(at path: Int32, _ kinds: UInt32, in cabinet: FilingCabinet) {
        addresses.removeAll(keepingCapacity: true)
        fields.collectAddresses(at: path, into: &addresses)
        if kinds & PathProfile.bit(.address) != 0 {
            for position in addresses.indices where position == 0 || addresses[position] != addresses[position - 1] {
                visit(Place.key(.address, path, length: 0, IPAddress.hash(of: addresses[position])), in: cabinet)
            }
        }
        guard kinds & PathProfile.bit(.network) != 0 else { return }
        let addresses = addresses
        steps += cabinet.networks(at: path).forEach(holding: addresses) { cabinet.collect(from: $0, into: &candidates) }
    }

    /// Looks up the beginnings of a text that have one of `lengths`, in one pass.
    @inline(__always)
    private mutating func walk(
        _ text: some Collection<UInt8>, _ kind: PlaceKind, _ lengths: PieceLengths, at path: Int32, in cabinet: FilingCabinet
    ) {
        var hash: UInt64 = 0
        var done = 0
        var position = text.startIndex
        for (length, _) in lengths.of(kind) {
            guard length <= text.count else { return }
            while done < length {
                hash = ByteHash.step(hash, text[position])
                position = text.index(after: position)
                done += 1
            }
            visit(Place.key(kind, path, length: done, hash), in: cabinet)
        }
    }

    private mutating func slide(over text: ArraySlice<UInt8>, length: Int, at path: Int32, in cabinet: FilingCabinet) {
        guard text.count >= length else { return }
        let bytes = text.span
        for start in 0...(bytes.count - length) {
            // One text may hold a piece in many places.
            visit(Place.key(.infix, path, length: length, ByteHash.piece(bytes, at: start, length: length)), isRepeated: true, in: cabinet)
        }
    }
}
