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
    private var visited: Set<UInt64> = []
    private var points: [UInt64] = []

    /// With so few values no place is worth remembering.
    private static let unvisitedMax = 8

    package init() {}

    /// Finds the conjunctions that the event's values come by; each once.
    mutating func findCandidates(in cabinet: FilingCabinet) {
        candidates.removeAll(keepingCapacity: true)
        if !visited.isEmpty { visited.removeAll(keepingCapacity: true) }
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

    private mutating func look(at path: Int32, _ kinds: UInt32, in cabinet: FilingCabinet) {
        if kinds & PathProfile.bit(.present) != 0 { visit(Place(.present, at: path).key, in: cabinet) }
        if !points.isEmpty { points.removeAll(keepingCapacity: true) }
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
                if kinds & PathProfile.bit(.interval) != 0 { points.append(value.bits) }
            }
        }
        guard !points.isEmpty else { return }
        points.sort()
        let points = points
        cabinet.intervals(at: path).forEach(holding: points) { cabinet.collect(from: $0, into: &candidates) }
    }

    private mutating func look(into text: ArraySlice<UInt8>, at path: Int32, _ kinds: UInt32, in cabinet: FilingCabinet) {
        let lengths = cabinet.lengths(at: path)
        if kinds & PathProfile.bit(.prefix) != 0 { walk(text, .prefix, lengths, at: path, in: cabinet) }
        if kinds & PathProfile.bit(.suffix) != 0 { walk(text.reversed(), .suffix, lengths, at: path, in: cabinet) }
        if kinds & PathProfile.bit(.infix) != 0 {
            for (length, _) in lengths.of(.infix) { slide(over: text, length: Int(length), at: path, in: cabinet) }
        }
        if kinds & Self.caselessKinds != 0 {
            let folded = CaselessText.fold(text)
            if kinds & PathProfile.bit(.caseless) != 0 {
                visit(Place.key(.caseless, path, length: 0, ByteHash.hash(folded, seed: 0)), in: cabinet)
            }
            walk(folded, .caselessPrefix, lengths, at: path, in: cabinet)
            walk(folded.reversed(), .caselessSuffix, lengths, at: path, in: cabinet)
        }
        if kinds & Self.addressKinds != 0, let first = text.first, AddressKey.mayBegin(first) {
            look(upAddress: text, at: path, lengths, in: cabinet)
        }
    }

    private static let caselessKinds = PathProfile.bit(.caseless) | PathProfile.bit(.caselessPrefix) | PathProfile.bit(.caselessSuffix)
    private static let addressKinds = PathProfile.bit(.address) | PathProfile.bit(.network4) | PathProfile.bit(.network6)

    private mutating func look(upAddress text: ArraySlice<UInt8>, at path: Int32, _ lengths: PieceLengths, in cabinet: FilingCabinet) {
        guard let address = AddressKey.bytes(text) else { return }
        visit(Place(.address, at: path, bytes: address).key, in: cabinet)
        for (bits, _) in lengths.of(address.count == 4 ? .network4 : .network6) {
            visit(Place.network(AddressRange.masked(address, bits: Int(bits)), bits: Int(bits), at: path).key, in: cabinet)
        }
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
        for start in text.startIndex...(text.endIndex - length) {
            var hash: UInt64 = 0
            for index in start..<start + length { hash = ByteHash.step(hash, text[index]) }
            visit(Place.key(.infix, path, length: length, hash), in: cabinet)
        }
    }
}
