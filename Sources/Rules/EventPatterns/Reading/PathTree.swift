/// The paths that patterns name, as a tree of segments; reading an event walks it and skips what no pattern names.
///
/// Keys are cut at dots, in patterns and events alike, so `{"a.b":…}` and `{"a":{"b":…}}` are the same path. Nodes, names and the
/// table over them are flat: they change only with the first and the last pattern that names a path.
struct PathTree: Sendable {
    struct Node: Sendable {
        let parent: Int32
        /// The segment's bytes in `text`.
        let start: Int32
        let end: Int32
        var childCount: Int32 = 0
        /// A bit for each child by ``trait(_:_:_:)``, and perhaps for some that are gone.
        var childTraits: UInt64 = 0
        /// Whether a pattern has conditions on this very path.
        var isField = false
    }

    private struct Link: Sendable {
        var hash: UInt64
        /// None where the link is free.
        var node: Int32
    }

    static let root: Int32 = 0
    static let none: Int32 = -1
    private static let dot = UInt8(ascii: ".")
    private static let garbageMin = 4_096

    private var nodes = [Node(parent: none, start: 0, end: 0)]
    private var links = [Link](repeating: Link(hash: 0, node: none), count: 8)
    private var text: [UInt8] = []
    private var garbage = 0
    private var free: [Int32] = []
    /// How many fields of patterns end in each node.
    private var uses = PagedArray<Int32>()

    init() { uses.append(0) }

    /// For tests: how many paths and parts of paths are held, the root included.
    var nodeCount: Int { nodes.count - free.count }

    /// Identifiers of paths are less than this.
    var capacity: Int { nodes.count }

    @inline(__always)
    func isField(_ node: Int32) -> Bool { nodes[Int(node)].isField }

    @inline(__always)
    func hasChildren(_ node: Int32) -> Bool { nodes[Int(node)].childCount > 0 }

    /// The node below `node` whose segment is `bytes[start..<end]`, or ``none``.
    @inline(__always)
    func child(of node: Int32, _ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int32 {
        // Most keys of an event are not named by any pattern, and most of them are told by their length and first byte.
        guard nodes[Int(node)].childTraits >> Self.trait(bytes, start, end) & 1 == 1 else { return Self.none }
        let hash = Self.hash(node, bytes, from: start, to: end)
        let mask = links.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while links[index].node != Self.none {
            if links[index].hash == hash, isLink(links[index].node, from: node, bytes, start, end) { return links[index].node }
            index = (index + 1) & mask
        }
        return Self.none
    }

    /// The bit that stands for a segment.
    @inline(__always)
    private static func trait(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt64 {
        UInt64(truncatingIfNeeded: end - start + (end > start ? Int(bytes[start]) &* 7 : 0)) & 63
    }

    private func isLink(_ child: Int32, from parent: Int32, _ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let node = nodes[Int(child)]
        guard node.parent == parent, Int(node.end - node.start) == end - start else { return false }
        for offset in 0..<(end - start) where text[Int(node.start) + offset] != bytes[start + offset] { return false }
        return true
    }

    @inline(__always)
    private static func hash(_ parent: Int32, _ bytes: Span<UInt8>, from start: Int, to end: Int) -> UInt64 {
        ByteHash.hash(bytes, from: start, to: end, seed: UInt64(truncatingIfNeeded: parent) &* 0xA076_1D64_78BD_642F)
    }

    /// The node reached from `node` by an event's key, or ``none`` if no pattern names anything there.
    func descend(from node: Int32, key: ArraySlice<UInt8>) -> Int32 { descend(from: node, key.span, from: 0, to: key.count) }

    /// The same of a key that is `bytes[first..<end]`.
    func descend(from node: Int32, _ bytes: Span<UInt8>, from first: Int, to end: Int) -> Int32 {
        var current = node
        var start = first
        for position in first...end where position == end || bytes[position] == Self.dot {
            current = child(of: current, bytes, from: start, to: position)
            if current == Self.none { return Self.none }
            start = position + 1
        }
        return current
    }

    static func segments(of key: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        key.split(separator: dot, omittingEmptySubsequences: false)
    }

    // MARK: Changes

    /// Adds one use of a path and returns its identifier, which stays valid until the use is released.
    mutating func retain(_ segments: [ArraySlice<UInt8>]) -> Int32 {
        var node = Self.root
        for segment in segments {
            let known = child(of: node, segment.span, from: 0, to: segment.count)
            node = known != Self.none ? known : add(segment, below: node)
        }
        uses[node] += 1
        if uses[node] == 1 { nodes[Int(node)].isField = true }
        return node
    }

    private mutating func add(_ segment: ArraySlice<UInt8>, below parent: Int32) -> Int32 {
        let start = Int32(truncatingIfNeeded: text.count)
        text += segment
        let node = Node(parent: parent, start: start, end: Int32(truncatingIfNeeded: text.count))
        let index: Int32
        if let reused = free.popLast() {
            nodes[Int(reused)] = node
            index = reused
        } else {
            nodes.append(node)
            uses.append(0)
            index = Int32(truncatingIfNeeded: nodes.count - 1)
        }
        nodes[Int(parent)].childCount += 1
        nodes[Int(parent)].childTraits |= 1 << Self.trait(segment.span, 0, segment.count)
        if nodeCount * 2 > links.count { relink(capacity: links.count * 2) } else { link(index) }
        return index
    }

    /// Takes back one use of a path; nodes that nothing uses any more are freed.
    mutating func release(_ path: Int32) {
        uses[path] -= 1
        guard uses[path] == 0 else { return }
        nodes[Int(path)].isField = false
        var node = path
        var isChanged = false
        while node != Self.root, !isField(node), !hasChildren(node) {
            let parent = nodes[Int(node)].parent
            garbage += Int(nodes[Int(node)].end - nodes[Int(node)].start)
            unlink(node)
            nodes[Int(parent)].childCount -= 1
            if nodes[Int(parent)].childCount == 0 { nodes[Int(parent)].childTraits = 0 }
            free.append(node)
            node = parent
            isChanged = true
        }
        if isChanged, garbage > Self.garbageMin, garbage > text.count / 2 { collectGarbage() }
    }

    private func hash(of node: Int32) -> UInt64 {
        let node = nodes[Int(node)]
        return Self.hash(node.parent, text.span, from: Int(node.start), to: Int(node.end))
    }

    private mutating func link(_ node: Int32) {
        let hash = hash(of: node)
        let mask = links.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while links[index].node != Self.none { index = (index + 1) & mask }
        links[index] = Link(hash: hash, node: node)
    }

    private mutating func relink(capacity: Int) {
        links = [Link](repeating: Link(hash: 0, node: Self.none), count: capacity)
        let vacant = Set(free)
        for index in 1..<nodes.count where !vacant.contains(Int32(truncatingIfNeeded: index)) { link(Int32(truncatingIfNeeded: index)) }
    }

    private mutating func unlink(_ node: Int32) {
        let mask = links.count - 1
        var hole = Int(truncatingIfNeeded: hash(of: node)) & mask
        while links[hole].node != node { hole = (hole + 1) & mask }
        var index = (hole + 1) & mask
        while links[index].node != Self.none {
            let home = Int(truncatingIfNeeded: links[index].hash) & mask
            if (index - home) & mask >= (index - hole) & mask {
                links[hole] = links[index]
                hole = index
            }
            index = (index + 1) & mask
        }
        links[hole].node = Self.none
    }

    private mutating func collectGarbage() {
        var kept: [UInt8] = []
        let vacant = Set(free)
        for index in nodes.indices.dropFirst() where !vacant.contains(Int32(truncatingIfNeeded: index)) {
            let node = nodes[index]
            let start = Int32(truncatingIfNeeded: kept.count)
            kept += text[Int(node.start)..<Int(node.end)]
            nodes[index] = Node(
                parent: node.parent, start: start, end: Int32(truncatingIfNeeded: kept.count), childCount: node.childCount,
                childTraits: node.childTraits, isField: node.isField)
        }
        text = kept
        garbage = 0
    }
}
