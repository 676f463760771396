/// Values in the order in which they came, each found by its key; none of the others moves when one goes.
struct OrderedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Gaps where values were; closed when they are more than the values.
    private var places: [Value?] = []
    private var positions: [Key: Int] = [:]
    private let key: @Sendable (Value) -> Key

    init(_ values: [Value] = [], key: @escaping @Sendable (Value) -> Key) {
        self.key = key
        for value in values { put(value) }
    }

    var values: [Value] { places.compactMap(\.self) }

    var count: Int { positions.count }

    subscript(key: Key) -> Value? { positions[key].flatMap { places[$0] } }

    /// Takes the place of the value with the same key, or comes last.
    mutating func put(_ value: Value) {
        let key = key(value)
        if let position = positions[key] {
            places[position] = value
        } else {
            positions[key] = places.count
            places.append(value)
        }
    }

    mutating func remove(_ key: Key) {
        guard let position = positions.removeValue(forKey: key) else { return }
        places[position] = nil
        guard places.count > 2 * positions.count else { return }
        places = places.filter { $0 != nil }
        for (place, value) in values.enumerated() { positions[self.key(value)] = place }
    }
}
