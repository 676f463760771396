/// The scalars of an event at the paths that patterns name, with the array elements they lie in.
///
/// Arrays vanish from paths. What remains of them is the scope: each object or array inside an array opens one. Scopes are
/// numbered so that an outer scope comes before the scopes inside it. Scalars directly in an array belong to the scope
/// around the array: an array of scalars is one field with several values.
struct EventFields: Sendable {
    enum Kind: UInt8, Sendable {
        case string, number, spelling, `true`, `false`, null

        /// Keeps values of different kinds apart in tables.
        var seed: UInt64 { (UInt64(rawValue) + 1) &* 0xE703_7ED1_A0B4_28DB }
    }

    struct Value: Sendable {
        let path: Int32
        let scope: Int32
        let kind: Kind
        /// Strings, decoded, and the spelling of numbers that cannot be compared: where they lie in the text.
        let start: Int32
        let end: Int32
        /// Numbers that can be compared, in the order of ``NumberKey/ordered(_:)``.
        let bits: UInt64
        /// The value before at the same path.
        var previous: Int32

        var length: Int { Int(end - start) }
    }

    private struct Head: Sendable {
        var path: Int32
        var last: Int32

        static let free = Head(path: -1, last: -1)
    }

    /// More than so many values or bytes are given back after the event.
    private static let keptMax = 1 << 16

    /// So many values are gone through for each rule rather than made findable.
    private static let listedMax = 32

    /// The scope of everything outside arrays.
    static let outermostScope: Int32 = 0

    private(set) var values: [Value] = []
    /// For each scope the array it is an element of; -1 for the outermost.
    private(set) var arrayOfScope: [Int32] = [-1]
    /// For each array the scope it lies in.
    private(set) var scopeOfArray: [Int32] = []
    /// The paths that have values, in the order of the first value of each.
    private(set) var touched: [Int32] = []
    var text: [UInt8] = []
    /// Filled where there are many values and many rules to hold against them.
    private var equals = EqualValues()
    private var heads = [Head](repeating: .free, count: 16)

    /// Forgets the event and keeps the storage.
    mutating func reset() {
        if heads.count > 16, touched.count * 8 < heads.count {
            heads = [Head](repeating: .free, count: 16)
        } else {
            for index in heads.indices { heads[index] = .free }
        }
        if values.count > Self.keptMax || text.count > Self.keptMax { self = EventFields() }
        values.removeAll(keepingCapacity: true)
        if !scopeOfArray.isEmpty { scopeOfArray.removeAll(keepingCapacity: true) }
        touched.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        if !equals.isEmpty { equals.removeAll() }
        if arrayOfScope.count > 1 { arrayOfScope.removeSubrange(1...) }
    }

    mutating func openArray(in scope: Int32) -> Int32 {
        scopeOfArray.append(scope)
        return Int32(truncatingIfNeeded: scopeOfArray.count - 1)
    }

    mutating func openScope(in array: Int32) -> Int32 {
        arrayOfScope.append(array)
        return Int32(truncatingIfNeeded: arrayOfScope.count - 1)
    }

    // MARK: Values

    /// Takes what was appended to ``text`` from `start` on as the value's text.
    mutating func record(_ kind: Kind, at path: Int32, in scope: Int32, from start: Int, bits: UInt64 = 0) {
        if touched.count * 2 >= heads.count { growHeads() }
        let head = place(of: path)
        if heads[head].path == -1 {
            heads[head] = Head(path: path, last: -1)
            touched.append(path)
        }
        values.append(
            Value(
                path: path, scope: scope, kind: kind, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: text.count),
                bits: bits, previous: heads[head].last))
        heads[head].last = Int32(truncatingIfNeeded: values.count - 1)
    }

    /// Forgets the value that was recorded last, if it is at the path.
    mutating func takeBack(at path: Int32) -> Bool {
        guard let value = values.last, value.path == path else { return false }
        heads[place(of: path)].last = value.previous
        values.removeLast()
        return true
    }

    /// The last value at a path, from where ``Value/previous`` leads to the others, or -1.
    @inline(__always)
    func last(at path: Int32) -> Int32 { heads[place(of: path)].last }

    @inline(__always)
    private func place(of path: Int32) -> Int {
        let mask = heads.count - 1
        var index = Int(truncatingIfNeeded: UInt32(bitPattern: path) &* 0x9E37_79B1 >> 7) & mask
        while heads[index].path != path, heads[index].path != -1 { index = (index + 1) & mask }
        return index
    }

    private mutating func growHeads() {
        let old = heads
        heads = [Head](repeating: .free, count: old.count * 2)
        for head in old where head.path != -1 { heads[place(of: head.path)] = head }
    }

    /// Makes values with a hash findable.
    mutating func indexValues() {
        if values.count > Self.listedMax { equals = EqualValues(self) }
    }

    /// Calls `body` with the values at a path that may meet the conditions, the last one first, until it says that it has seen enough.
    ///
    /// Returns how many values that were.
    @inline(__always)
    func forEach(at path: Int32, for conditions: FieldConditions, _ body: (Value) -> Bool) -> Int {
        var count = 0
        guard !equals.isEmpty, let hashes = conditions.hashes else {
            var next = last(at: path)
            while next >= 0 {
                let value = values[Int(next)]
                count += 1
                if !body(value) { break }
                next = value.previous
            }
            return count
        }
        for hash in hashes {
            var next = equals.last(at: path, hash: hash)
            while next >= 0 {
                count += 1
                if values[Int(next)].path == path, !body(values[Int(next)]) { return count }
                next = equals.before(next)
            }
        }
        return count
    }

    func text(_ value: Value) -> ArraySlice<UInt8> { text[Int(value.start)..<Int(value.end)] }

    /// Where a value stands in tables of exact values.
    func hash(_ value: Value) -> UInt64 {
        switch value.kind {
        case .string, .spelling: ByteHash.hash(text.span, from: Int(value.start), to: Int(value.end), seed: value.kind.seed)
        case .number: ByteHash.mix(value.bits, value.kind.seed)
        case .true, .false, .null: value.kind.seed
        }
    }
}
