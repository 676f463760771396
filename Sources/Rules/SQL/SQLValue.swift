/// A value while an expression is computed.
enum SQLValue: Sendable {
    /// Nothing there, or nothing that makes sense: it is neither equal nor unequal to anything.
    case undefined
    case null
    case boolean(Bool)
    case number(SQLNumber)
    case string(ArraySlice<UInt8>)
    /// A value of the payload as it is: passed through with its spelling.
    case json(JSONView)

    /// The payload's scalars as scalars of the language.
    ///
    /// A number out of the language's range is undefined to it.
    var resolved: SQLValue {
        guard case .json(let view) = self else { return self }
        switch view.kind {
        case .object, .array: return self
        case .null: return .null
        case .true: return .boolean(true)
        case .false: return .boolean(false)
        case .string: return .string(view.stringBytes ?? [])
        case .number: return SQLNumber(view.scalarText ?? []).map(SQLValue.number) ?? .undefined
        }
    }

    /// "To Decimal": numbers, and strings that spell one.
    var decimal: SQLNumber? {
        switch resolved {
        case .number(let number): return number
        case .string(let text): return SQLValue.spellsNumber(text) ? SQLNumber(text)?.marked(asDecimal: true) : nil
        case .undefined, .null, .boolean, .json: return nil
        }
    }

    /// "To Boolean": booleans, and the strings `true` and `false` in any case.
    var truth: Bool? {
        switch resolved {
        case .boolean(let value): return value
        case .string(let text) where text.count <= 5:
            let lowered = text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            if lowered.elementsEqual("true".utf8) { return true }
            return lowered.elementsEqual("false".utf8) ? false : nil
        case .undefined, .null, .number, .string, .json: return nil
        }
    }

    /// "To Int" of an index: numbers are rounded, strings cut.
    var index: Int? {
        switch resolved {
        case .number(let number): number.rounded(.nearest).position
        case .string: decimal?.rounded(.towardZero).position
        case .undefined, .null, .boolean, .json: nil
        }
    }

    /// "To String": containers as compact JSON; nothing for Null and Undefined.
    func text(_ version: SQLVersion) -> ArraySlice<UInt8>? {
        switch resolved {
        case .undefined, .null: nil
        case .boolean(let value): ArraySlice((value ? "true" : "false").utf8)
        case .number(let number): ArraySlice(number.text(version).utf8)
        case .string(let text): text
        case .json(let view): view.json(version)[...]
        }
    }

    var isNull: Bool {
        if case .null = resolved { return true }
        return false
    }

    /// The array or object; nil for everything else.
    func container(_ kind: JSONKind) -> JSONView? {
        guard case .json(let view) = self, view.kind == kind else { return nil }
        return view
    }

    /// The text of a string as it lies there, escapes and all; nil for everything else.
    var stringText: ArraySlice<UInt8>? {
        switch self {
        case .string(let text): text
        case .json(let view) where view.kind == .string: view.scalarText
        case .undefined, .null, .boolean, .number, .json: nil
        }
    }

    var isString: Bool {
        if case .string = resolved { return true }
        return false
    }

    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    /// Appends the value as JSON.
    ///
    /// Undefined has none and appends nothing.
    func appendJSON(to output: inout [UInt8], _ version: SQLVersion) {
        switch self {
        case .undefined: break
        case .null: output.append(contentsOf: "null".utf8)
        case .boolean(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): output.append(contentsOf: number.text(version).utf8)
        case .string(let text): JSONText.appendString(text, to: &output)
        case .json(let view): view.appendJSON(to: &output, version)
        }
    }

    /// The language's pattern for numbers in strings: `^-?\d+(\.\d+)?((?i)E-?\d+)?$`.
    private static func spellsNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        guard skipDigits(&rest) else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard skipDigits(&rest) else { return false }
        }
        if let letter = rest.first, letter | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard skipDigits(&rest) else { return false }
        }
        return rest.isEmpty
    }

    private static func skipDigits(_ text: inout ArraySlice<UInt8>) -> Bool {
        let count = text.count
        text = text.drop(while: JSONParser.isDigit)
        return text.count < count
    }
}
