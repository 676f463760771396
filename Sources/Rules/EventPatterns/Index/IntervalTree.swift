/// An interval of numbers; both ends belong to it.
struct IntervalBounds<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    let low: Number
    let high: Number

    static func < (left: IntervalBounds, right: IntervalBounds) -> Bool {
        left.low != right.low ? left.low < right.low : left.high < right.high
    }
}

/// Intervals of numbers, found by a number inside them in time that grows with their logarithm and with what is found.
///
/// A binary tree over the lower bounds; each node knows the highest upper bound below it. Random priorities keep it shallow whatever
/// the order of insertion.
struct IntervalTree<Number: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
    typealias Bounds = IntervalBounds<Number>

    private struct Node: Sendable {
        let bounds: Bounds
        let priority: UInt64
        var highest: Number
        var left: Int32 = -1
        var right: Int32 = -1
        /// The first posting filed under the interval, and how many there are.
        var head: Int32
        var count: Int32
    }

    private var nodes = PagedStore<Node>()
    private var root: Int32 = -1

    var isEmpty: Bool { root < 0 }
    var count: Int { nodes.count }

    /// The first posting and the count of exactly these bounds.
    func find(_ bounds: Bounds) -> (head: Int32, count: Int32) {
        let node = index(of: bounds)
        return node < 0 ? (-1, 0) : (nodes[node].head, nodes[node].count)
    }

    mutating func set(_ bounds: Bounds, head: Int32, count: Int32) {
        let known = index(of: bounds)
        if count == 0 {
            guard known >= 0 else { return }
            root = remove(bounds, from: root)
            nodes.remove(known, leaving: Node(bounds: bounds, priority: 0, highest: 0, head: -1, count: 0))
        } else if known >= 0 {
            nodes[known].head = head
            nodes[known].count = count
        } else {
            let node = Node(bounds: bounds, priority: .random(in: 0 ... .max), highest: bounds.high, head: head, count: count)
            root = insert(nodes.insert(node), into: root)
        }
    }

    private func index(of bounds: Bounds) -> Int32 {
        var node = root
        while node >= 0 {
            let current = nodes[node]
            if current.bounds == bounds { return node }
            node = bounds < current.bounds ? current.left : current.right
        }
        return -1
    }

    // MARK: Changes

    private mutating func refresh(_ node: Int32) {
        var highest = nodes[node].bounds.high
        for child in [nodes[node].left, nodes[node].right] where child >= 0 { highest = max(highest, nodes[child].highest) }
        nodes[node].highest = highest
    }

    private mutating func insert(_ node: Int32, into tree: Int32) -> Int32 {
        guard tree >= 0 else { return node }
        if nodes[node].priority > nodes[tree].priority {
            let (left, right) = split(tree, at: nodes[node].bounds)
            nodes[node].left = left
            nodes[node].right = right
            refresh(node)
            return node
        }
        if nodes[node].bounds < nodes[tree].bounds {
            nodes[tree].left = insert(node, into: nodes[tree].left)
        } else {
            nodes[tree].right = insert(node, into: nodes[tree].right)
        }
        refresh(tree)
        return tree
    }

    private mutating func split(_ tree: Int32, at bounds: Bounds) -> (left: Int32, right: Int32) {
        guard tree >= 0 else { return (-1, -1) }
        if nodes[tree].bounds < bounds {
            let (left, right) = split(nodes[tree].right, at: bounds)
            nodes[tree].right = left
            refresh(tree)
            return (tree, right)
        }
        let (left, right) = split(nodes[tree].left, at: bounds)
        nodes[tree].left = right
        refresh(tree)
        return (left, tree)
    }

    private mutating func remove(_ bounds: Bounds, from tree: Int32) -> Int32 {
        guard tree >= 0 else { return -1 }
        if nodes[tree].bounds == bounds { return merge(nodes[tree].left, nodes[tree].right) }
        if bounds < nodes[tree].bounds {
            nodes[tree].left = remove(bounds, from: nodes[tree].left)
        } else {
            nodes[tree].right = remove(bounds, from: nodes[tree].right)
        }
        refresh(tree)
        return tree
    }

    private mutating func merge(_ left: Int32, _ right: Int32) -> Int32 {
        guard left >= 0 else { return right }
        guard right >= 0 else { return left }
        if nodes[left].priority > nodes[right].priority {
            nodes[left].right = merge(nodes[left].right, right)
            refresh(left)
            return left
        }
        nodes[right].left = merge(left, nodes[right].left)
        refresh(right)
        return right
    }

    // MARK: Search

    /// Calls `body` with the first posting of each interval that holds one of `points`, each interval once.
    ///
    /// The points are in ascending order. Returns how many nodes were looked at.
    func forEach(holding points: [Number], _ body: (Int32) -> Void) -> Int {
        guard root >= 0, !points.isEmpty else { return 0 }
        var steps = 0
        // With each subtree the points that its intervals may hold: `points[from..<to]`.
        var stack: [(node: Int32, from: Int, to: Int)] = [(root, 0, points.count)]
        while let (index, from, end) = stack.popLast() {
            steps += 1
            let node = nodes[index]
            let to = Self.first(in: points, from, end) { $0 > node.highest }
            guard from < to else { continue }
            if node.left >= 0 { stack.append((node.left, from, to)) }
            let above = Self.first(in: points, from, to) { $0 >= node.bounds.low }
            guard above < to else { continue }
            if node.right >= 0 { stack.append((node.right, above, to)) }
            if points[above] <= node.bounds.high { body(node.head) }
        }
        return steps
    }

    /// The first of `points[from..<to]` from which on a condition holds, or `to`.
    @inline(__always)
    private static func first(in points: [Number], _ from: Int, _ to: Int, where holds: (Number) -> Bool) -> Int {
        var low = from
        var high = to
        while low < high {
            let middle = (low + high) / 2
            if holds(points[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
