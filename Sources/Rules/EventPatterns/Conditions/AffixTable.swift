/// Conditions that a text can only meet if it begins, or ends, with certain bytes: a text walks through all of them at once.
///
/// A tree of bytes; the walk ends where no condition's bytes go on.
struct AffixTable: Sendable {
    private struct Link: Sendable {
        /// The node the link leads from, and the byte.
        var key: UInt32 = .max
        var node: Int32 = 0
    }

    private let isSuffix: Bool
    /// A table with open addressing; its keys come from a pattern, whose length is limited.
    private var links = [Link](repeating: Link(), count: 16)
    private var linkCount = 0
    /// Of each node the conditions whose bytes end there.
    private var conditions: [[PatternCondition]] = [[]]

    var isEmpty: Bool { linkCount == 0 && conditions[0].isEmpty }

    init(isSuffix: Bool) { self.isSuffix = isSuffix }

    mutating func insert(_ condition: PatternCondition, under affix: [UInt8]) {
        var node: Int32 = 0
        for offset in affix.indices {
            let byte = isSuffix ? affix[affix.count - 1 - offset] : affix[offset]
            let known = child(of: node, byte)
            node = known >= 0 ? known : add(below: node, byte)
        }
        conditions[Int(node)].append(condition)
    }

    private mutating func add(below node: Int32, _ byte: UInt8) -> Int32 {
        conditions.append([])
        let child = Int32(truncatingIfNeeded: conditions.count - 1)
        linkCount += 1
        if linkCount * 2 > links.count {
            let old = links
            links = [Link](repeating: Link(), count: old.count * 2)
            for link in old where link.key != .max { links[place(of: link.key)] = link }
        }
        let key = Self.key(node, byte)
        links[place(of: key)] = Link(key: key, node: child)
        return child
    }

    private static func key(_ node: Int32, _ byte: UInt8) -> UInt32 { UInt32(bitPattern: node) << 8 | UInt32(byte) }

    private func place(of key: UInt32) -> Int {
        let mask = links.count - 1
        var index = Int(truncatingIfNeeded: key &* 0x9E37_79B1 >> 11) & mask
        while links[index].key != key, links[index].key != .max { index = (index + 1) & mask }
        return index
    }

    private func child(of node: Int32, _ byte: UInt8) -> Int32 {
        let link = links[place(of: Self.key(node, byte))]
        return link.key == .max ? -1 : link.node
    }

    /// Whether `body` takes one of the conditions whose bytes the text begins, or ends, with.
    func contains(_ text: ArraySlice<UInt8>, where body: (PatternCondition) -> Bool) -> Bool {
        var node: Int32 = 0
        var done = 0
        while true {
            if !conditions[Int(node)].isEmpty, conditions[Int(node)].contains(where: body) { return true }
            guard done < text.count else { return false }
            node = child(of: node, isSuffix ? text[text.endIndex - 1 - done] : text[text.startIndex + done])
            guard node >= 0 else { return false }
            done += 1
        }
    }
}
