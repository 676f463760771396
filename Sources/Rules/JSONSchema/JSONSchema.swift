/// What a JSON value must be, in the part of JSON Schema (draft 4) that API Gateway's models use.
///
/// Schemas are numbered, and refer to each other by number: also one that refers to itself is finite.
package struct JSONSchema: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case object, array, string, number, integer, boolean, null }

    /// Bounds, both included.
    package struct Bounds<Value: Comparable & Sendable>: Sendable {
        package var lower: Value?
        package var upper: Value?
        package init() {}

        func holds(_ value: Value) -> Bool { lower.map { value >= $0 } ?? true && upper.map { value <= $0 } ?? true }
    }

    /// What a member brings with it.
    package enum Dependency: Sendable {
        case members([String])
        /// A schema of the value that has the member.
        case schema(Int)
    }

    /// One schema; what it does not say holds for every value.
    package struct Rules: Sendable {
        package var kinds: [Kind] = []
        package var required: [String] = []
        package var properties: [String: Int] = [:]
        /// The schemas of members whose names have such a part.
        package var patternProperties: [(pattern: TextPattern, schema: Int)] = []
        /// The schema of other members; ``none`` for those that must not be.
        package var otherProperties: Int?
        /// How many members there may be.
        package var members = Bounds<Int>()
        /// The schema of elements, or of those after ``firstItems``; ``none`` for those that must not be.
        package var items: Int?
        /// The schemas of the first elements, in order.
        package var firstItems: [Int] = []
        /// What a value with such a member must have besides: other members, or a schema.
        package var dependencies: [(name: String, needs: Dependency)] = []
        /// JSON values; others are refused.
        package var values: [JSONDocument] = []
        package var numbers = Bounds<Double>()
        package var excludesLower = false
        package var excludesUpper = false
        /// What a number must be a whole multiple of.
        package var divisor: JSONDivisor?
        package var characters = Bounds<Int>()
        package var elements = Bounds<Int>()
        /// Whether no two elements may be the same.
        package var isUnique = false
        package var pattern: TextPattern?
        package var format: TextFormat?
        /// Schemas that all hold for the same value.
        package var allOf: [Int] = []
        /// Schemas of which at least one holds for the same value.
        package var anyOf: [Int] = []
        /// Schemas of which exactly one holds for the same value.
        package var oneOf: [Int] = []
        /// The schema that does not hold for the same value.
        package var not: Int?
        package init() {}

        /// The schemas that look at the same value.
        var sameValue: [Int] {
            let others: [Int] = dependencies.compactMap { if case .schema(let schema) = $0.needs { schema } else { nil } }
            return allOf + anyOf + oneOf + (not.map { [$0] } ?? []) + others
        }
    }

    /// No schema: what a member that is not allowed has.
    package static let none = -1
    /// How many steps it may take to hold one value against a schema; one that takes more is refused.
    package static let stepsMax = 1_000_000
    /// How deep schemas that are alternatives may lead into each other; a value that leads deeper is refused.
    package static let nestingMax = 2_000

    let schemas: [Rules]

    /// - Parameter schemas: the first is that of the whole value.
    package init(_ schemas: [Rules]) { self.schemas = schemas }

    /// Whether a value keeps to the schema, and that can be told within ``stepsMax`` and ``nestingMax``.
    package func holds(_ value: JSONView) -> Bool { holds(value, steps: Self.stepsMax) }

    func holds(_ value: JSONView, steps: Int) -> Bool {
        var check = SchemaCheck(schemas, steps: steps)
        return (try? check.holds(value, 0, depth: 0)) ?? false
    }

    /// The first schema that leads to itself without a step into the value, so that it says nothing; nil where there is none.
    package var endless: Int? {
        var isDone = Array(repeating: false, count: schemas.count)
        for start in schemas.indices where !isDone[start] {
            // A path down, with what is left to look at of each schema on it.
            var path = [(schema: start, rest: schemas[start].sameValue[...])]
            var isOpen: Set<Int> = [start]
            while let (schema, rest) = path.last {
                guard let next = rest.first else {
                    isDone[schema] = true
                    isOpen.remove(schema)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest = rest.dropFirst()
                if isOpen.contains(next) { return next }
                guard schemas.indices.contains(next), !isDone[next] else { continue }
                isOpen.insert(next)
                path.append((next, schemas[next].sameValue[...]))
            }
        }
        return nil
    }
}
