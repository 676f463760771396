/// One value of a YAML or JSON document, with the place where it was written.
///
/// Text is resolved by YAML's core schema: `yes` and dates are text, quoted values are always text.
package struct Node: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        case scalar(Scalar)
        case sequence([Node])
        case mapping([Entry])
        /// A value that the document does not say by itself, such as an intrinsic function that Crema does not evaluate.
        /// Reading it fails with the reason; a document in which nobody needs the value is fine.
        case unresolved(reason: String)
    }

    /// A value without parts.
    package struct Scalar: Sendable, Equatable {
        package enum Kind: Sendable, Equatable { case string, number, boolean, null }

        /// As written, after YAML's own unescaping: a number keeps its spelling.
        package var text: String
        package var kind: Kind

        package init(_ text: String, kind: Kind = .string) {
            self.text = text
            self.kind = kind
        }
    }

    /// One key of a mapping with its value.
    ///
    /// Keys keep their order and are unique.
    package struct Entry: Sendable, Equatable {
        package var key: String
        package var keyLocation: SourceLocation
        package var value: Node

        package init(key: String, keyLocation: SourceLocation, value: Node) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }

    package var content: Content
    package var location: SourceLocation
    /// CloudFormation's short form of an intrinsic function (`!Ref`), `nil` for YAML's own types.
    package var tag: String?

    package init(_ content: Content, at location: SourceLocation, tag: String? = nil) {
        self.content = content
        self.location = location
        self.tag = tag
    }

    package static func string(_ text: String, at location: SourceLocation) -> Node {
        Node(.scalar(Scalar(text)), at: location)
    }
}

// MARK: - Reading

extension Node {
    /// The value of a key; `nil` when it is absent or this is not a mapping.
    package subscript(key: String) -> Node? { entry(key)?.value }

    package func entry(_ key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }

    package var isNull: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.kind == .null
    }

    package var isScalar: Bool {
        guard case .scalar = content else { return false }
        return true
    }

    /// What messages call this kind of value.
    package var kindName: String {
        switch content {
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: "text"
            case .number: "a number"
            case .boolean: "a boolean"
            case .null: "nothing"
            }
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .unresolved: "an unknown value"
        }
    }

    /// The text of a scalar.
    ///
    /// CloudFormation takes numbers and booleans where text is due, and so does this.
    package func text(_ what: String) throws(DocumentError) -> String {
        guard case .scalar(let scalar) = content, scalar.kind != .null else { throw mismatch(what, "text") }
        return scalar.text
    }

    /// A whole number, also one written as text.
    package func integer(_ what: String, in range: ClosedRange<Int>) throws(DocumentError) -> Int {
        guard case .scalar(let scalar) = content, scalar.kind == .number || scalar.kind == .string else {
            throw mismatch(what, "a whole number")
        }
        guard let value = Int(scalar.text), range.contains(value) else {
            let bounds = range.upperBound == Int.max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw DocumentError("\(what) is `\(scalar.text)`, but must be a whole number, \(bounds)", at: location)
        }
        return value
    }

    /// `true` or `false`, also written as text, as CloudFormation allows.
    package func boolean(_ what: String) throws(DocumentError) -> Bool {
        guard case .scalar(let scalar) = content else { throw mismatch(what, "true or false") }
        switch scalar.text.lowercased() {
        case "true": return true
        case "false": return false
        default: throw DocumentError("\(what) is `\(scalar.text)`, but must be true or false", at: location)
        }
    }

    package func elements(_ what: String) throws(DocumentError) -> [Node] {
        guard case .sequence(let elements) = content else { throw mismatch(what, "a list") }
        return elements
    }

    package func entries(_ what: String) throws(DocumentError) -> [Entry] {
        guard case .mapping(let entries) = content else { throw mismatch(what, "a mapping") }
        return entries
    }

    /// The entries of a mapping none of whose keys may be unknown.
    ///
    /// - Throws: one problem for each unknown key, with the nearest known one.
    package func entries(_ what: String, known: [String]) throws(DocumentError) -> [Entry] {
        let all = try entries(what)
        var collector = ProblemCollector()
        for entry in all where !known.contains(entry.key) {
            collector.add("\(what) has no key `\(entry.key)`\(suggestion(for: entry.key, among: known))", at: entry.keyLocation)
        }
        try collector.finish()
        return all
    }

    /// The value of a key that must be there.
    package func required(_ key: String, in what: String) throws(DocumentError) -> Node {
        guard let value = self[key], !value.isNull else {
            if case .unresolved = content { throw mismatch(what, "a mapping") }
            throw DocumentError("\(what) lacks `\(key)`", at: location)
        }
        return value
    }

    private func mismatch(_ what: String, _ expected: String) -> DocumentError {
        if case .unresolved(let reason) = content {
            return DocumentError("\(what): \(reason)", at: location)
        }
        return DocumentError("\(what) must be \(expected), not \(kindName)", at: location)
    }
}
