/// Reads a whole statement.
struct SQLStatementParser {
    private var parser: SQLExpressionParser

    init(_ text: String) throws(SQLError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= SQLStatement.bytesMax else {
            throw SQLError(offset: SQLStatement.bytesMax, message: "statement is longer than \(SQLStatement.bytesMax) bytes")
        }
        parser = try SQLExpressionParser(SQLLexer(bytes))
    }

    mutating func statement() throws(SQLError) -> (SQLSelection, filter: String, condition: SQLProgram?) {
        if parser.keyword == "SET" { throw .unsupported("keyword", "SET", at: parser.offset) }
        guard parser.keyword == "SELECT" else { throw parser.unexpected("SELECT") }
        try parser.advance()
        try refuseSelectValue()
        let selection = try selection()
        guard parser.keyword == "FROM" else {
            // Rules without FROM are reached by Basic Ingest alone.
            throw parser.token == .end ? .unsupported("statement", "without FROM", at: parser.offset) : parser.unexpected("',' or FROM")
        }
        try parser.advance()
        let filter = try filter()
        var condition: SQLProgram?
        if parser.keyword == "WHERE" {
            try parser.advance()
            condition = try parser.expression()
        }
        guard parser.token == .end else {
            throw parser.unexpected(condition == nil ? "WHERE or the end of the text" : "the end of the text")
        }
        return (selection, filter, condition)
    }

    /// `SELECT VALUE expr` is another form of the language; `value` alone is an attribute many payloads have.
    private func refuseSelectValue() throws(SQLError) {
        guard parser.keyword == "VALUE" else { return }
        switch try parser.peek() {
        case .symbol(.comma), .symbol(.dot), .symbol(.equal), .symbol(.notEqual), .symbol(.less), .symbol(.lessOrEqual),
            .symbol(.greater), .symbol(.greaterOrEqual), .symbol(.plus), .symbol(.slash), .symbol(.percent), .end:
            return
        case .word(let word) where ["AS", "FROM", "AND", "OR"].contains(word.uppercased()):
            return
        default:
            throw .unsupported("keyword", "VALUE", at: parser.offset)
        }
    }

    // MARK: SELECT

    private mutating func selection() throws(SQLError) -> SQLSelection {
        let includesPayload = parser.token == .symbol(.star)
        var selection = SQLSelection(includesPayload: includesPayload)
        if includesPayload {
            try parser.advance()
            if parser.keyword == "AS" { throw SQLError(offset: parser.offset, message: "'*' takes no name") }
            guard parser.token == .symbol(.comma) else { return selection }
            try parser.advance()
        }
        while true {
            let start = parser.offset
            if parser.token == .symbol(.star) {
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
            guard parser.token == .symbol(.comma) else { return selection }
            try parser.advance()
        }
    }

    private mutating func item() throws(SQLError) -> SQLSelection.Item {
        let start = parser.offset
        let program = try parser.expression()
        if parser.keyword == "AS" {
            try parser.advance()
            return SQLSelection.Item(names: try alias(), program: program)
        }
        guard program.instructions.count == 1 || program.isTopicLevel, let name = program.naturalName else {
            throw SQLError(offset: start, message: "an expression in SELECT needs a name: write AS name")
        }
        return SQLSelection.Item(names: [name], program: program)
    }

    private mutating func alias() throws(SQLError) -> [ArraySlice<UInt8>] {
        var names: [ArraySlice<UInt8>] = []
        while true {
            guard case .word(let name) = parser.token else { throw parser.unexpected("a name after AS") }
            guard names.count < SQLStatement.aliasNamesMax else {
                throw SQLError(offset: parser.offset, message: "more than \(SQLStatement.aliasNamesMax) names after AS")
            }
            names.append(ArraySlice(name.utf8))
            try parser.advance()
            guard parser.token == .symbol(.dot) else { return names }
            try parser.advance()
        }
    }

    // MARK: FROM

    private mutating func filter() throws(SQLError) -> String {
        guard case .string(let text) = parser.token else { throw parser.unexpected("a topic filter in quotes after FROM") }
        if let problem = SQLStatementParser.problem(ofFilter: text) {
            throw SQLError(offset: parser.offset, message: problem)
        }
        try parser.advance()
        return String(decoding: text, as: UTF8.self)
    }

    private static func problem(ofFilter text: ArraySlice<UInt8>) -> String? {
        if text.isEmpty { return "the topic filter is empty" }  // [MQTT-4.7.3-1]
        // [MQTT-4.7.3-3]
        if text.count > TopicTemplate.bytesMax { return "the topic filter is longer than \(TopicTemplate.bytesMax) bytes" }
        if text.contains(0) { return "the topic filter contains NUL" }  // [MQTT-4.7.3-2]
        let levels = text.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, level) in levels.enumerated() {
            if level.contains(UInt8(ascii: "#")), level.count > 1 || index != levels.count - 1 {
                return "'#' stands alone in the last level of a topic filter"  // [MQTT-4.7.1-2]
            }
            if level.contains(UInt8(ascii: "+")), level.count > 1 {
                return "'+' stands alone in a level of a topic filter"  // [MQTT-4.7.1-3]
            }
        }
        return nil
    }
}

extension SQLProgram {
    /// `topic(n)` with a plain number, which is named like `topic()`.
    fileprivate var isTopicLevel: Bool {
        guard instructions.count == 2, case .literal = instructions[0], case .topicLevel = instructions[1] else { return false }
        return true
    }

    /// The key of the result where no AS gives one: the last name of a path, or the function's name.
    fileprivate var naturalName: ArraySlice<UInt8>? {
        switch instructions.last {
        case .attribute(let path): path.last
        case .topic, .topicLevel: ArraySlice("topic".utf8)
        case .clientID: ArraySlice("clientid".utf8)
        case .timestamp: ArraySlice("timestamp".utf8)
        case .principal: ArraySlice("principal".utf8)
        case .literal, .not, .negate, .isUndefined, .binary, nil: nil
        }
    }
}
