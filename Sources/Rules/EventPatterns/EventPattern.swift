/// A compiled event pattern: which events a rule wants.
///
/// All operators of the service, nested fields, dots in keys, several values (any of them), several fields (all of them), `$or`, arrays
/// in the event with the service's array consistency. To add an operator: a case in ``PatternCondition``, its parsing in
/// ``MatchExpressionParser``, and in ``PlaceKind`` where it is filed.
package struct EventPattern: Sendable {
    /// The longest pattern, in bytes of its compact JSON.
    ///
    /// The service's model allows 4,096 characters.
    package static let bytesMax = 4_096
    /// The most fields in one pattern.
    package static let fieldsMax = FieldMask.countMax
    /// The most conjunctions that the branches of `$or` make together: each list of branches multiplies them.
    ///
    /// The service refuses more than 1,000 combinations as well.
    package static let combinationsMax = 1_000

    /// One named field and the values it may have.
    struct Field: Sendable {
        /// The path, cut at its dots.
        let segments: [ArraySlice<UInt8>]
        let conditions: FieldConditions

        var path: String { String(decoding: Array(segments.joined(separator: ".".utf8)), as: UTF8.self) }
    }

    /// All fields, each path with each of its lists of conditions once.
    let fields: [Field]
    /// Of each conjunction the numbers of its fields, in the order of their paths.
    ///
    /// One without `$or`. One conjunction suffices, and all its fields must be met.
    let combinations: [[Int]]
    /// Read an event with these to match the pattern alone.
    let paths: PathTree
    let conjunctions: [Conjunction]

    /// Reads a pattern from its JSON text.
    ///
    /// - Throws: what the service would refuse, in its words, and what Crema does not support, with its path.
    package init(parsing json: [UInt8]) throws(EventPatternError) {
        let parsed = try EventPatternParser.parse(json)
        fields = parsed.fields
        combinations = parsed.combinations
        var paths = PathTree()
        let compiled = parsed.fields.enumerated().map {
            Conjunction.Field(
                path: paths.retain($1.segments), number: UInt8(truncatingIfNeeded: $0), conditions: $1.conditions)
        }
        conjunctions = parsed.combinations.map { Conjunction(fields: $0.map { compiled[$0] }) }
        self.paths = paths
    }

    /// Whether this one pattern wants the event.
    ///
    /// For many patterns use ``PatternIndex``.
    package func matches(_ event: JSONView) -> Bool {
        var values = EventFields()
        values.read(event, paths: paths)
        return conjunctions.contains { $0.matches(values) }
    }
}
