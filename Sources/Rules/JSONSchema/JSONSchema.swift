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

    /// One schema; what it does not say holds for every value.
    package struct Rules: Sendable {
        package var kinds: [Kind] = []
        package var required: [String] = []
        package var properties: [String: Int] = [:]
        /// The schema of other members; ``none`` for those that must not be.
        package var otherProperties: Int?
        package var items: Int?
        /// JSON values; others are refused.
        package var values: [JSONDocument] = []
        package var numbers = Bounds<Double>()
        package var excludesLower = false
        package var excludesUpper = false
        package var characters = Bounds<Int>()
        package var elements = Bounds<Int>()
        package var pattern: TextPattern?
        package init() {}
    }

    /// No schema: what a member that is not allowed has.
    package static let none = -1

    private let schemas: [Rules]

    /// - Parameter schemas: the first is that of the whole value.
    package init(_ schemas: [Rules]) { self.schemas = schemas }

    package func holds(_ value: JSONView) -> Bool {
        var pending = [(value: value, schema: 0)]
        while let (value, number) = pending.popLast() {
            guard schemas.indices.contains(number), holds(schemas[number], value, &pending) else { return false }
        }
        return true
    }

    private func holds(_ rules: Rules, _ value: JSONView, _ pending: inout [(value: JSONView, schema: Int)]) -> Bool {
        guard rules.kinds.isEmpty || rules.kinds.contains(where: { Self.is(value, $0) }) else { return false }
        if !rules.values.isEmpty, !rules.values.contains(where: { value.isEqual(to: $0.root) }) { return false }
        switch value.kind {
        case .object: return members(rules, value, &pending)
        case .array:
            guard rules.elements.holds(value.elements.reduce(0) { count, _ in count + 1 }) else { return false }
            if let items = rules.items { for element in value.elements { pending.append((element, items)) } }
            return true
        case .string:
            let text = value.stringValue ?? ""
            return rules.characters.holds(text.unicodeScalars.count) && rules.pattern?.matches(text) ?? true
        case .number:
            guard let number = value.numberText.flatMap({ Double($0) }), rules.numbers.holds(number) else { return false }
            return !(rules.excludesLower && number == rules.numbers.lower) && !(rules.excludesUpper && number == rules.numbers.upper)
        case .true, .false, .null: return true
        }
    }

    private func members(_ rules: Rules, _ value: JSONView, _ pending: inout [(value: JSONView, schema: Int)]) -> Bool {
        var names: Set<String> = []
        for member in value.members {
            let name = member.name
            if !rules.required.isEmpty { names.insert(name) }
            if let schema = rules.properties[name] ?? rules.otherProperties {
                guard schema != Self.none else { return false }
                pending.append((member.value, schema))
            }
        }
        return rules.required.allSatisfy { names.contains($0) }
    }

    private static func `is`(_ value: JSONView, _ kind: Kind) -> Bool {
        switch (kind, value.kind) {
        case (.object, .object), (.array, .array), (.string, .string), (.number, .number), (.boolean, .true), (.boolean, .false),
            (.null, .null):
            true
        // A number without a fraction or an exponent.
        case (.integer, .number): value.numberText?.utf8.allSatisfy { $0 == UInt8(ascii: "-") || JSONParser.isDigit($0) } ?? false
        default: false
        }
    }
}
