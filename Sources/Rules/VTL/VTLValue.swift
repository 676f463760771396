/// A value of a template.
///
/// Lists and maps that the template makes lie in ``VTLHeap``, so that they can be changed and hold each other.
indirect enum VTLValue: Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    /// A number with a fraction or an exponent, and its spelling where it came from JSON.
    case decimal(Double, spelling: ArraySlice<UInt8>?)
    case text(ArraySlice<UInt8>)
    /// An object or an array.
    case json(JSONView)
    case list(Int)
    case map(Int)
    /// One element of `entrySet()`.
    case entry(ArraySlice<UInt8>, VTLValue)

    init(_ view: JSONView) {
        switch view.kind {
        case .null: self = .null
        case .true: self = .boolean(true)
        case .false: self = .boolean(false)
        case .string: self = .text(view.stringBytes ?? [])
        case .number: self = VTLValue(number: view.tape.spelling(view.index))
        case .object, .array: self = .json(view)
        }
    }

    /// A number as JSON spells it.
    init(number spelling: ArraySlice<UInt8>) {
        let text = String(decoding: spelling, as: UTF8.self)
        if let integer = Int(text) {
            self = .integer(integer)
        } else {
            self = .decimal(Double(text) ?? 0, spelling: spelling)
        }
    }

    init(text: String) { self = .text(ArraySlice(text.utf8)) }

    /// Velocity's truth: all but `false` and null.
    var isTrue: Bool {
        switch self {
        case .null, .boolean(false): false
        default: true
        }
    }

    var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The array, or the object, that came from JSON.
    func json(_ kind: JSONKind) -> JSONView? {
        guard case .json(let view) = self, view.kind == kind else { return nil }
        return view
    }
}

/// A map that keeps the order in which its keys came.
struct VTLMap: Sendable {
    private(set) var entries: [(key: ArraySlice<UInt8>, value: VTLValue)] = []
    private var places: [ByteKey: Int] = [:]

    subscript(key: ArraySlice<UInt8>) -> VTLValue? {
        places[ByteKey(key)].map { entries[$0].value }
    }

    /// Takes a value away, and answers it; the others keep their order.
    mutating func remove(_ key: ArraySlice<UInt8>) -> VTLValue? {
        guard let place = places.removeValue(forKey: ByteKey(key)) else { return nil }
        for later in entries[(place + 1)...] { places[ByteKey(later.key)]? -= 1 }
        return entries.remove(at: place).value
    }

    /// Puts a value; answers the one that it replaces.
    @discardableResult mutating func put(_ value: VTLValue, for key: ArraySlice<UInt8>) -> VTLValue? {
        if let place = places[ByteKey(key)] {
            defer { entries[place].value = value }
            return entries[place].value
        }
        places[ByteKey(key)] = entries.count
        entries.append((key, value))
        return nil
    }
}

/// The lists and maps that one rendering makes.
struct VTLHeap: Sendable {
    var lists: [[VTLValue]] = []
    /// Those that were arrays of JSON, which are written as JSON.
    var listsFromJSON: Set<Int> = []
    var maps: [VTLMap] = []

    mutating func list(_ elements: [VTLValue]) -> VTLValue {
        lists.append(elements)
        return .list(lists.count - 1)
    }

    mutating func map(_ entries: [(key: ArraySlice<UInt8>, value: VTLValue)]) -> VTLValue {
        var map = VTLMap()
        for (key, value) in entries { map.put(value, for: key) }
        maps.append(map)
        return .map(maps.count - 1)
    }
}
