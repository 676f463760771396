/// What a JSON value is.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// One value, or one key, of a parsed document.
///
/// Values are laid out in the order of the text, parents before children.
struct JSONNode: Sendable {
    struct Flags: OptionSet {
        let rawValue: UInt8
        /// The node is the key of the value that follows it.
        static let key = Flags(rawValue: 1)
        /// A later member of the same object has this key: the last one wins.
        static let superseded = Flags(rawValue: 2)
        /// The string holds escapes; its decoded form lies in the arena.
        static let escaped = Flags(rawValue: 4)
    }

    let kind: JSONKind
    var flags: Flags
    /// The node's text in the source: `start ..< end`, quotes and brackets included.
    let start: UInt32
    var end: UInt32
    /// Containers: the index of the first node after the subtree.
    ///
    /// Escaped strings: where the decoded form ends in the arena.
    var limit: UInt32
    /// Containers: how many members or elements, superseded ones included.
    ///
    /// Escaped strings: where the decoded form begins.
    var extra: UInt32

    var isContainer: Bool { kind == .object || kind == .array }
}

/// The shared, immutable result of parsing: the source text and a flat list of nodes.
///
/// One allocation per document instead of one per value; a view is this reference and an index.
final class JSONTape: Sendable {
    let source: [UInt8]
    let nodes: [JSONNode]
    let arena: [UInt8]
    /// The source has no insignificant whitespace and no superseded member, so any slice of it is compact JSON.
    let isCompact: Bool

    init(source: [UInt8], nodes: [JSONNode], arena: [UInt8], isCompact: Bool) {
        self.source = source
        self.nodes = nodes
        self.arena = arena
        self.isCompact = isCompact
    }

    /// The index of the node that follows the node at `index` and all it contains.
    func indexAfter(_ index: Int) -> Int {
        let node = nodes[index]
        return node.isContainer ? Int(node.limit) : index + 1
    }

    /// The text of the node as it was spelled, quotes included.
    func spelling(_ index: Int) -> ArraySlice<UInt8> {
        let node = nodes[index]
        return source[Int(node.start)..<Int(node.end)]
    }

    /// The decoded content of a string node, as UTF-8.
    func string(_ index: Int) -> ArraySlice<UInt8> {
        let node = nodes[index]
        if node.flags.contains(.escaped) {
            return arena[Int(node.extra)..<Int(node.limit)]
        }
        return source[Int(node.start) + 1..<Int(node.end) - 1]
    }

    /// Appends the subtree at `index` without insignificant whitespace and without superseded members.
    ///
    /// Numbers keep their spelling, unless `number` gives them another.
    func appendCompact(_ index: Int, to output: inout [UInt8], number: ((ArraySlice<UInt8>) -> ArraySlice<UInt8>)? = nil) {
        if isCompact && number == nil {
            output.append(contentsOf: spelling(index))
            return
        }
        var open: [(end: Int, bracket: UInt8)] = []
        var needsComma = false
        var next = index
        let end = indexAfter(index)
        while true {
            while let last = open.last, last.end == next {
                output.append(last.bracket)
                open.removeLast()
                needsComma = true
            }
            guard next < end else { return }
            let node = nodes[next]
            if node.flags.contains(.superseded) {
                next = indexAfter(next + 1)
                continue
            }
            if needsComma { output.append(UInt8(ascii: ",")) }
            if node.isContainer {
                let isObject = node.kind == .object
                output.append(UInt8(ascii: isObject ? "{" : "["))
                open.append((Int(node.limit), UInt8(ascii: isObject ? "}" : "]")))
                needsComma = false
            } else {
                let spelling = spelling(next)
                output.append(contentsOf: node.kind == .number ? number?(spelling) ?? spelling : spelling)
                let isKey = node.flags.contains(.key)
                if isKey { output.append(UInt8(ascii: ":")) }
                needsComma = !isKey
            }
            next += 1
        }
    }
}
