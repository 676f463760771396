/// Reads expressions into programs by precedence: unary and NOT, `* / %`, `+ -`, comparisons, AND, OR.
///
/// The parser recurses only for parentheses, arguments and prefixes, and at most ``depthMax`` deep.
struct SQLExpressionParser {
    /// The deepest nesting of parentheses and prefixes.
    ///
    /// A deeper expression is refused.
    static let depthMax = 64

    private var lexer: SQLLexer
    private(set) var token: SQLLexer.Token
    private var depth = 0
    private var program = SQLProgram()

    /// Words that end an expression or belong to the statement around it.
    static let clauseWords: Set<String> = ["SELECT", "FROM", "WHERE", "AS"]
    /// Operators and forms of the service that Crema refuses by name.
    private static let unsupportedWords: Set<String> = [
        "IN", "LIKE", "BETWEEN", "IS", "CASE", "WHEN", "THEN", "ELSE", "END", "EXISTS", "SET", "ORDER", "GROUP", "HAVING", "LIMIT",
    ]

    init(_ lexer: SQLLexer) throws(SQLError) {
        self.lexer = lexer
        token = try self.lexer.next()
    }

    var offset: Int { lexer.tokenStart }
    /// The byte after the current token.
    var end: Int { lexer.position }

    mutating func advance() throws(SQLError) { token = try lexer.next() }

    /// The token after the current one.
    func peek() throws(SQLError) -> SQLLexer.Token {
        var copy = lexer
        return try copy.next()
    }

    /// The current word in upper case, for keywords.
    var keyword: String? {
        guard case .word(let word) = token else { return nil }
        return word.uppercased()
    }

    func unexpected(_ expected: String) -> SQLError {
        SQLError(offset: offset, message: "\(expected) expected, found \(token.name)")
    }

    /// Reads one expression; the token after it is current then.
    mutating func expression() throws(SQLError) -> SQLProgram {
        program = SQLProgram()
        try parse(above: 0)
        return program
    }

    private mutating func descend() throws(SQLError) {
        depth += 1
        guard depth <= SQLExpressionParser.depthMax else {
            throw SQLError(offset: offset, message: "expression nests deeper than \(SQLExpressionParser.depthMax) levels")
        }
    }

    /// Reads operators that bind tighter than `level`.
    private mutating func parse(above level: Int) throws(SQLError) {
        try operand()
        var lastComparison = false
        while let (operation, binding) = try binaryOperator(), binding > level {
            let isComparison = binding == SQLExpressionParser.comparisonBinding
            if isComparison && lastComparison {
                throw SQLError(offset: offset, message: "comparisons do not chain; write parentheses")
            }
            lastComparison = isComparison
            try advance()
            // At most five levels of operators, so this recursion has a bound of its own.
            try parse(above: binding)
            program.instructions.append(.binary(operation))
        }
    }

    private static let comparisonBinding = 3

    private func binaryOperator() throws(SQLError) -> (SQLProgram.Operator, binding: Int)? {
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
        case .symbol(.openBracket): throw .unsupported("operator", "[ ]", at: offset)
        default: break
        }
        switch keyword {
        case "OR": return (.or, 1)
        case "AND": return (.and, 2)
        case "NOT": throw .unsupported("operator", "NOT LIKE or NOT IN", at: offset)
        case let word? where SQLExpressionParser.unsupportedWords.contains(word): throw .unsupported("operator", word, at: offset)
        default: return nil
        }
    }

    private mutating func operand() throws(SQLError) {
        switch token {
        case .number(let text):
            guard let number = SQLNumber(text) else { throw SQLError(offset: offset, message: "number out of range") }
            try literal(.number(number))
        case .string(let text): try literal(.string(text))
        case .symbol(.minus): try negation()
        case .symbol(.open): try parenthesised()
        case .symbol(.openBracket): throw .unsupported("literal", "[ ]", at: offset)
        case .symbol(.openBrace): throw .unsupported("literal", "{ }", at: offset)
        case .symbol(.at): throw .unsupported("variable", "@", at: offset)
        case .word(let word): try self.word(word)
        case .symbol, .end: throw unexpected("an expression")
        }
    }

    private mutating func literal(_ value: SQLValue) throws(SQLError) {
        program.instructions.append(.literal(value))
        try advance()
    }

    private mutating func negation() throws(SQLError) {
        try descend()
        try advance()
        try operand()
        program.instructions.append(.negate)
        depth -= 1
    }

    private mutating func parenthesised() throws(SQLError) {
        try descend()
        try advance()
        if keyword == "SELECT" { throw .unsupported("nested query", "(SELECT …)", at: offset) }
        try parse(above: 0)
        try close()
        depth -= 1
        if token == .symbol(.dot) { throw .unsupported("access", "( ).name", at: offset) }
    }

    private mutating func close() throws(SQLError) {
        guard token == .symbol(.close) else { throw unexpected("')'") }
        try advance()
    }

    private mutating func word(_ word: String) throws(SQLError) {
        if try peek() == .symbol(.open), !["NOT", "AND", "OR"].contains(word.uppercased()) {
            return try function(word)
        }
        switch word.uppercased() {
        case "TRUE": try literal(.boolean(true))
        case "FALSE": try literal(.boolean(false))
        case "NULL": try literal(.null)
        case "NOT": try not()
        case "AND", "OR": throw unexpected("an expression")
        case let keyword where SQLExpressionParser.clauseWords.contains(keyword): throw unexpected("an expression")
        case let keyword where SQLExpressionParser.unsupportedWords.contains(keyword):
            throw .unsupported("keyword", keyword, at: offset)
        default: try attribute(word)
        }
    }

    private mutating func not() throws(SQLError) {
        try descend()
        let start = offset
        try advance()
        try operand()
        program.instructions.append(.not)
        depth -= 1
        // The language binds NOT tighter than `=`, SQL elsewhere looser: nobody means `(NOT a) = b`.
        if let (_, binding) = try binaryOperator(), binding >= SQLExpressionParser.comparisonBinding {
            throw SQLError(offset: start, message: "NOT before a comparison is ambiguous; write NOT ( … ) around all of it")
        }
    }

    private mutating func attribute(_ first: String) throws(SQLError) {
        var path = [ArraySlice(first.utf8)]
        try advance()
        while token == .symbol(.dot) {
            try advance()
            guard case .word(let name) = token else { throw unexpected("an attribute name after '.'") }
            path.append(ArraySlice(name.utf8))
            try advance()
            if token == .symbol(.open) { throw SQLError(offset: offset, message: "'\(name)' is not a function") }
        }
        program.instructions.append(.attribute(path))
    }

    /// `isUndefined(x)`, after its name was seen: true for an attribute that the message does not have.
    private mutating func isUndefined() throws(SQLError) {
        try descend()
        try advance()
        try advance()
        try parse(above: 0)
        program.instructions.append(.isUndefined)
        try close()
        depth -= 1
    }

    private mutating func function(_ name: String) throws(SQLError) {
        let start = offset
        let instruction: SQLProgram.Instruction
        switch name {
        case "topic": instruction = .topic
        case "clientid": instruction = .clientID
        case "timestamp": instruction = .timestamp
        case "principal": instruction = .principal
        case "isUndefined": return try isUndefined()
        default: throw .unsupported("function", name, at: start)
        }
        try descend()
        try advance()
        try advance()
        if token == .symbol(.close) {
            program.instructions.append(instruction)
        } else {
            guard name == "topic" else { throw SQLError(offset: offset, message: "\(name)() takes no argument") }
            try parse(above: 0)
            program.instructions.append(.topicLevel)
        }
        try close()
        depth -= 1
        if token == .symbol(.dot) { throw .unsupported("access", "\(name)().name", at: offset) }
    }
}
