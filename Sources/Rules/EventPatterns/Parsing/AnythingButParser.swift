/// Reads what `anything-but` leaves out.
enum AnythingButParser {
    static func exclusion(_ value: JSONView, at path: String) throws(EventPatternError) -> Exclusion {
        switch value.kind {
        case .string, .number: return Exclusion([try plain(value)])
        case .array: return Exclusion(try list(value))
        case .object: return Exclusion(try texts(value, at: path))
        case .true, .false, .null: throw notSupported
        }
    }

    private static let notSupported = EventPatternError.invalid("Value of anything-but must be an array or single string/number value.")

    /// A string is compared as a string, whatever address it may spell.
    private static func plain(_ value: JSONView) throws(EventPatternError) -> PatternCondition {
        if let string = value.stringBytes { return .exact(.string(Array(string))) }
        return .exact(.number(try NumericExpressionParser.number(value)))
    }

    private static func list(_ value: JSONView) throws(EventPatternError) -> [PatternCondition] {
        var values: [PatternCondition] = []
        var kinds: Set<JSONKind> = []
        for element in value.elements {
            guard element.kind == .string || element.kind == .number else {
                throw .invalid("Inside anything but list, start|null|boolean is not supported.")
            }
            kinds.insert(element.kind)
            values.append(try plain(element))
        }
        guard kinds.count == 1 else {
            throw .invalid("Inside anything but list, either all values are number or string, mixed type is not supported")
        }
        return values
    }

    private static func texts(_ object: JSONView, at path: String) throws(EventPatternError) -> [PatternCondition] {
        guard let (name, value, isAlone) = MatchExpressionParser.onlyMember(object) else {
            throw .invalid("Anything-But expression name not found")
        }
        guard ["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(name) else {
            throw .invalid("Unsupported anything-but pattern: \(name)")
        }
        let values: [JSONView]
        switch value.kind {
        case .string, .number: values = [value]
        case .array: values = Array(value.elements)
        case .object, .true, .false, .null: throw notSupported
        }
        // What the service makes of an empty list is not known.
        guard !values.isEmpty else { throw .unsupported("an empty list in anything-but with \(name) is not supported", at: path) }
        var conditions: [PatternCondition] = []
        for value in values { conditions.append(try condition(name, value)) }
        guard isAlone else { throw .invalid("Too many elements in numeric expression") }
        return conditions
    }

    private static func condition(_ name: String, _ value: JSONView) throws(EventPatternError) -> PatternCondition {
        guard let string = value.stringBytes else {
            switch name {
            case "equals-ignore-case":
                throw .invalid("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
            case "wildcard": throw .invalid("wildcard match pattern must be a string")
            default: throw .invalid("prefix/suffix match pattern must be a string")
            }
        }
        switch name {
        case "equals-ignore-case": return .ignoringCase(CaselessText(string))
        case "wildcard": return .wildcard(try Wildcard(parsing: string))
        default:
            guard !string.isEmpty else { throw .invalid("Null prefix/suffix not allowed") }
            return name == "prefix" ? .prefix(Array(string)) : .suffix(Array(string))
        }
    }
}
