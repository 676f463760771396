/// YAML 1.2's core schema (section 10.3.2): what an unquoted scalar means.
enum CoreSchema {
    static func kind(of text: String) -> Node.Scalar.Kind {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "false", "False", "FALSE": return .boolean
        default: return isNumber(text) ? .number : .string
        }
    }

    /// The JSON spelling of a number, as near to the written one as JSON allows; `nil` for what JSON cannot say.
    static func jsonNumber(_ text: String) -> String? {
        if let value = radixValue(text) { return String(value) }
        var digits = Substring(text)
        var sign = ""
        if digits.first == "+" || digits.first == "-" {
            if digits.removeFirst() == "-" { sign = "-" }
        }
        let exponentStart = digits.firstIndex { $0 == "e" || $0 == "E" } ?? digits.endIndex
        let parts = digits[..<exponentStart].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, isDigits(whole, orEmpty: true) else { return nil }
        let fraction = parts.count > 1 ? parts[1] : ""
        guard isDigits(fraction, orEmpty: true), !(whole.isEmpty && fraction.isEmpty) else { return nil }
        let trimmed = whole.drop { $0 == "0" }
        return sign + (trimmed.isEmpty ? "0" : trimmed) + (fraction.isEmpty ? "" : "." + fraction) + digits[exponentStart...]
    }

    private static func isNumber(_ text: String) -> Bool {
        let first = text.utf8.first ?? 0
        guard first == 0x2B || first == 0x2D || first == 0x2E || (0x30...0x39).contains(first) else { return false }
        if radixValue(text) != nil { return true }
        var rest = Substring(text)
        if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
        switch rest {
        case ".inf", ".Inf", ".INF": return true
        default: break
        }
        if text == ".nan" || text == ".NaN" || text == ".NAN" { return true }
        if let exponent = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            var power = rest[rest.index(after: exponent)...]
            if power.first == "+" || power.first == "-" { power.removeFirst() }
            guard isDigits(power, orEmpty: false) else { return false }
            rest = rest[..<exponent]
        }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, isDigits(whole, orEmpty: parts.count > 1) else { return false }
        guard parts.count > 1 else { return true }
        return isDigits(parts[1], orEmpty: !whole.isEmpty)
    }

    private static func radixValue(_ text: String) -> UInt64? {
        if text.hasPrefix("0x") { return unsigned(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return unsigned(text.dropFirst(2), radix: 8) }
        return nil
    }

    private static func unsigned(_ digits: Substring, radix: Int) -> UInt64? {
        guard let first = digits.first, first != "+", first != "-" else { return nil }
        return UInt64(digits, radix: radix)
    }

    private static func isDigits(_ text: Substring, orEmpty: Bool) -> Bool {
        (orEmpty || !text.isEmpty) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
