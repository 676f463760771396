/// Reads the list that follows `numeric`: `["=", 5]`, `["<", 10]`, `[">", 0, "<=", 5]`.
enum NumericExpressionParser {
    static func condition(_ value: JSONView) throws(EventPatternError) -> PatternCondition {
        guard value.kind == .array else { throw .invalid("Value of numeric must be an array.") }
        let spelling = String(decoding: value.rawJSON, as: UTF8.self)
        var elements = value.elements
        let first = elements.next()
        guard let name = first?.stringValue else { throw .invalid("Invalid member in numeric match: \(text(of: first))") }
        let operand = elements.next()
        switch name {
        case "=":
            let number = try self.number(operand, "equals")
            guard elements.next() == nil else { throw tooMany }
            return .exact(.number(number))
        case "<", "<=":
            let top = try number(operand, name)
            guard elements.next() == nil else { throw tooMany }
            return .numeric(NumericRange(bottom: nil, top: (top, name == "<"), spelling: spelling))
        case ">", ">=":
            let bottom = (value: try number(operand, name), isOpen: name == ">")
            guard let next = elements.next() else { return .numeric(NumericRange(bottom: bottom, top: nil, spelling: spelling)) }
            return .numeric(try range(from: bottom, upTo: next, &elements, spelling: spelling))
        default: throw .invalid("Unrecognized numeric range operator: \(name)")
        }
    }

    private static func range(
        from bottom: (value: UInt64, isOpen: Bool), upTo next: JSONView, _ elements: inout JSONElements, spelling: String
    ) throws(EventPatternError) -> NumericRange {
        guard let name = next.stringValue else { throw .invalid("Bad value in numeric range: \(text(of: next))") }
        guard name == "<" || name == "<=" else { throw .invalid("Bad numeric range operator: \(name)") }
        let top = try number(elements.next(), name)
        guard elements.next() == nil else { throw .invalid("Too many terms in numeric range expression") }
        guard bottom.value < top else { throw .invalid("Bottom must be less than top") }
        return NumericRange(bottom: bottom, top: (top, name == "<"), spelling: spelling)
    }

    private static let tooMany = EventPatternError.invalid("Too many elements in numeric expression")

    private static func number(_ value: JSONView?, _ name: String) throws(EventPatternError) -> UInt64 {
        guard let value, value.kind == .number else { throw .invalid("Value of \(name) must be numeric") }
        return try number(value)
    }

    /// A number that can be compared.
    static func number(_ value: JSONView) throws(EventPatternError) -> UInt64 {
        let spelling = value.tape.spelling(value.index)
        guard let number = NumberKey.comparable(spelling) else {
            throw .invalid("Cannot compare number : \(String(decoding: spelling, as: UTF8.self))")
        }
        return NumberKey.ordered(number)
    }

    /// A token as the service's parser shows it.
    private static func text(of value: JSONView?) -> String {
        guard let value else { return "]" }
        switch value.kind {
        case .object: return "{"
        case .array: return "["
        default: return value.scalarText.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
    }
}
