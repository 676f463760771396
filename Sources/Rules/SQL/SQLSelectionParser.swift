/// What a SELECT asks for, of a statement and of a nested query.
extension SQLExpressionParser {
    /// Whether `VALUE` is the keyword here: it is also the name of an attribute that many payloads have.
    private func takesValue() throws(SQLError) -> Bool {
        guard keyword == "VALUE" else { return false }
        let next = try peek()
        switch next {
        case .symbol(.star): return SQLExpressionParser.endsSelection(try peek(2))
        case .symbol(.minus):
            throw SQLError(offset: offset, message: "'value -' is ambiguous; write VALUE (-x), or (value) - x")
        case .symbol(.comma), .symbol(.dot), .symbol(.equal), .symbol(.notEqual), .symbol(.less), .symbol(.lessOrEqual),
            .symbol(.greater), .symbol(.greaterOrEqual), .symbol(.plus), .symbol(.slash), .symbol(.percent), .end:
            return false
        case .word:
            let words: Set<String> = ["AS", "FROM", "WHERE", "AND", "OR", "IN", "LIKE", "BETWEEN", "IS"]
            return SQLExpressionParser.keyword(next).map { !words.contains($0) } ?? true
        default: return true
        }
    }

    private static func endsSelection(_ token: SQLLexer.Token) -> Bool {
        keyword(token).map { $0 == "FROM" || $0 == "WHERE" } ?? (token == .end)
    }

    /// `VALUE expression`, or `VALUE *`, which is the same as `*`.
    private mutating func value() throws(SQLError) -> SQLSelection {
        try advance()
        if token == .symbol(.star) {
            try advance()
            return SQLSelection(includesPayload: true)
        }
        let program = try expression()
        if keyword == "AS" { throw SQLError(offset: offset, message: "SELECT VALUE takes no name") }
        if token == .symbol(.comma) { throw SQLError(offset: offset, message: "SELECT VALUE takes one value") }
        return SQLSelection(value: program)
    }

    /// Reads what stands after SELECT; the token after it is current then.
    mutating func selection() throws(SQLError) -> SQLSelection {
        if try takesValue() { return try value() }
        let includesPayload = token == .symbol(.star)
        var selection = SQLSelection(includesPayload: includesPayload)
        if includesPayload {
            try advance()
            if keyword == "AS" { throw SQLError(offset: offset, message: "'*' takes no name") }
            guard token == .symbol(.comma) else { return selection }
            try advance()
        }
        while true {
            let start = offset
            if token == .symbol(.star) {
                throw SQLError(offset: start, message: "'*' comes first, and once")
            }
            let item = try item()
            if includesPayload, item.names.count > 1 {
                throw SQLError(offset: start, message: "a name with dots beside '*' is not supported")
            }
            guard selection.add(item) else {
                let name = String(decoding: Array(item.names.joined(separator: ".".utf8)), as: UTF8.self)
                throw SQLError(offset: start, message: "the result has two values named '\(name)'")
            }
            guard token == .symbol(.comma) else { return selection }
            try advance()
        }
    }

    private mutating func item() throws(SQLError) -> SQLSelection.Item {
        let start = offset
        let program = try expression()
        if keyword == "AS" {
            try advance()
            return SQLSelection.Item(names: try alias(), program: program)
        }
        guard let name = program.naturalName else {
            throw SQLError(offset: start, message: "an expression in SELECT needs a name: write AS name")
        }
        return SQLSelection.Item(names: [name], program: program)
    }

    private mutating func alias() throws(SQLError) -> [ArraySlice<UInt8>] {
        var names: [ArraySlice<UInt8>] = []
        while true {
            guard case .word(let name) = token else { throw unexpected("a name after AS") }
            guard names.count < SQLStatement.aliasNamesMax else {
                throw SQLError(offset: offset, message: "more than \(SQLStatement.aliasNamesMax) names after AS")
            }
            names.append(ArraySlice(name.utf8))
            try advance()
            guard token == .symbol(.dot) else { return names }
            try advance()
        }
    }
}

extension SQLProgram {
    /// The key of the result where no AS gives one: the last name of a path, or the function's name.
    fileprivate var naturalName: ArraySlice<UInt8>? {
        switch instructions.last {
        case .attribute(let path), .member(let path): path.last
        case .call(let function, _, _): ArraySlice(function.name.utf8)
        case .cast: ArraySlice("cast".utf8)
        case .encodePayload: ArraySlice("encode".utf8)
        default: nil
        }
    }
}
