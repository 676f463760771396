/// Slots filed under prefixes, found by walking a value's bytes once.
struct PrefixTrie: Sendable {
    private struct Node: Sendable {
        var children: [UInt8: Int] = [:]
        var slots: Set<Int> = []
    }

    private var nodes = [Node()]
    private var free: [Int] = []

    var isEmpty: Bool { nodes[0].slots.isEmpty && nodes[0].children.isEmpty }

    /// How many slots a value that begins with `prefix` finds at least.
    func crowd(at prefix: ArraySlice<UInt8>) -> Int {
        var found: Set<Int> = []
        collect(for: prefix, into: &found)
        return found.count
    }

    mutating func insert(_ slot: Int, at prefix: ArraySlice<UInt8>) {
        var node = 0
        for byte in prefix {
            if let child = nodes[node].children[byte] {
                node = child
                continue
            }
            let child = free.popLast() ?? nodes.count
            if child == nodes.count { nodes.append(Node()) }
            nodes[node].children[byte] = child
            node = child
        }
        nodes[node].slots.insert(slot)
    }

    mutating func remove(_ slot: Int, at prefix: ArraySlice<UInt8>) {
        var way: [(node: Int, byte: UInt8)] = []
        var node = 0
        for byte in prefix {
            guard let child = nodes[node].children[byte] else { return }
            way.append((node, byte))
            node = child
        }
        nodes[node].slots.remove(slot)
        while let (parent, byte) = way.popLast(), nodes[node].slots.isEmpty, nodes[node].children.isEmpty {
            nodes[parent].children[byte] = nil
            free.append(node)
            node = parent
        }
    }

    /// Adds the slots of every prefix that `value` begins with.
    func collect(for value: ArraySlice<UInt8>, into slots: inout Set<Int>) {
        var node = 0
        slots.formUnion(nodes[node].slots)
        for byte in value {
            guard let child = nodes[node].children[byte] else { return }
            node = child
            slots.formUnion(nodes[node].slots)
        }
    }
}
