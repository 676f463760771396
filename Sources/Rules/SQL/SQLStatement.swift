/// A compiled rule statement: `[SET …] SELECT … [FROM 'filter'] [WHERE …]`.
///
/// What of the language is not supported is refused by name and offset.
package struct SQLStatement: Sendable {
    /// The longest statement, in bytes: the service's quota.
    package static let bytesMax = 262_144
    /// The longest result, in bytes.
    ///
    /// Past it the rule fails for the message.
    package static let resultBytesMax = 1_048_576
    /// How many bytes of text one message may make one statement read and build on the way.
    ///
    /// Past it the rule fails for the message.
    package static let workBytesMax = 4_194_304
    /// How many instructions one message may make one statement carry out.
    ///
    /// Past it the rule fails for the message.
    package static let stepsMax = 1_000_000
    /// How many steps the regular expressions of one statement may take for one message.
    ///
    /// Past it the rule fails for the message.
    package static let regexStepsMax = 2_000_000
    /// The most names in `AS a.b.c`.
    package static let aliasNamesMax = 16
    /// The most variables of SET.
    package static let variablesMax = 64

    package let version: SQLVersion
    /// The filter after FROM, checked as MQTT demands it; nil for a rule that only Basic Ingest reaches.
    package let topicFilter: String?
    /// The names of SET's variables, for the templates of the rule's actions.
    package let variables: [String]
    private let assignments: [SQLProgram]
    private let selection: SQLSelection
    private let condition: SQLProgram?

    package init(parsing text: String, version: SQLVersion = .v2016, host: SQLHost = SQLHost()) throws(SQLError) {
        var parser = try SQLStatementParser(text, version: version, host: host)
        let parts = try parser.statement()
        self.version = version
        variables = parts.variables
        assignments = parts.assignments
        selection = parts.selection
        topicFilter = parts.filter
        condition = parts.condition
    }

    /// The result as compact JSON, or nil if WHERE does not hold.
    ///
    /// `SELECT *` of a payload that is no JSON gives the payload. `SELECT VALUE` of something Undefined gives no bytes.
    ///
    /// - Throws: why the rule fails for this message.
    package func evaluate(_ input: SQLInput) throws(SQLEvaluationError) -> [UInt8]? {
        try match(input)?.payload
    }

    /// The same, with what the templates of the rule's actions need.
    package func match(_ input: SQLInput) throws(SQLEvaluationError) -> SQLMatch? { try match(input, within: SQLBudget()) }

    /// A match of before: what was selected then, whatever the statement would select now; its values of SET are computed again.
    package func match(_ input: SQLInput, thatSelected payload: [UInt8]) -> SQLMatch? {
        var evaluation = SQLEvaluation(input: input, version: version)
        do throws(SQLEvaluationError) {
            for assignment in assignments { evaluation.variables.append(try evaluation.value(of: assignment)) }
        } catch { return nil }
        return SQLMatch(payload: payload, variables: evaluation.variables)
    }

    func match(_ input: SQLInput, within budget: SQLBudget) throws(SQLEvaluationError) -> SQLMatch? {
        var evaluation = SQLEvaluation(input: input, version: version)
        evaluation.budget = budget
        for assignment in assignments { evaluation.variables.append(try evaluation.value(of: assignment)) }
        if let condition {
            // Only the Boolean true fires; Undefined, false and the string 'true' do not.
            guard case .boolean(true) = try evaluation.value(of: condition).resolved else { return nil }
        }
        let variables = evaluation.variables
        if selection.isEverything, input.document == nil { return SQLMatch(payload: input.payload, variables: variables) }
        var output: [UInt8] = []
        try selection.append(to: &output, &evaluation)
        if version == .v2015, selection.value != nil, output.first == UInt8(ascii: "[") { throw .valueIsArray }
        guard output.count <= SQLStatement.resultBytesMax else { throw .tooLong(bytesMax: SQLStatement.resultBytesMax) }
        return SQLMatch(payload: output, variables: variables)
    }
}

/// What a statement made of a message that it wants.
package struct SQLMatch: Sendable {
    package let payload: [UInt8]
    /// The values of SET.
    let variables: [SQLValue]
}
