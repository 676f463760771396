/// Reads the list of values that a field may have, and the operators in it.
///
/// Reasons are the service's own words, the odd ones included.
enum MatchExpressionParser {
    static func conditions(_ values: JSONView, at path: String) throws(EventPatternError) -> [PatternCondition] {
        guard !values.isEmptyContainer else { throw .invalid("Empty arrays are not allowed") }
        var conditions: [PatternCondition] = []
        for value in values.elements {
            if let exact = ExactValue(value) {
                conditions.append(.exact(exact))
            } else if value.kind == .object {
                conditions.append(try condition(value, at: path))
            } else {
                throw .invalid("Match value must be String, number, true, false, or null")
            }
        }
        let wildcards = conditions.map { condition -> [Wildcard] in
            switch condition {
            case .wildcard(let wildcard): [wildcard]
            case .anythingBut(let exclusion): exclusion.values.compactMap { if case .wildcard(let wildcard) = $0 { wildcard } else { nil } }
            default: []
            }
        }
        if WildcardComplexity.measure(wildcards) > WildcardComplexity.limit {
            let hint = "try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"
            throw .invalid("Rule is too complex - \(hint)")
        }
        return conditions
    }

    /// The first member of an object, and whether it is the only one; a key that comes twice is two.
    static func onlyMember(_ object: JSONView) -> (name: String, value: JSONView, isAlone: Bool)? {
        guard !object.isEmptyContainer else { return nil }
        let tape = object.tape
        let key = object.index + 1
        let isAlone = tape.indexAfter(key + 1) == tape.indexAfter(object.index)
        return (String(decoding: tape.string(key), as: UTF8.self), JSONView(tape: tape, index: key + 1), isAlone)
    }

    private static func condition(_ expression: JSONView, at path: String) throws(EventPatternError) -> PatternCondition {
        guard let (name, value, isAlone) = onlyMember(expression) else { throw .invalid("Match expression name not found") }
        var tooMany = "Only one key allowed in match expression"
        let result: PatternCondition
        switch name {
        case "exactly": result = .exact(ExactValue(string: try string(value, "exact")))
        case "prefix":
            result = try affix(value, "prefix", sensitive: { .prefix($0) }, caseless: { .prefixIgnoringCase($0) })
        case "suffix":
            result = try affix(value, "suffix", sensitive: { .suffix($0) }, caseless: { .suffixIgnoringCase($0) })
        case "equals-ignore-case": result = .ignoringCase(CaselessText(try string(value, name)))
        case "wildcard": result = .wildcard(try Wildcard(parsing: try string(value, name)))
        case "numeric":
            tooMany = "Too many elements in numeric expression"
            result = try NumericExpressionParser.condition(value)
        case "anything-but":
            tooMany = "Too many elements in numeric expression"
            result = .anythingBut(try AnythingButParser.exclusion(value, at: path))
        case "exists":
            guard value.kind == .true || value.kind == .false else {
                throw .invalid("exists match pattern must be either true or false.")
            }
            result = value.kind == .true ? .present : .absent
        // The service names the wrong operator here.
        case "cidr": result = .network(try AddressRange(parsing: try string(value, "prefix")))
        default: throw .invalid("Unrecognized match type \(name)")
        }
        guard isAlone else { throw .invalid(tooMany) }
        return result
    }

    static func string(_ value: JSONView, _ name: String) throws(EventPatternError) -> ArraySlice<UInt8> {
        guard let string = value.stringBytes else { throw .invalid("\(name) match pattern must be a string") }
        return string
    }

    private static func affix(
        _ value: JSONView, _ name: String, sensitive: ([UInt8]) -> PatternCondition, caseless: (CaselessText) -> PatternCondition
    ) throws(EventPatternError) -> PatternCondition {
        guard value.kind == .object else { return sensitive(Array(try string(value, name))) }
        guard let (inner, text, isAlone) = onlyMember(value) else {
            // Both operators say so.
            throw .invalid("\(name == "prefix" ? "Prefix" : "Suffix") expression name not found")
        }
        guard inner == "equals-ignore-case" else { throw .invalid("Unsupported \(name) pattern: \(inner)") }
        let result = caseless(CaselessText(try string(text, inner)))
        guard isAlone else { throw .invalid("Only one key allowed in match expression") }
        return result
    }
}
