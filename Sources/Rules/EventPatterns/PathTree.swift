/// The paths that patterns name, as a tree of segments; reading an event walks it and skips what no pattern names.
///
/// Keys are cut at dots, in patterns and events alike, so `{"a.b":…}` and `{"a":{"b":…}}` are the same path.
struct PathTree: Sendable {
    private struct Node: Sendable {
        var children: [ByteKey: Int] = [:]
        let parent: Int
        let segment: ByteKey
        /// How many fields of patterns end here.
        var uses = 0
    }

    static let root = 0
    private static let dot = UInt8(ascii: ".")

    private var nodes = [Node(parent: -1, segment: ByteKey([]))]
    private var free: [Int] = []

    /// Adds one use of a path and returns its identifier, which stays valid until the use is released.
    mutating func retain(_ segments: [ArraySlice<UInt8>]) -> Int {
        var node = PathTree.root
        for segment in segments {
            if let child = nodes[node].children[ByteKey(segment)] {
                node = child
                continue
            }
            let key = ByteKey(copying: segment)
            let child = Node(parent: node, segment: key)
            let index: Int
            if let reused = free.popLast() {
                nodes[reused] = child
                index = reused
            } else {
                nodes.append(child)
                index = nodes.count - 1
            }
            nodes[node].children[key] = index
            node = index
        }
        nodes[node].uses += 1
        return node
    }

    /// Takes back one use of a path; nodes that nothing uses any more are freed.
    mutating func release(_ path: Int) {
        nodes[path].uses -= 1
        var node = path
        while node != PathTree.root, nodes[node].uses == 0, nodes[node].children.isEmpty {
            let parent = nodes[node].parent
            nodes[parent].children[nodes[node].segment] = nil
            free.append(node)
            node = parent
        }
    }

    func isField(_ node: Int) -> Bool { nodes[node].uses > 0 }

    func hasChildren(_ node: Int) -> Bool { !nodes[node].children.isEmpty }

    /// The node reached from `node` by an event's key, or nil if no pattern names anything there.
    func descend(from node: Int, key: ArraySlice<UInt8>) -> Int? {
        guard key.contains(PathTree.dot) else { return nodes[node].children[ByteKey(key)] }
        var current = node
        for segment in PathTree.segments(of: key) {
            guard let child = nodes[current].children[ByteKey(segment)] else { return nil }
            current = child
        }
        return current
    }

    static func segments(of key: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        key.split(separator: dot, omittingEmptySubsequences: false)
    }

    /// For tests: how many paths and parts of paths are held, the root included.
    var nodeCount: Int { nodes.count - free.count }
}
