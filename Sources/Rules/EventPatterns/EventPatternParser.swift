/// Reads the JSON of an event pattern into fields.
///
/// Keeps its own stack: the depth of a pattern costs no call stack.
enum EventPatternParser {
    private struct Frame {
        var members: JSONMembers
        let segments: [ArraySlice<UInt8>]
    }

    /// Operators that the service has and Crema refuses by name.
    private static let knownOperators: Set<String> = [
        "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard",
    ]

    static func parse(_ json: [UInt8]) throws(EventPatternError) -> [EventPattern.Field] {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: json)
        } catch {
            throw .syntax(error, in: json)
        }
        let root = document.root
        guard root.kind == .object else { throw .invalid("Filter is not an object") }
        guard !root.isEmptyContainer else { throw .invalid("Empty objects are not allowed") }
        guard root.rawJSON.count <= EventPattern.bytesMax else {
            throw .unsupported("a pattern of more than \(EventPattern.bytesMax) bytes is not supported", at: "pattern")
        }
        return try fields(of: root)
    }

    private static func fields(of root: JSONView) throws(EventPatternError) -> [EventPattern.Field] {
        var fields: [EventPattern.Field] = []
        var seen: Set<ByteKey> = []
        var frames = [Frame(members: root.members, segments: [])]
        while let last = frames.indices.last {
            guard let member = frames[last].members.next() else {
                frames.removeLast()
                continue
            }
            let segments = frames[last].segments + PathTree.segments(of: member.key)
            let path = text(of: segments)
            if member.name == "$or" { throw .unsupported(operator: "$or", at: path) }
            switch member.value.kind {
            case .object:
                guard !member.value.isEmptyContainer else { throw .invalid("Empty objects are not allowed") }
                frames.append(Frame(members: member.value.members, segments: segments))
            case .array:
                let conditions = try conditions(member.value, at: path)
                guard seen.insert(ByteKey(copying: path.utf8)).inserted else {
                    throw .unsupported("a field named twice, once by nesting and once by dots, is not supported", at: path)
                }
                guard fields.count < EventPattern.fieldsMax else {
                    throw .unsupported("more than \(EventPattern.fieldsMax) fields in one pattern are not supported", at: path)
                }
                fields.append(EventPattern.Field(segments: segments, conditions: conditions))
            case .string, .number, .true, .false, .null:
                throw .invalid("\"\(member.name)\" must be an object or an array")
            }
        }
        return fields
    }

    private static func text(of segments: [ArraySlice<UInt8>]) -> String {
        String(decoding: Array(segments.joined(separator: ".".utf8)), as: UTF8.self)
    }

    private static func conditions(_ values: JSONView, at path: String) throws(EventPatternError) -> [PatternCondition] {
        guard !values.isEmptyContainer else { throw .invalid("Empty arrays are not allowed") }
        var conditions: [PatternCondition] = []
        for value in values.elements {
            if let key = ValueKey(value) {
                conditions.append(.exact(key.detached))
            } else if value.kind == .object {
                conditions.append(try condition(expression: value, at: path))
            } else {
                throw .invalid("Match value must be String, number, true, false, or null")
            }
        }
        return conditions
    }

    private static func condition(expression: JSONView, at path: String) throws(EventPatternError) -> PatternCondition {
        var members = expression.members
        guard let member = members.next() else { throw .invalid("Match expression name not found") }
        let isAlone = members.next() == nil
        let result: PatternCondition
        switch member.name {
        case "exactly":
            guard let string = member.value.stringBytes else { throw .invalid("exact match pattern must be a string") }
            result = .exact(ValueKey(string: string).detached)
        case "prefix":
            result = try prefix(member.value, at: path)
        case let name where knownOperators.contains(name):
            throw .unsupported(operator: name, at: path)
        case let name:
            throw .invalid("Unrecognized match type \(name)")
        }
        guard isAlone else { throw .invalid("Only one key allowed in match expression") }
        return result
    }

    private static func prefix(_ value: JSONView, at path: String) throws(EventPatternError) -> PatternCondition {
        if let string = value.stringBytes { return .prefix(ArraySlice(Array(string))) }
        guard value.kind == .object else { throw .invalid("prefix match pattern must be a string") }
        var members = value.members
        guard let member = members.next() else { throw .invalid("prefix match pattern must be a string") }
        guard member.name == "equals-ignore-case" else { throw .invalid("Unsupported prefix pattern: \(member.name)") }
        throw .unsupported(operator: "prefix with equals-ignore-case", at: path)
    }
}
