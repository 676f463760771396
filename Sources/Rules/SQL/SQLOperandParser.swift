/// The operands of expressions: literals, attributes, variables, parentheses, CASE, functions and nested queries.
extension SQLExpressionParser {
    mutating func operand() throws(SQLError) {
        switch token {
        case .number(let text):
            guard let number = SQLNumber(text) else { throw SQLError(offset: offset, message: "number out of range") }
            try literal(.number(number))
        case .string(let text): try literal(.string(text))
        case .variable(let name): try variable(name)
        case .symbol(.minus): try negation()
        case .symbol(.open): try parenthesised()
        case .symbol(.openBracket): try array()
        case .symbol(.openBrace): try object()
        case .word(let word): try self.word(word)
        case .symbol, .end: throw unexpected("an expression")
        }
    }

    private mutating func literal(_ value: SQLValue) throws(SQLError) {
        emit(.literal(value))
        try advance()
    }

    private mutating func negation() throws(SQLError) {
        try descend()
        try advance()
        try operand()
        emit(.negate)
        ascend()
    }

    private mutating func parenthesised() throws(SQLError) {
        if SQLExpressionParser.keyword(try peek()) == "SELECT" {
            try query()
        } else {
            try descend()
            try advance()
            try parse(above: 0)
            try expect(.close)
            ascend()
        }
        try members()
    }

    /// `(SELECT …)`, its `(` being the current token.
    private mutating func query() throws(SQLError) {
        guard version >= .v2016 else { throw .needsVersion2016("a nested query", at: offset) }
        try descend()
        try advance()
        try nestedQuery()
        try expect(.close)
        ascend()
    }

    /// `EXISTS (SELECT …)`, its name being the current token.
    private mutating func exists() throws(SQLError) {
        try advance()
        guard token == .symbol(.open), SQLExpressionParser.keyword(try peek()) == "SELECT" else {
            throw unexpected("'(SELECT …)' after EXISTS")
        }
        try query()
        emit(.exists)
    }

    mutating func expect(_ symbol: SQLLexer.Symbol) throws(SQLError) {
        guard token == .symbol(symbol) else { throw unexpected("'\(symbol.rawValue)'") }
        try advance()
    }

    private mutating func word(_ word: String) throws(SQLError) {
        if try peek() == .symbol(.open), !["NOT", "AND", "OR", "CASE", "EXISTS"].contains(word.uppercased()) {
            return try function(word)
        }
        switch word.uppercased() {
        case "TRUE": try literal(.boolean(true))
        case "FALSE": try literal(.boolean(false))
        case "NULL": try literal(.null)
        case "NOT": try not()
        case "CASE": try cases()
        case "EXISTS": try exists()
        case "AND", "OR": throw unexpected("an expression")
        case let keyword where SQLExpressionParser.clauseWords.contains(keyword): throw unexpected("an expression")
        case let keyword where SQLExpressionParser.unsupportedWords.contains(keyword):
            throw .unsupported("keyword", keyword, at: offset)
        default: emit(.attribute(try path()))
        }
    }

    private mutating func not() throws(SQLError) {
        try descend()
        let start = offset
        try advance()
        try operand()
        emit(.not)
        ascend()
        // The language binds NOT tighter than `=`, SQL elsewhere looser: nobody means `(NOT a) = b`.
        if let (_, binding) = try binaryOperator(), binding >= SQLExpressionParser.comparisonBinding {
            throw SQLError(offset: start, message: "NOT before a comparison is ambiguous; write NOT ( … ) around all of it")
        }
    }

    // MARK: Names

    /// A name and further ones after dots.
    mutating func path() throws(SQLError) -> [ArraySlice<UInt8>] {
        guard case .word(let first) = token else { throw unexpected("the name of an attribute") }
        try advance()
        return [ArraySlice(first.utf8)] + (try names())
    }

    /// `.name` after something that has a value.
    private mutating func members() throws(SQLError) {
        let names = try names()
        if !names.isEmpty { emit(.member(names)) }
    }

    private mutating func names() throws(SQLError) -> [ArraySlice<UInt8>] {
        var names: [ArraySlice<UInt8>] = []
        while token == .symbol(.dot) {
            try advance()
            guard case .word(let name) = token else { throw unexpected("an attribute name after '.'") }
            names.append(ArraySlice(name.utf8))
            try advance()
            if token == .symbol(.open) { throw SQLError(offset: offset, message: "'\(name)' is not a function") }
        }
        return names
    }

    private mutating func variable(_ name: String) throws(SQLError) {
        guard let position = variables.firstIndex(of: name) else {
            throw SQLError(offset: offset, message: "no SET gives the variable '@\(name)' a value before it is used")
        }
        emit(.variable(position))
        try advance()
        try members()
    }

    // MARK: Literals of arrays and objects

    private mutating func array() throws(SQLError) {
        guard version >= .v2016 else { throw .needsVersion2016("an array literal", at: offset) }
        try descend()
        try advance()
        var count = 0
        while token != .symbol(.closeBracket) {
            if count > 0 { try expect(.comma) }
            try element(endingWith: .closeBracket)
            count += 1
        }
        try advance()
        ascend()
        emit(.array(count))
    }

    private mutating func object() throws(SQLError) {
        guard version >= .v2016 else { throw .needsVersion2016("an object literal", at: offset) }
        try descend()
        try advance()
        var keys: [ArraySlice<UInt8>] = []
        var known: Set<ByteKey> = []
        while token != .symbol(.closeBrace) {
            if !keys.isEmpty { try expect(.comma) }
            guard case .string(let key) = token else { throw unexpected("a key in quotes") }
            guard known.insert(ByteKey(key)).inserted else {
                throw SQLError(offset: offset, message: "the object has the key '\(String(decoding: key, as: UTF8.self))' twice")
            }
            keys.append(key)
            try advance()
            try expect(.colon)
            try element(endingWith: .closeBrace)
        }
        try advance()
        ascend()
        emit(.object(keys))
        try members()
    }

    /// An argument, or a value in a literal: an expression, or `*` for all there is.
    private mutating func element(endingWith closing: SQLLexer.Symbol) throws(SQLError) {
        guard token == .symbol(.star) else { return try parse(above: 0) }
        let next = try peek()
        guard next == .symbol(.comma) || next == .symbol(closing) else { throw unexpected("an expression") }
        try advance()
        emit(.everything)
    }

    // MARK: CASE

    private mutating func cases() throws(SQLError) {
        try descend()
        try advance()
        if keyword == "WHEN" {
            throw SQLError(offset: offset, message: "CASE without a value before WHEN is not a form of this language")
        }
        try parse(above: 0)
        var exits = [place]
        let start = place
        emit(.discard)  // becomes the way out for Undefined
        guard keyword == "WHEN" else { throw unexpected("WHEN") }
        while keyword == "WHEN" {
            try advance()
            try parse(above: 0)
            let test = place
            emit(.discard)
            guard keyword == "THEN" else { throw unexpected("THEN") }
            try advance()
            try parse(above: 0)
            exits.append(place)
            emit(.discard)
            patch(test, .jumpUnlessEqual(place))
        }
        emit(.discard)
        if keyword == "ELSE" {
            try advance()
            try parse(above: 0)
        } else {
            emit(.literal(.undefined))
        }
        guard keyword == "END" else { throw unexpected("WHEN, ELSE or END") }
        try advance()
        for exit in exits { patch(exit, exit == start ? .jumpIfUndefined(place) : .jump(place)) }
        // The last instruction of a CASE is none that names a result.
        emit(.jump(place + 1))
        ascend()
    }

    // MARK: Nested queries

    private mutating func nestedQuery() throws(SQLError) {
        try advance()
        let selection = try selection()
        guard keyword == "FROM" else { throw unexpected("',' or FROM") }
        try advance()
        var source = SQLProgram()
        if case .variable(let name) = token {
            guard let position = variables.firstIndex(of: name) else {
                throw SQLError(offset: offset, message: "no SET gives the variable '@\(name)' a value before it is used")
            }
            try advance()
            source.instructions.append(.variable(position))
            let names = try names()
            if !names.isEmpty { source.instructions.append(.member(names)) }
        } else {
            source.instructions.append(.attribute(try path()))
        }
        let alias = try elementName()
        var condition: SQLProgram?
        if keyword == "WHERE" {
            try advance()
            condition = try expression()
        }
        emit(.nested(SQLNestedQuery(selection: selection, source: source, alias: alias, condition: condition)))
    }

    /// `AS name` after the path of a query: what its elements are called in it.
    private mutating func elementName() throws(SQLError) -> ArraySlice<UInt8>? {
        guard keyword == "AS" else { return nil }
        try advance()
        guard case .word(let name) = token, keyword.map({ !SQLExpressionParser.clauseWords.contains($0) }) ?? false else {
            throw unexpected("a name after AS")
        }
        try advance()
        return ArraySlice(name.utf8)
    }

    // MARK: Functions

    /// A call, its name being the current token and `(` the next one.
    private mutating func function(_ name: String) throws(SQLError) {
        let start = offset
        try descend()
        if name.lowercased() == "cast" {
            try cast()
        } else {
            let function = try known(name, at: start)
            try advance()
            try advance()
            try call(function, at: start)
        }
        ascend()
        try members()
    }

    private func known(_ name: String, at offset: Int) throws(SQLError) -> SQLFunction {
        let key = name.lowercased()
        if let function = SQLFunction.all[key] {
            guard version >= function.since else { throw .needsVersion2016("function '\(function.name)'", at: offset) }
            return function
        }
        if let reason = SQLFunction.refused[key] {
            throw SQLError(offset: offset, message: "function '\(name)' is not supported: \(reason)")
        }
        throw SQLError(offset: offset, message: "function '\(name)' is not known")
    }

    /// The arguments and what follows from them; the first one or `)` is the current token.
    private mutating func call(_ function: SQLFunction, at start: Int) throws(SQLError) {
        let takesPayload = function.name == "encode" && token == .symbol(.star)
        let first = place
        var literals: [ArraySlice<UInt8>?] = []
        var offsets: [Int] = []
        while token != .symbol(.close) {
            if !literals.isEmpty { try expect(.comma) }
            let begin = place
            offsets.append(offset)
            try element(endingWith: .close)
            literals.append(literalText(since: begin))
        }
        guard function.arguments.contains(literals.count) else {
            throw SQLError(offset: start, message: "\(function.name)() takes \(function.arity), not \(literals.count)")
        }
        try advance()
        var constant: SQLConstant?
        do throws(SQLArgumentProblem) {
            constant = try function.prepare?(literals, host)
        } catch {
            throw SQLError(offset: offsets.indices.contains(error.argument) ? offsets[error.argument] : start, message: error.message)
        }
        if takesPayload {
            patch(first, .encodePayload)
            dropInstructions(after: first)
        } else {
            emit(.call(function, arguments: literals.count, constant))
        }
    }

    /// `cast(value AS type)`, its name being the current token.
    private mutating func cast() throws(SQLError) {
        try advance()
        try advance()
        try parse(above: 0)
        guard keyword == "AS" else { throw unexpected("AS") }
        try advance()
        guard case .word(let type) = token else { throw unexpected("a type") }
        guard let cast = SQLCast(named: type) else { throw .unsupported("type", type, at: offset) }
        if cast.since > version { throw .needsVersion2016("type '\(type)'", at: offset) }
        try advance()
        try expect(.close)
        emit(.cast(cast))
    }
}
