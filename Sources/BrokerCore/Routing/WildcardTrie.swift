import NIOCore

/// The filters with wildcards, level by level.
///
/// See ``TopicIndex`` for how it is walked.
struct WildcardTrie {
    private struct Node {
        var parent: Int
        /// The level's number on the edge from the parent.
        var level: UInt32
        var children = 0
        var plus: Int?
        /// The entry of the filter that ends here.
        var entry: Int?
        /// The entry of the filter that ends here with one more level, `#`.
        var hashEntry: Int?
    }

    private struct Edge: Hashable {
        var node: Int
        var level: UInt32
    }

    private static let root = 0
    private static let plusLevel = UInt32.max

    private var nodes = [Node(parent: -1, level: 0)]
    private var freeNodes: [Int] = []
    private var edges: [Edge: Int] = [:]
    private var levels = LevelNames()
    private var frontier: [Int] = []
    private var nextFrontier: [Int] = []
    /// Nodes that were visited since it was made: what matching has cost.
    private(set) var visits: UInt64 = 0

    /// Answers the node that ends the filter, for ``remove(endingAt:filter:)``.
    mutating func insert(_ filter: ByteBuffer, entry: Int) -> Int {
        var node = Self.root
        for level in filter.topicLevels {
            if level.isSingleByte(UInt8(ascii: "#")) {
                nodes[node].hashEntry = entry
                return node
            }
            node = child(of: node, level: level)
        }
        nodes[node].entry = entry
        return node
    }

    mutating func remove(endingAt end: Int, filter: ByteBuffer) {
        if filter.readableBytesView.last == UInt8(ascii: "#") { nodes[end].hashEntry = nil } else { nodes[end].entry = nil }
        var node = end
        while node != Self.root, nodes[node].children == 0, nodes[node].entry == nil, nodes[node].hashEntry == nil {
            let parent = nodes[node].parent
            if nodes[node].level == Self.plusLevel {
                nodes[parent].plus = nil
            } else {
                edges[Edge(node: parent, level: nodes[node].level)] = nil
                levels.release(nodes[node].level)
            }
            nodes[parent].children -= 1
            freeNodes.append(node)
            node = parent
        }
    }

    /// Calls `body` with the entry of every filter that matches.
    mutating func forEachMatch(_ topic: ByteBuffer, _ body: (Int) -> Void) {
        if nodes[Self.root].children == 0 && nodes[Self.root].hashEntry == nil { return }
        let isSystemTopic = topic.readableBytesView.first == UInt8(ascii: "$")
        frontier.removeAll(keepingCapacity: true)
        frontier.append(Self.root)
        var isFirst = true
        for level in topic.topicLevels {
            let number = levels.number(of: level)
            let takesWildcards = !(isFirst && isSystemTopic)  // [MQTT-4.7.2-1] [MQTT5-4.7.2-1]
            nextFrontier.removeAll(keepingCapacity: true)
            visits &+= UInt64(frontier.count)
            for node in frontier {
                if takesWildcards {
                    if let entry = nodes[node].hashEntry { body(entry) }
                    if let plus = nodes[node].plus { nextFrontier.append(plus) }  // [MQTT-4.7.1-3]
                }
                if let number, let next = edges[Edge(node: node, level: number)] { nextFrontier.append(next) }
            }
            swap(&frontier, &nextFrontier)
            if frontier.isEmpty { return }
            isFirst = false
        }
        for node in frontier {
            if let entry = nodes[node].entry { body(entry) }
            if let entry = nodes[node].hashEntry { body(entry) }  // [MQTT-4.7.1-2]: `a/#` matches `a`
        }
    }

    private mutating func child(of parent: Int, level: ByteBuffer) -> Int {
        if level.isSingleByte(UInt8(ascii: "+")) {
            if let plus = nodes[parent].plus { return plus }
            let node = makeNode(parent: parent, level: Self.plusLevel)
            nodes[parent].plus = node
            return node
        }
        if let number = levels.number(of: level), let known = edges[Edge(node: parent, level: number)] { return known }
        let number = levels.retain(level)
        let node = makeNode(parent: parent, level: number)
        edges[Edge(node: parent, level: number)] = node
        return node
    }

    private mutating func makeNode(parent: Int, level: UInt32) -> Int {
        nodes[parent].children += 1
        let node = Node(parent: parent, level: level)
        if let free = freeNodes.popLast() {
            nodes[free] = node
            return free
        }
        nodes.append(node)
        return nodes.count - 1
    }
}

/// Numbers for the texts of levels, each kept as long as an edge uses it.
private struct LevelNames {
    private var numbers: [ByteBuffer: UInt32] = [:]
    private var names: [(name: ByteBuffer, uses: Int)] = []
    private var free: [UInt32] = []

    func number(of level: ByteBuffer) -> UInt32? { numbers[level] }

    mutating func retain(_ level: ByteBuffer) -> UInt32 {
        if let number = numbers[level] {
            names[Int(number)].uses += 1
            return number
        }
        // A copy of its own, so that a short name does not keep a long filter's storage.
        let name = ByteBuffer(bytes: level.readableBytesView)
        let number: UInt32
        if let reused = free.popLast() {
            number = reused
            names[Int(number)] = (name, 1)
        } else {
            number = UInt32(names.count)
            names.append((name, 1))
        }
        numbers[name] = number
        return number
    }

    mutating func release(_ number: UInt32) {
        names[Int(number)].uses -= 1
        if names[Int(number)].uses == 0 {
            numbers[names[Int(number)].name] = nil
            names[Int(number)].name = ByteBuffer()
            free.append(number)
        }
    }
}
