/// Reads a whole statement.
struct SQLStatementParser {
    /// What a statement is made of.
    struct Parts {
        var variables: [String]
        var assignments: [SQLProgram]
        var selection: SQLSelection
        var filter: String?
        var condition: SQLProgram?
    }

    private var parser: SQLExpressionParser

    init(_ text: String, version: SQLVersion, host: SQLHost) throws(SQLError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= SQLStatement.bytesMax else {
            throw SQLError(offset: SQLStatement.bytesMax, message: "statement is longer than \(SQLStatement.bytesMax) bytes")
        }
        parser = try SQLExpressionParser(SQLLexer(bytes), version: version, host: host)
    }

    mutating func statement() throws(SQLError) -> Parts {
        let assignments = parser.keyword == "SET" ? try assignments() : []
        guard parser.keyword == "SELECT" else { throw parser.unexpected("SELECT") }
        try parser.advance()
        let selection = try parser.selection()
        var parts = Parts(variables: parser.variables, assignments: assignments, selection: selection)
        switch parser.keyword {
        case "FROM":
            try parser.advance()
            parts.filter = try filter()
        case "WHERE": break
        default:
            // Rules without FROM are reached by Basic Ingest alone.
            guard parser.token == .end else { throw parser.unexpected("',' or FROM") }
        }
        if parser.keyword == "WHERE" {
            try parser.advance()
            parts.condition = try parser.expression()
        }
        guard parser.token == .end else {
            throw parser.unexpected(parts.condition == nil ? "WHERE or the end of the text" : "the end of the text")
        }
        return parts
    }

    // MARK: SET

    /// `SET @name = expression, …`: each may use those before it.
    private mutating func assignments() throws(SQLError) -> [SQLProgram] {
        var programs: [SQLProgram] = []
        repeat {
            try parser.advance()
            guard case .variable(let name) = parser.token else { throw parser.unexpected("a variable such as @name") }
            if parser.variables.contains(name) {
                throw SQLError(offset: parser.offset, message: "the variable '@\(name)' has a value already")
            }
            guard programs.count < SQLStatement.variablesMax else {
                throw SQLError(offset: parser.offset, message: "more than \(SQLStatement.variablesMax) variables")
            }
            try parser.advance()
            try parser.expect(.equal)
            programs.append(try parser.expression())
            parser.variables.append(name)
        } while parser.token == .symbol(.comma)
        return programs
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
