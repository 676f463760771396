/// An array in pages, so that a changed copy shares all pages but the one that differs.
///
/// A copy of the rules of a bus goes on serving events while the next one is made: what an insertion copies is a page, not the array.
struct PagedArray<Element: Sendable>: Sendable {
    private static var shift: Int { 7 }
    private static var mask: Int { 1 << shift - 1 }

    private var pages: [[Element]] = []
    private(set) var count = 0

    subscript(index: Int) -> Element {
        get { pages[index >> Self.shift][index & Self.mask] }
        _modify { yield &pages[index >> Self.shift][index & Self.mask] }
    }

    subscript(index: Int32) -> Element {
        get { self[Int(index)] }
        _modify { yield &self[Int(index)] }
    }

    mutating func append(_ element: Element) {
        if count & Self.mask == 0 { pages.append([]) }
        pages[pages.count - 1].append(element)
        count += 1
    }

    mutating func removeLast() {
        pages[pages.count - 1].removeLast()
        count -= 1
        if count & Self.mask == 0 { pages.removeLast() }
    }
}

/// Elements that keep their number while others come and go.
struct PagedStore<Element: Sendable>: Sendable {
    private var elements = PagedArray<Element>()
    private var free: [Int32] = []

    var count: Int { elements.count - free.count }

    subscript(index: Int32) -> Element {
        get { elements[index] }
        _modify { yield &elements[index] }
    }

    mutating func insert(_ element: Element) -> Int32 {
        if let index = free.popLast() {
            elements[index] = element
            return index
        }
        elements.append(element)
        return Int32(truncatingIfNeeded: elements.count - 1)
    }

    /// Frees a number; `vacant` takes the element's place, so that it keeps nothing alive.
    mutating func remove(_ index: Int32, leaving vacant: Element) {
        elements[index] = vacant
        free.append(index)
    }
}

/// A dictionary in shards, so that a changed copy shares all shards but the one that differs.
struct ShardedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var shardCount: Int { 512 }
    private var shards: [[Key: Value]] = Array(repeating: [:], count: shardCount)
    private(set) var count = 0

    private func shard(of key: Key) -> Int { key.hashValue & (Self.shardCount - 1) }

    subscript(key: Key) -> Value? { shards[shard(of: key)][key] }

    mutating func insert(_ value: Value, for key: Key) {
        if shards[shard(of: key)].updateValue(value, forKey: key) == nil { count += 1 }
    }

    mutating func remove(_ key: Key) -> Value? {
        let removed = shards[shard(of: key)].removeValue(forKey: key)
        if removed != nil { count -= 1 }
        return removed
    }
}
