/// What matching one event after the other needs of storage, kept from one to the next.
///
/// One for each thread that matches.
package struct EventSearch: Sendable {
    var reader = EventReader()
    var fields = EventFields()
    /// Conjunctions that some value came by.
    private(set) var candidates: [Int32] = []
    /// Places that a value has come by already, so that many equal values find their rules once.
    private var visited: Set<UInt64> = []
    private var points: [UInt64] = []

    /// With so few values no place is worth remembering.
    private static let unvisitedMax = 8

    package init() {}

    /// Finds the conjunctions that the event's values come by; each once.
    mutating func findCandidates(in cabinet: FilingCabinet) {
        candidates.removeAll(keepingCapacity: true)
        visited.removeAll(keepingCapacity: true)
        for path in fields.touched {
            guard let profile = cabinet.profile(of: path) else { continue }
            look(at: path, profile, in: cabinet)
        }
        for index in 0..<cabinet.absentPaths.count {
            let path = cabinet.absentPaths[index]
            if mayBeMissing(path) { visit(Place(.absent, at: path).key, in: cabinet) }
        }
        if candidates.count > 1 { sortOut() }
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
    private mutating func visit(_ key: UInt64, in cabinet: FilingCabinet) {
        let head = cabinet.find(key)
        guard head >= 0 else { return }
        if fields.values.count > Self.unvisitedMax, !visited.insert(key).inserted { return }
        cabinet.collect(from: head, into: &candidates)
    }

    private mutating func look(at path: Int32, _ profile: PathProfile, in cabinet: FilingCabinet) {
        if profile.uses(.present) { visit(Place(.present, at: path).key, in: cabinet) }
        points.removeAll(keepingCapacity: true)
        let usesTexts = profile.kinds & PathProfile.textKinds != 0
        var next = fields.last(at: path)
        while next >= 0 {
            let value = fields.values[Int(next)]
            next = value.previous
            if profile.uses(.exact) { visit(Place.key(.exact, path, length: 0, fields.hash(value)), in: cabinet) }
            if value.kind == .string {
                if usesTexts { look(into: fields.text(value), at: path, profile, in: cabinet) }
            } else if value.kind == .number, profile.uses(.interval) {
                points.append(value.bits)
            }
        }
        guard !points.isEmpty else { return }
        points.sort()
        let points = points
        profile.intervals.forEach(holding: points) { cabinet.collect(from: $0, into: &candidates) }
    }

    private mutating func look(into text: ArraySlice<UInt8>, at path: Int32, _ profile: PathProfile, in cabinet: FilingCabinet) {
        if profile.uses(.prefix) { walk(text, .prefix, profile.prefixes.sorted, at: path, in: cabinet) }
        if profile.uses(.suffix) { walk(text.reversed(), .suffix, profile.suffixes.sorted, at: path, in: cabinet) }
        if profile.uses(.infix) {
            for length in profile.infixes.sorted { slide(over: text, length: Int(length), at: path, in: cabinet) }
        }
        if profile.uses(.caseless) || profile.uses(.caselessPrefix) || profile.uses(.caselessSuffix) {
            let folded = CaselessText.fold(text)
            if profile.uses(.caseless) {
                visit(Place.key(.caseless, path, length: 0, ByteHash.hash(folded, seed: 0)), in: cabinet)
            }
            walk(folded, .caselessPrefix, profile.caselessPrefixes.sorted, at: path, in: cabinet)
            walk(folded.reversed(), .caselessSuffix, profile.caselessSuffixes.sorted, at: path, in: cabinet)
        }
        guard profile.uses(.address) || profile.uses(.network4) || profile.uses(.network6) else { return }
        guard let first = text.first, AddressKey.mayBegin(first), let address = AddressKey.bytes(text) else { return }
        visit(Place(.address, at: path, bytes: address).key, in: cabinet)
        for bits in (address.count == 4 ? profile.networks4 : profile.networks6).sorted {
            visit(Place.network(AddressRange.masked(address, bits: Int(bits)), bits: Int(bits), at: path).key, in: cabinet)
        }
    }

    /// Looks up the beginnings of a text that have one of `lengths`, in one pass.
    @inline(__always)
    private mutating func walk(
        _ text: some Collection<UInt8>, _ kind: PlaceKind, _ lengths: [Int32], at path: Int32, in cabinet: FilingCabinet
    ) {
        var hash: UInt64 = 0
        var done = 0
        var position = text.startIndex
        for length in lengths {
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
        for start in text.startIndex...(text.endIndex - length) {
            var hash: UInt64 = 0
            for index in start..<start + length { hash = ByteHash.step(hash, text[index]) }
            visit(Place.key(.infix, path, length: length, hash), in: cabinet)
        }
    }
}
