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
        var count: Int32 = 0
        /// By which numbers its values are known that are put in order; -1 while they are not.
        var numbers: Int32 = -1
        var addresses: Int32 = -1

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
    /// Whether values are looked for by keys: there are many, and several rules to hold against them.
    private var isIndexed = false
    private var equals = EqualValues()
    private var numbers = OrderedValues<UInt64>()
    private var addresses = OrderedValues<UInt128>()
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
        isIndexed = false
        if !equals.isEmpty { equals.removeAll() }
        if !numbers.isEmpty { numbers.removeAll() }
        if !addresses.isEmpty { addresses.removeAll() }
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
        heads[head].count += 1
    }

    /// Forgets the value that was recorded last, if it is at the path.
    mutating func takeBack(at path: Int32) -> Bool {
        guard let value = values.last, value.path == path else { return false }
        heads[place(of: path)].last = value.previous
        heads[place(of: path)].count -= 1
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

    /// Whether values are worth being made findable.
    var areMany: Bool { values.count > Self.listedMax }

    /// Makes values findable that rules look for by keys: by their hashes, and at some paths by ranges.
    ///
    /// Returns how many values were looked at.
    mutating func indexValues(byHash isHashed: (Int32) -> Bool, inOrderAt isOrdered: (Int32) -> Bool) -> Int {
        isIndexed = true
        if touched.contains(where: isHashed) { equals = EqualValues(self) }
        for path in touched where isOrdered(path) {
            orderNumbers(at: path)
            orderAddresses(at: path)
        }
        return values.count
    }

    /// Puts the numbers among the values at a path in order, once.
    private mutating func orderNumbers(at path: Int32) {
        let head = place(of: path)
        guard heads[head].numbers < 0 else { return }
        var next = heads[head].last
        while next >= 0 {
            if values[Int(next)].kind == .number { numbers.append(values[Int(next)].bits, value: next) }
            next = values[Int(next)].previous
        }
        heads[head].numbers = numbers.endPath()
    }

    /// The same with addresses, each IPv4 address where IPv6 has it.
    private mutating func orderAddresses(at path: Int32) {
        let head = place(of: path)
        guard heads[head].addresses < 0 else { return }
        var next = heads[head].last
        while next >= 0 {
            // Not by a method that looks at a value: it would copy all of this.
            let value = values[Int(next)]
            if value.kind == .string, value.length > 0, AddressKey.mayBegin(text[Int(value.start)]),
                let address = AddressKey.address(text[Int(value.start)..<Int(value.end)])
            {
                addresses.append(address.number, value: next)
            }
            next = value.previous
        }
        heads[head].addresses = addresses.endPath()
    }

    /// Appends the numbers at a path that has values, in ascending order.
    mutating func collectNumbers(at path: Int32, into list: inout [UInt64]) {
        orderNumbers(at: path)
        numbers.copy(heads[place(of: path)].numbers, into: &list)
    }

    /// Appends the addresses at a path that has values, in ascending order.
    mutating func collectAddresses(at path: Int32, into list: inout [UInt128]) {
        orderAddresses(at: path)
        addresses.copy(heads[place(of: path)].addresses, into: &list)
    }

    /// Calls `body` with the values at a path that may meet the conditions, until it says that it has seen enough.
    ///
    /// Returns how many looks that took.
    @inline(__always)
    func forEach(at path: Int32, for conditions: FieldConditions, _ body: (Value) -> Bool) -> Int {
        if isIndexed, let keys = conditions.keys {
            let head = heads[place(of: path)]
            if keys.count < head.count { return forEach(at: path, head, by: keys, body) }
        }
        var count = 0
        var next = last(at: path)
        while next >= 0 {
            let value = values[Int(next)]
            count += 1
            if !body(value) { break }
            next = value.previous
        }
        return count
    }

    private func forEach(at path: Int32, _ head: Head, by keys: ValueKeys, _ body: (Value) -> Bool) -> Int {
        var count = keys.count
        func look(_ position: Int32) -> Bool {
            count += 1
            return body(values[Int(position)])
        }
        for hash in keys.hashes {
            var next = equals.last(at: path, hash: hash)
            while next >= 0 {
                if values[Int(next)].path == path, !look(next) { return count }
                next = equals.before(next)
            }
        }
        for range in keys.numbers.ranges where !numbers.forEach(of: head.numbers, in: range, look) { return count }
        for range in keys.addresses.ranges where !addresses.forEach(of: head.addresses, in: range, look) { return count }
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
