/// Where the rules filed under a key begin, and how many they are.
struct PlaceTable: Sendable {
    struct Entry: Sendable {
        var key: UInt64
        /// The first posting of the place.
        var head: Int32
        /// How many postings the place has; none where the entry is free.
        var count: Int32

        static let free = Entry(key: 0, head: -1, count: 0)
    }

    private static let shardBits = 10
    /// Each shard is a table of its own with open addressing: a changed copy copies one of them, and none of them grows for long.
    private var shards: [[Entry]] = Array(repeating: [], count: 1 << shardBits)
    private var used: [Int32] = Array(repeating: 0, count: 1 << shardBits)
    private(set) var placeCount = 0

    func find(_ key: UInt64) -> Entry? {
        let shard = shards[Int(key >> (64 - UInt64(Self.shardBits)))]
        guard !shard.isEmpty else { return nil }
        let mask = shard.count - 1
        var index = Int(truncatingIfNeeded: key) & mask
        while shard[index].count != 0 {
            if shard[index].key == key { return shard[index] }
            index = (index + 1) & mask
        }
        return nil
    }

    func count(_ key: UInt64) -> Int { find(key).map { Int($0.count) } ?? 0 }

    /// Makes `head` the first posting of the place, or forgets the place where `count` is none.
    mutating func set(_ key: UInt64, head: Int32, count: Int32) {
        let number = Int(key >> (64 - UInt64(Self.shardBits)))
        guard count > 0 else { return remove(key, from: number) }
        if Int(used[number]) * 4 >= shards[number].count * 3 { grow(number) }
        if Self.place(Entry(key: key, head: head, count: count), in: &shards[number]) {
            used[number] += 1
            placeCount += 1
        }
    }

    private mutating func grow(_ number: Int) {
        var larger = [Entry](repeating: .free, count: max(4, shards[number].count * 2))
        for entry in shards[number] where entry.count != 0 { _ = Self.place(entry, in: &larger) }
        shards[number] = larger
    }

    /// Whether the key was not there yet.
    private static func place(_ entry: Entry, in shard: inout [Entry]) -> Bool {
        let mask = shard.count - 1
        var index = Int(truncatingIfNeeded: entry.key) & mask
        while shard[index].count != 0, shard[index].key != entry.key { index = (index + 1) & mask }
        let isNew = shard[index].count == 0
        shard[index] = entry
        return isNew
    }

    private mutating func remove(_ key: UInt64, from number: Int) {
        let mask = shards[number].count - 1
        guard mask >= 0 else { return }
        var hole = Int(truncatingIfNeeded: key) & mask
        while shards[number][hole].key != key || shards[number][hole].count == 0 {
            guard shards[number][hole].count != 0 else { return }
            hole = (hole + 1) & mask
        }
        used[number] -= 1
        placeCount -= 1
        // What stands behind the hole and would no longer be found moves into it.
        var index = (hole + 1) & mask
        while shards[number][index].count != 0 {
            let home = Int(truncatingIfNeeded: shards[number][index].key) & mask
            if (index - home) & mask >= (index - hole) & mask {
                shards[number][hole] = shards[number][index]
                hole = index
            }
            index = (index + 1) & mask
        }
        shards[number][hole] = .free
        if used[number] == 0 { shards[number] = [] }
    }
}
