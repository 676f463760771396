import Foundation
import Yams

/// Bounds of what is read as a document.
///
/// Beyond them a document is refused by the limit's name.
package struct DocumentLimits: Sendable {
    /// Size of one file, in bytes.
    ///
    /// CloudFormation takes 1 MB.
    package var bytesMax = 1_048_576
    /// Values in one document after aliases are expanded: a few lines of nested aliases can stand for billions of values.
    package var nodesMax = 100_000
    /// Nested lists and mappings, aliases included.
    package var depthMax = 100

    package init() {}
}

extension Node {
    /// Reads one YAML or JSON document.
    ///
    /// - Parameters:
    ///   - file: what messages call the document.
    ///   - text: the document.
    ///   - limits: its bounds.
    /// - Returns: the root; an empty document is an empty mapping.
    /// - Throws: for bad syntax, a key that occurs twice, a merge key, a key that is not text, and beyond a limit.
    package static func parse(file: String, text: String, limits: DocumentLimits = .init()) throws(DocumentError) -> Node {
        guard text.utf8.count <= limits.bytesMax else {
            throw DocumentError("the document is larger than documentBytesMax (\(limits.bytesMax) bytes)", at: SourceLocation(file: file))
        }
        let composed: Yams.Node?
        do {
            composed = try compose(text)
        } catch {
            throw syntaxError(error, file: file)
        }
        guard let composed else { return Node(.mapping([]), at: SourceLocation(file: file, line: 1, column: 1)) }
        var reader = NodeReader(file: file, limits: limits)
        return try reader.convert(composed, depth: 0)
    }

    private static func compose(_ text: String) throws -> Yams.Node? {
        // The encoding is named because the default asks the environment.
        do { return try Yams.Parser(yaml: text, encoding: .utf8).singleRoot() } catch {
            // JSON writes characters beyond U+FFFF as two escapes, which are none in YAML.
            guard let joined = SurrogateEscapes.joined(in: text) else { throw error }
            return try Yams.Parser(yaml: joined, encoding: .utf8).singleRoot()
        }
    }

    /// Reads a file, see ``parse(file:text:limits:)``.
    package static func read(file: String, limits: DocumentLimits = .init()) throws(DocumentError) -> Node {
        try parse(file: file, text: readText(file: file, limits: limits), limits: limits)
    }

    /// The text of a file that is not larger than the limit.
    package static func readText(file: String, limits: DocumentLimits = .init()) throws(DocumentError) -> String {
        let whole = SourceLocation(file: file)
        let data: Data
        // O_NONBLOCK: opening a named pipe must not wait for a writer, for a reload waits with it, and all that follow.
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw DocumentError("the file cannot be read: \(obstacle(at: file))", at: whole) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard unsafe fstat(descriptor, &status) != 0 || [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) else {
            throw DocumentError("the file cannot be read: it is not a regular file", at: whole)
        }
        do {
            data = try handle.read(upToCount: limits.bytesMax + 1) ?? Data()
        } catch {
            throw DocumentError("the file cannot be read: \(obstacle(at: file))", at: whole)
        }
        guard data.count <= limits.bytesMax else {
            throw DocumentError("the document is larger than documentBytesMax (\(limits.bytesMax) bytes)", at: whole)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw DocumentError("the file is not UTF-8 text", at: whole)
        }
        return text
    }

    private static func obstacle(at file: String) -> String {
        var isDirectory: ObjCBool = false
        if unsafe !FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) { return "there is no such file" }
        if isDirectory.boolValue { return "it is a directory" }
        return FileManager.default.isReadableFile(atPath: file) ? "reading it failed" : "this user may not read it"
    }

    private static func syntaxError(_ error: any Error, file: String) -> DocumentError {
        func at(_ mark: Mark) -> SourceLocation { SourceLocation(file: file, line: mark.line, column: mark.column) }
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return DocumentError("not valid YAML or JSON: \(SyntaxComplaint.text(problem))", at: at(mark))
        case YamlError.reader(let problem, _, _, _):
            return DocumentError("not valid YAML or JSON: \(problem)", at: SourceLocation(file: file))
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            let names = keys.sorted().map { "`\($0)`" }.joined(separator: ", ")
            return DocumentError("\(names) occurs more than once in the same mapping; the first is here", at: at(context.mark))
        default:
            return DocumentError("not valid YAML or JSON: \(error)", at: SourceLocation(file: file))
        }
    }
}

/// Turns what Yams composed into nodes, counting what aliases expand to.
private struct NodeReader {
    let file: String
    let limits: DocumentLimits
    var count = 0

    init(file: String, limits: DocumentLimits) {
        self.file = file
        self.limits = limits
    }

    // Recursion ends at `depthMax`.
    mutating func convert(_ node: Yams.Node, depth: Int) throws(DocumentError) -> Node {
        let location = self.location(node.mark)
        count += 1
        guard count <= limits.nodesMax else {
            throw DocumentError("the document has more values than documentNodesMax (\(limits.nodesMax)), aliases expanded", at: location)
        }
        guard depth <= limits.depthMax else {
            throw DocumentError("the document is nested deeper than documentDepthMax (\(limits.depthMax))", at: location)
        }
        switch node {
        case .scalar(let scalar):
            return try convert(scalar, at: location)
        case .sequence(let sequence):
            var elements: [Node] = []
            for element in sequence { elements.append(try convert(element, depth: depth + 1)) }
            return Node(.sequence(elements), at: location, tag: try localTag(sequence.tag, at: location))
        case .mapping(let mapping):
            var entries: [Node.Entry] = []
            var seen: Set<String> = []
            for (key, value) in mapping {
                let keyLocation = self.location(key.mark)
                guard case .scalar(let scalar) = key else {
                    throw DocumentError("a key must be text", at: keyLocation)
                }
                let name = scalar.string
                guard name != "<<" else { throw DocumentError("merge keys (`<<`) are not supported", at: keyLocation) }
                guard seen.insert(name).inserted else {
                    throw DocumentError("`\(name)` occurs more than once in the same mapping", at: keyLocation)
                }
                entries.append(Node.Entry(key: name, keyLocation: keyLocation, value: try convert(value, depth: depth + 1)))
            }
            return Node(.mapping(entries), at: location, tag: try localTag(mapping.tag, at: location))
        case .alias:
            // Yams expands aliases as it composes; it makes this case only when it encodes.
            throw DocumentError("an alias that names no anchor", at: location)
        }
    }

    private func convert(_ scalar: Yams.Node.Scalar, at location: SourceLocation) throws(DocumentError) -> Node {
        let tag = scalar.tag.rawValue
        switch tag {
        case "":
            let kind = scalar.style == .plain ? CoreSchema.kind(of: scalar.string) : .string
            return Node(.scalar(.init(scalar.string, kind: kind)), at: location)
        case "!", Tag.Name.str.rawValue:
            return Node(.scalar(.init(scalar.string)), at: location)
        default:
            let local = try localTag(scalar.tag, at: location)
            let kind = local == nil ? CoreSchema.kind(of: scalar.string) : .string
            return Node(.scalar(.init(scalar.string, kind: kind)), at: location, tag: local)
        }
    }

    private static let coreTags: Set<String> = Set(
        [Tag.Name.str, .seq, .map, .bool, .float, .null, .int].map(\.rawValue)
    )

    private func localTag(_ tag: Tag, at location: SourceLocation) throws(DocumentError) -> String? {
        let name = tag.rawValue
        if name.isEmpty || Self.coreTags.contains(name) { return nil }
        guard name.hasPrefix("!"), name != "!" else { throw DocumentError("the YAML tag `\(name)` is not supported", at: location) }
        return name
    }

    private func location(_ mark: Mark?) -> SourceLocation {
        SourceLocation(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0)
    }
}
