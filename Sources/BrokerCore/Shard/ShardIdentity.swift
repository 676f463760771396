/// One shard: an event loop with the connections, sessions and subscriptions that live on it.
package struct ShardID: Hashable, Sendable, Comparable {
    /// 0 to 63.
    package let index: Int

    package init(_ index: Int) {
        precondition(index >= 0 && index < ShardSet.capacity, "a broker has at most 64 shards")
        self.index = index
    }

    package static func < (lhs: ShardID, rhs: ShardID) -> Bool { lhs.index < rhs.index }
}

/// A set of shards in one word.
package struct ShardSet: Hashable, Sendable {
    package static let capacity = 64
    private var bits: UInt64 = 0

    package init() {}

    package init(_ shard: ShardID) { insert(shard) }

    /// The cells that a shard has, of as many as there can be, when there are `count` shards.
    package init(cellsOf shard: ShardID, among count: Int) {
        for cell in stride(from: shard.index, to: Self.capacity, by: max(count, 1)) { insert(ShardID(cell)) }
    }

    /// As ``rawValue`` gave it.
    package init(rawValue: UInt64) { bits = rawValue }

    /// A bit for each shard, the first one for shard 0.
    package var rawValue: UInt64 { bits }

    package var isEmpty: Bool { bits == 0 }
    package func contains(_ shard: ShardID) -> Bool { bits & (1 << UInt64(shard.index)) != 0 }
    package mutating func insert(_ shard: ShardID) { bits |= 1 << UInt64(shard.index) }
    package mutating func remove(_ shard: ShardID) { bits &= ~(1 << UInt64(shard.index)) }
    package mutating func formUnion(_ other: ShardSet) { bits |= other.bits }
    package func isSubset(of other: ShardSet) -> Bool { bits & ~other.bits == 0 }
    package mutating func subtract(_ other: ShardSet) { bits &= ~other.bits }

    /// Takes the lowest shard out.
    package mutating func popFirst() -> ShardID? {
        if bits == 0 { return nil }
        let index = bits.trailingZeroBitCount
        bits &= bits &- 1
        return ShardID(index)
    }
}
