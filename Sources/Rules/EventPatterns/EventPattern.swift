/// A compiled event pattern: which events a rule wants.
///
/// Supported: exact strings, numbers, `true`, `false`, `null`, `exactly` and `prefix`; nested fields, dots in keys, several values
/// (any of them), several fields (all of them), arrays in the event with the service's array consistency. Every other operator is
/// refused by name. To add one: a case in ``PatternCondition``, its parsing in ``EventPatternParser``, and, if it can
/// select rules, its table in ``PatternTables``.
package struct EventPattern: Sendable {
    /// The longest pattern, in bytes of its compact JSON.
    ///
    /// The service's model allows 4,096 characters.
    package static let bytesMax = 4_096
    /// The most fields in one pattern: conditions are bits of one word in ``ArrayConsistency``.
    package static let fieldsMax = 64

    /// One named field and the values it may have.
    struct Field: Sendable {
        /// The path, cut at its dots.
        let segments: [ArraySlice<UInt8>]
        /// Any of them suffices.
        ///
        /// Never empty.
        let conditions: [PatternCondition]
    }

    /// All of them must hold.
    ///
    /// Never empty.
    let fields: [Field]
    private let paths: PathTree
    private let compiled: CompiledPattern

    /// Reads a pattern from its JSON text.
    ///
    /// - Throws: what the service would refuse, in its words, and what Crema does not support, with its path.
    package init(parsing json: [UInt8]) throws(EventPatternError) {
        fields = try EventPatternParser.parse(json)
        var paths = PathTree()
        compiled = CompiledPattern(fields, in: &paths)
        self.paths = paths
    }

    /// Whether this one pattern wants the event.
    ///
    /// For many patterns use ``PatternIndex``.
    package func matches(_ event: JSONView) -> Bool {
        compiled.matches(EventFields(event, paths: paths))
    }
}

/// One value that a field may have.
enum PatternCondition: Sendable {
    case exact(ValueKey)
    /// Strings that begin with these bytes; by code points, because both sides are UTF-8.
    case prefix(ArraySlice<UInt8>)

    func holds(for entry: EventFields.Entry) -> Bool {
        switch self {
        case .exact(let key): entry.key == key
        case .prefix(let prefix): entry.string?.starts(with: prefix) ?? false
        }
    }
}

/// A pattern whose fields are named by nodes of a ``PathTree``.
struct CompiledPattern: Sendable {
    struct Field: Sendable {
        let path: Int
        let conditions: [PatternCondition]
    }

    let fields: [Field]

    /// Retains each path once.
    ///
    /// Give them back with ``release(in:)``.
    init(_ fields: [EventPattern.Field], in paths: inout PathTree) {
        self.fields = fields.map { Field(path: paths.retain($0.segments), conditions: $0.conditions) }
    }

    func release(in paths: inout PathTree) {
        for field in fields { paths.release(field.path) }
    }

    /// Whether the event has a value for every field, all outside arrays or in consistent elements.
    func matches(_ event: EventFields) -> Bool {
        var insideArrays: [[Int]] = []
        for field in fields {
            var scopes: [Int] = []
            var isOutside = false
            for entry in event.values(at: field.path) where field.conditions.contains(where: { $0.holds(for: entry) }) {
                if entry.scope == EventFields.outermostScope {
                    isOutside = true
                    break
                }
                scopes.append(entry.scope)
            }
            if isOutside { continue }
            if scopes.isEmpty { return false }
            insideArrays.append(scopes)
        }
        return insideArrays.count < 2 || ArrayConsistency(event, scopesOfCondition: insideArrays).holds()
    }
}
