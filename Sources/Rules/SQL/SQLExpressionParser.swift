/// Reads expressions into programs by precedence: unary and NOT, `* / %`, `+ -`, comparisons, AND, OR.
///
/// The parser recurses only for what is nested: parentheses, literals, arguments, CASE, queries and prefixes. That is at most ``depthMax``
/// deep.
struct SQLExpressionParser {
    /// The deepest nesting of parentheses, literals, arguments, queries and prefixes.
    ///
    /// A deeper expression is refused.
    static let depthMax = 64

    let version: SQLVersion
    let host: SQLHost
    /// The variables that may be used, in the order of SET.
    var variables: [String]
    private var lexer: SQLLexer
    private(set) var token: SQLLexer.Token
    private var depth = 0
    private var program = SQLProgram()

    /// Words that end an expression or belong to the statement around it.
    static let clauseWords: Set<String> = ["SELECT", "FROM", "WHERE", "AS", "WHEN", "THEN", "ELSE", "END"]
    /// Words of SQL elsewhere that Crema refuses by name, and the operators, which are no names either.
    ///
    /// `EXISTS` stands before a query alone.
    static let unsupportedWords: Set<String> = ["EXISTS", "SET", "ORDER", "GROUP", "HAVING", "LIMIT", "IN", "LIKE", "BETWEEN", "IS"]

    init(_ lexer: SQLLexer, version: SQLVersion, variables: [String] = [], host: SQLHost) throws(SQLError) {
        self.version = version
        self.host = host
        self.variables = variables
        self.lexer = lexer
        token = try self.lexer.next()
    }

    var offset: Int { lexer.tokenStart }
    /// The byte after the current token.
    var end: Int { lexer.position }

    mutating func advance() throws(SQLError) { token = try lexer.next() }

    /// The token after the current one, or after so many.
    func peek(_ count: Int = 1) throws(SQLError) -> SQLLexer.Token {
        var copy = lexer
        for _ in 1..<count { _ = try copy.next() }
        return try copy.next()
    }

    /// The current word in upper case, for keywords.
    var keyword: String? { SQLExpressionParser.keyword(token) }

    static func keyword(_ token: SQLLexer.Token) -> String? {
        guard case .word(let word) = token else { return nil }
        return word.uppercased()
    }

    func unexpected(_ expected: String) -> SQLError {
        SQLError(offset: offset, message: "\(expected) expected, found \(token.name)")
    }

    /// Reads one expression; the token after it is current then.
    mutating func expression() throws(SQLError) -> SQLProgram {
        let outer = program
        program = SQLProgram()
        try parse(above: 0)
        defer { program = outer }
        return program
    }

    // MARK: Emitting

    mutating func emit(_ instruction: SQLProgram.Instruction) { program.instructions.append(instruction) }

    /// Where the next instruction will stand.
    var place: Int { program.instructions.count }

    /// Puts in an instruction whose place was kept for it.
    mutating func patch(_ place: Int, _ instruction: SQLProgram.Instruction) { program.instructions[place] = instruction }

    mutating func dropInstructions(after place: Int) { program.instructions.removeSubrange((place + 1)...) }

    /// The text of what was read since `place`, if that was a string and nothing else.
    func literalText(since place: Int) -> ArraySlice<UInt8>? {
        SQLProgram(instructions: Array(program.instructions[place...])).literalText
    }

    mutating func descend() throws(SQLError) {
        depth += 1
        guard depth <= SQLExpressionParser.depthMax else {
            throw SQLError(offset: offset, message: "expression nests deeper than \(SQLExpressionParser.depthMax) levels")
        }
    }

    mutating func ascend() { depth -= 1 }

    // MARK: Operators

    static let comparisonBinding = 3

    /// Reads operators that bind tighter than `level`.
    mutating func parse(above level: Int) throws(SQLError) {
        try operand()
        var lastComparison = false
        while let (operation, binding) = try binaryOperator(), binding > level {
            let isComparison = binding == SQLExpressionParser.comparisonBinding
            if isComparison && lastComparison {
                throw SQLError(offset: offset, message: "comparisons do not chain; write parentheses")
            }
            lastComparison = isComparison
            guard let operation else {
                try predicate()
                continue
            }
            try advance()
            // At most five levels of operators, so this recursion has a bound of its own.
            try parse(above: binding)
            emit(.binary(operation))
        }
    }

    /// The operator at the current token; nil for one of words, which ``predicate()`` reads.
    func binaryOperator() throws(SQLError) -> (SQLProgram.Operator?, binding: Int)? {
        switch token {
        case .symbol(.equal): return (.equal, 3)
        case .symbol(.notEqual): return (.notEqual, 3)
        case .symbol(.less): return (.less, 3)
        case .symbol(.lessOrEqual): return (.lessOrEqual, 3)
        case .symbol(.greater): return (.greater, 3)
        case .symbol(.greaterOrEqual): return (.greaterOrEqual, 3)
        case .symbol(.plus): return (.add, 4)
        case .symbol(.minus): return (.subtract, 4)
        case .symbol(.star): return (.multiply, 5)
        case .symbol(.slash): return (.divide, 5)
        case .symbol(.percent): return (.remainder, 5)
        case .symbol(.openBracket):
            throw SQLError(offset: offset, message: "'[ ]' is not an operator of this language; write get(array, index)")
        default: break
        }
        switch keyword {
        case "OR": return (.or, 1)
        case "AND": return (.and, 2)
        case "LIKE", "IN", "BETWEEN", "IS", "NOT": return (nil, 3)
        case let word? where SQLExpressionParser.unsupportedWords.contains(word): throw .unsupported("operator", word, at: offset)
        default: return nil
        }
    }

    /// `[NOT] LIKE`, `[NOT] IN`, `[NOT] BETWEEN`, `IS [NOT] NULL`, after their left side.
    private mutating func predicate() throws(SQLError) {
        if keyword == "IS" {
            try advance()
            let isNegated = keyword == "NOT"
            if isNegated { try advance() }
            guard keyword == "NULL" else { throw unexpected("NULL") }
            try advance()
            emit(.isNull)
            if isNegated { emit(.not) }
            return
        }
        let isNegated = keyword == "NOT"
        if isNegated { try advance() }
        switch keyword {
        case "LIKE":
            try advance()
            try parse(above: SQLExpressionParser.comparisonBinding)
            emit(.binary(.like))
        case "BETWEEN":
            try advance()
            try parse(above: SQLExpressionParser.comparisonBinding)
            guard keyword == "AND" else { throw unexpected("AND") }
            try advance()
            try parse(above: SQLExpressionParser.comparisonBinding)
            emit(.between)
        case "IN":
            try advance()
            try candidates()
        default: throw unexpected("LIKE, IN or BETWEEN")
        }
        if isNegated { emit(.not) }
    }

    /// What stands after IN: values in parentheses or brackets, or an expression whose value is an array.
    private mutating func candidates() throws(SQLError) {
        switch token {
        case .symbol(.open):
            guard SQLExpressionParser.keyword(try peek()) == "SELECT" else {
                let count = try list(closing: .close)
                // One value in parentheses may be the array.
                emit(count == 1 ? .inArrayOrEqual : .inList(count))
                return
            }
        case .symbol(.openBracket):
            let count = try list(closing: .closeBracket)
            emit(.inList(count))
            return
        default: break
        }
        try parse(above: SQLExpressionParser.comparisonBinding)
        emit(.inArray)
    }

    private mutating func list(closing: SQLLexer.Symbol) throws(SQLError) -> Int {
        try descend()
        var count = 0
        repeat {
            try advance()
            try parse(above: 0)
            count += 1
        } while token == .symbol(.comma)
        guard token == .symbol(closing) else { throw unexpected("'\(closing.rawValue)'") }
        try advance()
        ascend()
        return count
    }
}
