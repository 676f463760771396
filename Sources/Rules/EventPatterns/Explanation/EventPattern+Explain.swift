extension EventPattern {
    /// Tells why the pattern matches the event or misses it.
    package func explain(_ event: JSONView) -> PatternExplanation {
        var values = EventFields()
        values.read(event, paths: paths)
        let alternatives = zip(combinations, conjunctions).map { combination, conjunction in
            PatternExplanation.Alternative(
                fields: zip(combination, conjunction.fields).map { explain(fields[$0], at: $1.path, values, event) },
                matches: conjunction.matches(values))
        }
        return PatternExplanation(alternatives: alternatives)
    }

    private func explain(_ field: Field, at path: Int32, _ values: EventFields, _ event: JSONView) -> PatternExplanation.Field {
        var found: [EventFields.Value] = []
        var next = values.last(at: path)
        while next >= 0 {
            found.append(values.values[Int(next)])
            next = values.values[Int(next)].previous
        }
        // In the order of the event.
        found.reverse()
        return PatternExplanation.Field(
            path: field.path, wanted: field.conditions.all.map(\.description),
            found: found.prefix(PatternExplanation.valuesShownMax).map { Self.text(of: $0, in: values) }, foundCount: found.count,
            finding: finding(field, found, values, event))
    }

    private func finding(
        _ field: Field, _ found: [EventFields.Value], _ values: EventFields, _ event: JSONView
    ) -> PatternExplanation.Field.Finding {
        for value in found {
            if let condition = field.conditions.all.first(where: { $0.holds(value, in: values) }) {
                return .met(value: Self.text(of: value, in: values), condition: condition.description)
            }
        }
        let isInArray = found.allSatisfy { $0.scope != EventFields.outermostScope }
        // Whether another field has chosen an element without the value is for the alternative to say.
        if field.conditions.acceptsAbsence, isInArray { return .metByAbsence }
        guard found.isEmpty else { return .unmet }
        return Self.holdsContainer(event, at: field.segments) ? .noScalar : .missing
    }

    private static func holdsContainer(_ event: JSONView, at segments: [ArraySlice<UInt8>]) -> Bool {
        var view: JSONView? = event
        for segment in segments { view = view?[segment] }
        return view.map { $0.kind == .object || $0.kind == .array } ?? false
    }

    private static func text(of value: EventFields.Value, in values: EventFields) -> String {
        switch value.kind {
        case .string: return PatternCondition.quoted(Array(values.text(value)))
        case .number: return PatternCondition.number(value.bits)
        case .spelling: return String(decoding: values.text(value), as: UTF8.self)
        case .true: return "true"
        case .false: return "false"
        case .null: return "null"
        }
    }
}

extension PatternCondition: CustomStringConvertible {
    /// The condition as JSON, as a pattern may have it.
    var description: String {
        switch self {
        case .exact(.string(let text)): Self.quoted(text)
        case .exact(.address(let address)): "the address \(Self.addressText(address.bytes))"
        case .exact(.number(let bits)): Self.number(bits)
        case .exact(.spelling(let text)): String(decoding: text, as: UTF8.self)
        case .exact(.true): "true"
        case .exact(.false): "false"
        case .exact(.null): "null"
        case .prefix(let text): "{\"prefix\":\(Self.quoted(text))}"
        case .suffix(let text): "{\"suffix\":\(Self.quoted(text))}"
        case .ignoringCase(let text): "{\"equals-ignore-case\":\(Self.quoted(text.spelling))}"
        case .prefixIgnoringCase(let text): "{\"prefix\":{\"equals-ignore-case\":\(Self.quoted(text.spelling))}}"
        case .suffixIgnoringCase(let text): "{\"suffix\":{\"equals-ignore-case\":\(Self.quoted(text.spelling))}}"
        case .wildcard(let wildcard): "{\"wildcard\":\(Self.quoted(wildcard.spelling))}"
        case .numeric(let range): "{\"numeric\":\(range.spelling)}"
        case .network(let range): "{\"cidr\":\"\(range.spelling)\"}"
        case .present: "{\"exists\":true}"
        case .absent: "{\"exists\":false}"
        case .anythingBut(let exclusion): "{\"anything-but\":[\(exclusion.values.map(\.description).joined(separator: ","))]}"
        }
    }

    static func quoted(_ text: [UInt8]) -> String {
        var output: [UInt8] = []
        JSONText.appendString(text, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// A whole number without a fraction, others as short as they can be told apart.
    static func number(_ bits: UInt64) -> String {
        let number = NumberKey.double(bits)
        return Int64(exactly: number).map { "\($0)" } ?? "\(number)"
    }

    private static func addressText(_ address: [UInt8]) -> String {
        if address.count == 4 { return address.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: address.count - 1, by: 2).map { index in
            String(UInt16(address[index]) << 8 | UInt16(address[index + 1]), radix: 16)
        }.joined(separator: ":")
    }
}
