/// The places that values of one event have come by, so that many equal values find their rules once.
struct VisitedPlaces: Sendable {
    private static let capacityMin = 64

    /// Keys of places, none where zero: a table with open addressing.
    ///
    /// Only places with rules are kept, so the keys are not of the event's making.
    private var keys = [UInt64](repeating: 0, count: capacityMin)
    private var count = 0

    mutating func removeAll() {
        guard count > 0 else { return }
        if keys.count > Self.capacityMin, count * 8 < keys.count {
            keys = [UInt64](repeating: 0, count: Self.capacityMin)
        } else {
            for index in keys.indices { keys[index] = 0 }
        }
        count = 0
    }

    /// Whether the place is seen for the first time.
    mutating func insert(_ key: UInt64) -> Bool {
        let key = key == 0 ? 1 : key
        var index = place(of: key)
        if keys[index] == key { return false }
        if count * 2 >= keys.count {
            let old = keys
            keys = [UInt64](repeating: 0, count: old.count * 2)
            for other in old where other != 0 { keys[place(of: other)] = other }
            index = place(of: key)
        }
        keys[index] = key
        count += 1
        return true
    }

    private func place(of key: UInt64) -> Int {
        let mask = keys.count - 1
        var index = Int(truncatingIfNeeded: key >> 20) & mask
        while keys[index] != key, keys[index] != 0 { index = (index + 1) & mask }
        return index
    }
}
