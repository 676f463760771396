/// One value held against a schema, within a budget.
///
/// What the budget does not reach to is neither: a schema that could not be looked at to its end must not count as one that does not
/// hold, or `not` would let everything in.
struct SchemaCheck {
    /// The budget is used up.
    struct Exhausted: Error {}

    private let schemas: [JSONSchema.Rules]
    private var steps: Int

    init(_ schemas: [JSONSchema.Rules], steps: Int) {
        self.schemas = schemas
        self.steps = steps
    }

    private mutating func spend(_ count: Int) throws(Exhausted) {
        steps -= count
        guard steps >= 0 else { throw Exhausted() }
    }

    /// Recurses for alternatives alone, at most ``JSONSchema/nestingMax`` deep; what lies in the value waits in a list.
    mutating func holds(_ value: JSONView, _ schema: Int, depth: Int) throws(Exhausted) -> Bool {
        guard depth < JSONSchema.nestingMax else { throw Exhausted() }
        var pending = [(value: value, schema: schema)]
        while let (value, number) = pending.popLast() {
            try spend(1)
            guard schemas.indices.contains(number) else { return false }
            let rules = schemas[number]
            guard try holds(rules, value, &pending), try alternatives(rules, value, depth: depth) else { return false }
            for schema in rules.allOf { pending.append((value, schema)) }
        }
        return true
    }

    private mutating func alternatives(_ rules: JSONSchema.Rules, _ value: JSONView, depth: Int) throws(Exhausted) -> Bool {
        if let not = rules.not, try holds(value, not, depth: depth + 1) { return false }
        if !rules.anyOf.isEmpty {
            var isAny = false
            for schema in rules.anyOf where !isAny { isAny = try holds(value, schema, depth: depth + 1) }
            guard isAny else { return false }
        }
        if !rules.oneOf.isEmpty {
            var count = 0
            for schema in rules.oneOf where count < 2 {
                if try holds(value, schema, depth: depth + 1) { count += 1 }
            }
            guard count == 1 else { return false }
        }
        return true
    }

    private mutating func holds(
        _ rules: JSONSchema.Rules, _ value: JSONView, _ pending: inout [(value: JSONView, schema: Int)]
    ) throws(Exhausted) -> Bool {
        guard rules.kinds.isEmpty || rules.kinds.contains(where: { Self.is(value, $0) }) else { return false }
        if !rules.values.isEmpty, !rules.values.contains(where: { value.isEqual(to: $0.root) }) { return false }
        switch value.kind {
        case .object: return try members(rules, value, &pending)
        case .array: return try elements(rules, value, &pending)
        case .string:
            let text = value.stringValue ?? ""
            try spend(text.utf8.count / 64)
            guard rules.characters.holds(text.unicodeScalars.count), rules.format?.holds(text) ?? true else { return false }
            return try rules.pattern.map { pattern throws(Exhausted) in try matches(pattern, text) } ?? true
        case .number:
            guard let spelling = value.numberText, let number = Double(spelling), rules.numbers.holds(number) else { return false }
            if rules.excludesLower && number == rules.numbers.lower || rules.excludesUpper && number == rules.numbers.upper { return false }
            return rules.divisor?.divides(spelling) ?? true
        case .true, .false, .null: return true
        }
    }

    private mutating func matches(_ pattern: TextPattern, _ text: String) throws(Exhausted) -> Bool {
        var left = TextPattern.stepsMax
        let found = pattern.matches(text, steps: &left)
        guard left >= 0 else { throw Exhausted() }
        try spend((TextPattern.stepsMax - left) / 64)
        return found
    }

    private mutating func elements(
        _ rules: JSONSchema.Rules, _ value: JSONView, _ pending: inout [(value: JSONView, schema: Int)]
    ) throws(Exhausted) -> Bool {
        var seen: Set<ByteKey> = []
        var count = 0
        for element in value.elements {
            count += 1
            if let schema = count <= rules.firstItems.count ? rules.firstItems[count - 1] : rules.items {
                guard schema != JSONSchema.none else { return false }
                pending.append((element, schema))
            }
            guard rules.isUnique else { continue }
            let canonical = element.canonicalBytes
            try spend(canonical.count / 64 + 1)
            guard seen.insert(ByteKey(canonical[...])).inserted else { return false }
        }
        return rules.elements.holds(count)
    }

    private mutating func members(
        _ rules: JSONSchema.Rules, _ value: JSONView, _ pending: inout [(value: JSONView, schema: Int)]
    ) throws(Exhausted) -> Bool {
        var names: Set<String> = []
        var count = 0
        for member in value.members {
            let name = member.name
            count += 1
            if !rules.required.isEmpty || !rules.dependencies.isEmpty { names.insert(name) }
            var isKnown = false
            if let schema = rules.properties[name] {
                isKnown = true
                pending.append((member.value, schema))
            }
            for (pattern, schema) in rules.patternProperties where try matches(pattern, name) {
                isKnown = true
                pending.append((member.value, schema))
            }
            if !isKnown, let schema = rules.otherProperties {
                guard schema != JSONSchema.none else { return false }
                pending.append((member.value, schema))
            }
        }
        for (name, needs) in rules.dependencies where names.contains(name) {
            switch needs {
            case .members(let others): guard others.allSatisfy({ names.contains($0) }) else { return false }
            case .schema(let schema): pending.append((value, schema))
            }
        }
        return rules.members.holds(count) && rules.required.allSatisfy { names.contains($0) }
    }

    private static func `is`(_ value: JSONView, _ kind: JSONSchema.Kind) -> Bool {
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
