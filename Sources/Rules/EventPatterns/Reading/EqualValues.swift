/// Finds the values of an event at a path that have a hash, where they are too many to go through for every rule.
struct EqualValues: Sendable {
    private struct Slot: Sendable {
        var key: UInt64 = 0
        /// The last value with the key; -1 where the slot is free.
        var last: Int32 = -1
    }

    /// Spreads the keys over the slots in a way that whoever writes events cannot know.
    private static let secret = UInt64.random(in: .min ... .max) | 1

    private var slots: [Slot] = []
    /// Of each value the one before with the same key.
    private var previous: [Int32] = []

    var isEmpty: Bool { slots.isEmpty }

    mutating func removeAll() {
        slots.removeAll()
        previous.removeAll()
    }

    init() {}

    init(_ fields: EventFields) {
        var capacity = 64
        while capacity < fields.values.count * 2 { capacity *= 2 }
        slots = [Slot](repeating: Slot(), count: capacity)
        previous.reserveCapacity(fields.values.count)
        for (number, value) in fields.values.enumerated() {
            let key = Self.key(value.path, fields.hash(value))
            let index = place(of: key)
            previous.append(slots[index].last)
            slots[index] = Slot(key: key, last: Int32(truncatingIfNeeded: number))
        }
    }

    private static func key(_ path: Int32, _ hash: UInt64) -> UInt64 {
        ByteHash.mix(hash, UInt64(truncatingIfNeeded: path))
    }

    private func place(of key: UInt64) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: (key &* Self.secret) >> 32) & mask
        while slots[index].last >= 0, slots[index].key != key { index = (index + 1) & mask }
        return index
    }

    /// The last value at a path with a hash, from where ``before(_:)`` leads to the others, or -1.
    ///
    /// The hash may be that of other values, too.
    func last(at path: Int32, hash: UInt64) -> Int32 { slots[place(of: Self.key(path, hash))].last }

    func before(_ value: Int32) -> Int32 { previous[Int(value)] }
}
