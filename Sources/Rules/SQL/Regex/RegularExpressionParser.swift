/// Reads a regular expression into instructions.
///
/// Recurses once for each level of groups, at most ``RegularExpression/depthMax`` deep.
struct RegularExpressionParser {
    private typealias Instruction = RegularExpression.Instruction

    private let text: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private(set) var groupCount = 1
    /// Instructions written so far, which is what reading costs.
    private(set) var written = 0
    private var ignoresCase = false
    private var dotTakesLineEnds = false
    private var isMultiline = false

    init(_ text: String) {
        self.text = Array(text.unicodeScalars)
    }

    private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private func starts(with prefix: String) -> Bool { text[position...].starts(with: prefix.unicodeScalars) }

    /// The whole expression.
    mutating func expression() throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        try flags()
        let body = try alternatives()
        if next != nil { throw .invalid("')' without its '('") }
        return body
    }

    /// `(?i)`, `(?s)` and `(?m)` at the start.
    private mutating func flags() throws(RegularExpressionProblem) {
        guard starts(with: "(?"), position + 2 < text.count, text[position + 2].properties.isAlphabetic else { return }
        position += 2
        while let letter = next, letter != ")" {
            switch letter {
            case "i": ignoresCase = true
            case "s": dotTakesLineEnds = true
            case "m": isMultiline = true
            default: throw .unsupported("the flag '\(letter)'")
            }
            position += 1
        }
        guard take(")") else { throw .invalid("'(' without its ')'") }
    }

    private mutating func alternatives() throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        let first = try sequence()
        guard next == "|" else { return first }
        var branches = [first]
        var count = first.count
        while take("|") {
            branches.append(try sequence())
            count += branches[branches.count - 1].count + 2
            try check(count)
        }
        try write(count)
        var result: [Instruction] = []
        result.reserveCapacity(count)
        for branch in branches.dropLast() {
            result.append(.split(1, branch.count + 2))
            result += branch
            // Over all branches that follow.
            result.append(.jump(count - result.count))
        }
        return result + branches[branches.count - 1]
    }

    /// Counts what is written for a piece that goes into others.
    private mutating func write(_ count: Int) throws(RegularExpressionProblem) {
        written += count
        guard written <= RegularExpression.instructionsWrittenMax else {
            throw .unsupported("more than \(RegularExpression.instructionsWrittenMax) instructions to read")
        }
    }

    private func check(_ count: Int) throws(RegularExpressionProblem) {
        guard count <= RegularExpression.instructionsMax else {
            throw .unsupported("more than \(RegularExpression.instructionsMax) instructions")
        }
    }

    private mutating func sequence() throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        var result: [Instruction] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let atom = try atom()
            result += try repeated(atom)
            try check(result.count)
        }
        return result
    }

    private mutating func atom() throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        guard let scalar = next else { return [] }
        position += 1
        try write(1)
        switch scalar {
        case "(": return try group()
        case "[": return [.set(try characterClass())]
        case ".": return [.set(dotTakesLineEnds ? .all : .lineEnds.inverted)]
        case "^": return [.assertion(isMultiline ? .lineStart : .textStart)]
        case "$": return [.assertion(isMultiline ? .lineEnd : .textEnd)]
        case "\\": return [try escape()]
        case "*", "+", "?": throw .invalid("'\(scalar)' without anything to repeat")
        case "{": throw .invalid("'{' without anything to repeat")
        default: return [literal(scalar)]
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> RegularExpression.Instruction {
        guard ignoresCase, scalar.isASCII, scalar.properties.isAlphabetic else { return .character(scalar) }
        var set = CharacterSet()
        set.insert(scalar)
        set.ignoreCase()
        return .set(set)
    }

    // MARK: Groups

    /// What stands after `(`.
    private mutating func group() throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        depth += 1
        guard depth <= RegularExpression.depthMax else { throw .unsupported("groups nested deeper than \(RegularExpression.depthMax)") }
        var number: Int?
        if take("?") {
            if starts(with: "<"), position + 1 < text.count, text[position + 1].properties.isAlphabetic {
                number = try newGroup()
                while let letter = next, letter != ">" { position += letter == ")" ? text.count : 1 }
                guard take(">") else { throw .invalid("the name of a group without its '>'") }
            } else if !take(":") {
                throw .unsupported(next.map { "'(?\($0)'" } ?? "'(?'")
            }
        } else {
            number = try newGroup()
        }
        let body = try alternatives()
        guard take(")") else { throw .invalid("'(' without its ')'") }
        depth -= 1
        guard let number else { return body }
        return [.save(number * 2)] + body + [.save(number * 2 + 1)]
    }

    private mutating func newGroup() throws(RegularExpressionProblem) -> Int {
        guard groupCount < RegularExpression.groupsMax else { throw .unsupported("more than \(RegularExpression.groupsMax - 1) groups") }
        groupCount += 1
        return groupCount - 1
    }

    // MARK: Repetition

    private mutating func repeated(
        _ atom: [RegularExpression.Instruction]
    ) throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        guard let (least, most) = try bounds() else { return atom }
        let isLazy = take("?")
        switch next {
        case "+": throw .unsupported("a possessive quantifier")
        case "{": throw .unsupported("a quantifier after a quantifier")
        case "*", "?": throw .invalid("a quantifier after a quantifier")
        default: return try copies(of: atom, least, most, isLazy: isLazy)
        }
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}`; `most` is nil without an upper bound.
    private mutating func bounds() throws(RegularExpressionProblem) -> (least: Int, most: Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        guard take("{") else { return nil }
        guard let least = number() else { throw .invalid("a number expected after '{'") }
        var most: Int? = least
        if take(",") {
            most = next == "}" ? nil : number()
            if next != "}" { throw .invalid("'}' expected after the numbers of a quantifier") }
        }
        guard take("}") else { throw .invalid("'{' without its '}'") }
        if let most, most < least { throw .invalid("a quantifier whose bounds are in the wrong order") }
        return (least, most)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next, ("0"..."9").contains(digit), (value ?? 0) < 100_000 {
            value = (value ?? 0) * 10 + Int(digit.value - 0x30)
            position += 1
        }
        return value
    }

    private mutating func copies(
        of piece: [RegularExpression.Instruction], _ least: Int, _ most: Int?, isLazy: Bool
    ) throws(RegularExpressionProblem) -> [RegularExpression.Instruction] {
        try check((piece.count + 2) * max(least, most ?? least + 1))
        try write((piece.count + 1) * max(least, most ?? least + 1))
        func split(_ inside: Int, _ outside: Int) -> Instruction { isLazy ? .split(outside, inside) : .split(inside, outside) }
        var result: [Instruction] = []
        for _ in 0..<least { result += piece }
        guard let most else {
            // The way out of a turn that took no character is not worse than the next turn, as a backtracking search has it.
            let again = isLazy ? Instruction.split(1, -piece.count) : .split(-piece.count, 1)
            return least > 0 ? result + [again] : [split(1, piece.count + 2)] + piece + [again]
        }
        for remaining in (0..<(most - least)).reversed() {
            // Without this turn, none of those that follow it either.
            result.append(split(1, (piece.count + 1) * (remaining + 1)))
            result += piece
        }
        return result
    }
}

// MARK: - Escapes and classes

extension RegularExpressionParser {
    private mutating func escape() throws(RegularExpressionProblem) -> RegularExpression.Instruction {
        switch next {
        case "b": return assertion(.wordBoundary)
        case "B": return assertion(.noWordBoundary)
        case "A": return assertion(.textStart)
        case "Z": return assertion(.textEnd)
        case "z": return assertion(.veryEnd)
        default: break
        }
        if let set = escapedSet() { return .set(set) }
        return literal(try escapedCharacter())
    }

    private mutating func assertion(_ assertion: RegularExpression.Assertion) -> RegularExpression.Instruction {
        position += 1
        return .assertion(assertion)
    }

    /// `\d`, `\w`, `\s` and their opposites.
    private mutating func escapedSet() -> CharacterSet? {
        let set: CharacterSet
        switch next {
        case "d": set = .digits
        case "D": set = .digits.inverted
        case "w": set = .word
        case "W": set = .word.inverted
        case "s": set = .space
        case "S": set = .space.inverted
        default: return nil
        }
        position += 1
        return set
    }

    private mutating func escapedCharacter() throws(RegularExpressionProblem) -> Unicode.Scalar {
        guard let scalar = next else { throw .invalid("'\\' at the end") }
        position += 1
        switch scalar {
        case "t": return "\t"
        case "n": return "\n"
        case "r": return "\r"
        case "f": return "\u{0C}"
        case "x": return try hexadecimal(digits: 2)
        case "u": return try hexadecimal(digits: 4)
        case let letter where letter.isASCII && (letter.properties.isAlphabetic || letter.properties.numericType != nil):
            throw .unsupported("'\\\(letter)'")
        default: return scalar
        }
    }

    private mutating func hexadecimal(digits: Int) throws(RegularExpressionProblem) -> Unicode.Scalar {
        let end = position + digits
        guard end <= text.count else { throw .invalid("a code point cut short") }
        var value: UInt32 = 0
        while position < end {
            guard let digit = UInt8(exactly: text[position].value).flatMap(JSONStringScanner.hexValue) else {
                throw .invalid("a code point that is no number")
            }
            value = value << 4 | digit
            position += 1
        }
        guard let scalar = Unicode.Scalar(value) else { throw .invalid("half of a surrogate pair") }
        return scalar
    }

    /// What stands after `[`.
    private mutating func characterClass() throws(RegularExpressionProblem) -> CharacterSet {
        var set = CharacterSet()
        let isNegated = take("^")
        var isFirst = true
        while let scalar = next, isFirst || scalar != "]" {
            isFirst = false
            guard set.ranges.count < RegularExpression.classRangesMax else {
                throw .unsupported("a class of more than \(RegularExpression.classRangesMax) ranges")
            }
            position += 1
            if scalar == "[" { throw .unsupported("a class within a class") }
            if scalar == "&", next == "&" { throw .unsupported("'&&'") }
            if scalar == "\\", let other = escapedSet() {
                set.formUnion(other)
                continue
            }
            let lower = scalar == "\\" ? try escapedCharacter() : scalar
            guard next == "-", position + 1 < text.count, text[position + 1] != "]" else {
                set.insert(lower)
                continue
            }
            position += 1
            let upper = try upperBound()
            guard lower <= upper else { throw .invalid("a range of characters in the wrong order") }
            set.insert(lower.value...upper.value)
        }
        guard take("]") else { throw .invalid("'[' without its ']'") }
        if ignoresCase { set.ignoreCase() }
        set.isNegated = isNegated
        return set
    }

    private mutating func upperBound() throws(RegularExpressionProblem) -> Unicode.Scalar {
        guard let scalar = next else { throw .invalid("'[' without its ']'") }
        position += 1
        switch scalar {
        case "[": throw .unsupported("a class within a class")
        case "\\": return try escapedCharacter()
        default: return scalar
        }
    }
}
