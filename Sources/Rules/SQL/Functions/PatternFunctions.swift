/// Functions of regular expressions.
extension SQLFunction {
    static let patterns: [SQLFunction] = [
        SQLFunction("regexp_matches", 2, prepare: expression) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, expression) = try subject(arguments, &evaluation) else { return .undefined }
            let found = try evaluation.budget.search { expression.firstMatch(in: text, from: 0, wantsGroups: false, steps: &$0) }
            return .boolean(found != nil)
        },
        SQLFunction("regexp_substr", 2, prepare: expression) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, expression) = try subject(arguments, &evaluation) else { return .undefined }
            let found = try evaluation.budget.search { expression.firstMatch(in: text, from: 0, wantsGroups: false, steps: &$0) }
            return found.map { .string(utf8(text[$0[0]..<$0[1]])[...]) } ?? .undefined
        },
        SQLFunction("regexp_replace", 3, prepare: expression) { evaluation, arguments throws(SQLEvaluationError) in
            guard let (text, expression) = try subject(arguments, &evaluation), let other = try evaluation.text(arguments[2]) else {
                return .undefined
            }
            guard let replacement = RegularExpressionReplacement(parsing: other, groupCount: expression.groupCount) else {
                return .undefined
            }
            return try replacing(expression, by: replacement, in: text, &evaluation)
        },
    ]

    @Sendable private static func expression(
        _ literals: [ArraySlice<UInt8>?], _ host: SQLHost
    ) throws(SQLArgumentProblem) -> SQLConstant? {
        guard let text = literals[1] else { return nil }
        do throws(RegularExpressionProblem) {
            return .regex(try RegularExpression(parsing: text))
        } catch {
            throw SQLArgumentProblem(argument: 1, message: error.message)
        }
    }

    /// The text to search and what to search for; nil where either is none.
    private static func subject(
        _ arguments: SQLArguments, _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> ([Unicode.Scalar], RegularExpression)? {
        guard let (text, pattern) = try texts(arguments, &evaluation) else { return nil }
        try evaluation.budget.spend(regexSteps: text.count)
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        if case .regex(let expression) = arguments.constant { return (scalars, expression) }
        // An expression that the message brings costs what reading it costs.
        let result = try evaluation.budget.search { steps -> Result<RegularExpression, RegularExpressionProblem>? in
            do throws(RegularExpressionProblem) { return .success(try RegularExpression(parsing: pattern, steps: &steps)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let expression): return (scalars, expression)
        case .failure(.unsupported(let what)): throw .unsupported(RegularExpressionProblem.unsupported(what).message)
        case .failure(.invalid), nil: return nil
        }
    }

    private static func utf8(_ scalars: ArraySlice<Unicode.Scalar>) -> [UInt8] {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return Array(String(text).utf8)
    }

    private static func replacing(
        _ expression: RegularExpression, by replacement: RegularExpressionReplacement, in text: [Unicode.Scalar],
        _ evaluation: inout SQLEvaluation
    ) throws(SQLEvaluationError) -> SQLValue {
        var output: [UInt8] = []
        var (position, copied) = (0, 0)
        while position <= text.count {
            let found = try evaluation.budget.search { expression.firstMatch(in: text, from: position, wantsGroups: true, steps: &$0) }
            guard let found else { break }
            output += utf8(text[copied..<found[0]])
            let start = output.count
            // Also those of which nothing comes.
            try evaluation.budget.spend(steps: replacement.parts.count)
            for part in replacement.parts {
                switch part {
                case .text(let text): output += text
                case .group(let group):
                    let (first, last) = (found[group * 2], found[group * 2 + 1])
                    if first >= 0, last >= first { output += utf8(text[first..<last]) }
                }
            }
            try evaluation.budget.spend(bytes: output.count - start)
            copied = found[1]
            // After an empty match the next one begins a character further on.
            position = found[1] > found[0] ? found[1] : found[1] + 1
        }
        return .string((output + utf8(text[copied...]))[...])
    }
}

/// What replaces a match: text, and groups by `$` and their number; `\` takes the next character as it is.
struct RegularExpressionReplacement {
    enum Part {
        case text([UInt8])
        case group(Int)
    }

    private(set) var parts: [Part] = []

    /// Nil for a group that does not exist, and for a sign that stands alone.
    init?(parsing text: ArraySlice<UInt8>, groupCount: Int) {
        var literal: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                literal.append(next)
            case UInt8(ascii: "$"):
                guard let digit = rest.popFirst(), JSONParser.isDigit(digit) else { return nil }
                var group = Int(digit & 0x0F)
                guard group < groupCount else { return nil }
                // As many digits as there are groups for.
                while let digit = rest.first, JSONParser.isDigit(digit), group * 10 + Int(digit & 0x0F) < groupCount {
                    group = group * 10 + Int(digit & 0x0F)
                    rest = rest.dropFirst()
                }
                if !literal.isEmpty { parts.append(.text(literal)) }
                literal = []
                parts.append(.group(group))
            default: literal.append(byte)
            }
        }
        if !literal.isEmpty { parts.append(.text(literal)) }
    }
}
