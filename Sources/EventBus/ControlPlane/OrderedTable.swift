/// Values in the order in which they came, each found by its key.
struct OrderedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private(set) var values: [Value] = []
    private var positions: [Key: Int] = [:]
    private let key: @Sendable (Value) -> Key

    init(_ values: [Value] = [], key: @escaping @Sendable (Value) -> Key) {
        self.key = key
        for value in values { put(value) }
    }

    subscript(key: Key) -> Value? { positions[key].map { values[$0] } }

    /// Takes the place of the value with the same key, or comes last.
    mutating func put(_ value: Value) {
        let key = key(value)
        if let position = positions[key] {
            values[position] = value
        } else {
            positions[key] = values.count
            values.append(value)
        }
    }

    mutating func remove(_ key: Key) {
        guard let position = positions.removeValue(forKey: key) else { return }
        values.remove(at: position)
        for (place, value) in values[position...].enumerated() { positions[self.key(value)] = position + place }
    }
}
