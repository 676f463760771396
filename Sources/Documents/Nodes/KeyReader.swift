/// Reads a mapping key by key: a mistake in one does not hide those of the others.
///
/// What a key with a mistake is read as has no meaning; ``finish()`` tells of it.
struct KeyReader {
    let node: Node
    private let what: String
    /// What is no mapping lacks nothing else.
    private let isMapping: Bool
    /// Keys that are there under a name that is almost theirs, which is told already.
    private let misspelt: Set<String>
    var problems = ProblemCollector()

    /// - Parameters:
    ///   - node: what should be a mapping.
    ///   - what: how messages call it.
    ///   - known: the keys that it may have.
    init(_ node: Node, _ what: String, known: [String]) {
        self.node = node
        self.what = what
        if case .mapping(let entries) = node.content {
            isMapping = true
            misspelt = Set(entries.map(\.key).filter { !known.contains($0) }.compactMap { nearestName(to: $0, among: known) })
        } else {
            isMapping = false
            misspelt = []
        }
        _ = problems.collect { () throws(DocumentError) in try node.entries(what, known: known) }
    }

    /// Reads the value of a key; `nil` without one, and for a mistake.
    mutating func read<Value>(_ key: String, _ read: (Node) throws(DocumentError) -> Value) -> Value? {
        guard let value = node[key] else { return nil }
        return problems.collect { () throws(DocumentError) in try read(value) }
    }

    /// As ``read(_:_:)``; that there is none is a mistake.
    mutating func required<Value>(_ key: String, _ read: (Node) throws(DocumentError) -> Value) -> Value? {
        guard isMapping, node[key] != nil || !misspelt.contains(key) else { return nil }
        return problems.collect { () throws(DocumentError) in try read(node.required(key, in: what)) }
    }

    mutating func text(_ key: String) -> String? {
        read(key) { (value) throws(DocumentError) in try value.text(key) }
    }

    /// A path, relative to the configuration's file.
    mutating func path(_ key: String, _ paths: RelativePaths) -> String? { text(key).map { paths.resolve($0) } }

    /// `false` without one.
    mutating func boolean(_ key: String) -> Bool {
        read(key) { (value) throws(DocumentError) in try value.boolean(key) } ?? false
    }

    /// Throws everything that was found, if anything was.
    func finish() throws(DocumentError) { try problems.finish() }
}
