/// A compiled rule statement: `SELECT … FROM 'filter' [WHERE …]`.
///
/// Supported: `*` and expressions with `AS`, nested attributes, literals, comparisons, AND, OR, NOT, arithmetic, parentheses,
/// and the functions topic, clientid, timestamp, principal and isUndefined. Everything else of the language is refused by name and offset.
package struct SQLStatement: Sendable {
    /// The longest statement, in bytes: the service's quota.
    package static let bytesMax = 262_144
    /// The longest result, in bytes.
    ///
    /// Past it the rule fails for the message.
    package static let resultBytesMax = 1_048_576
    /// How many bytes of text one message may make one statement build on the way.
    ///
    /// Past it the rule fails for the message.
    package static let workBytesMax = 4_194_304
    /// The most names in `AS a.b.c`.
    package static let aliasNamesMax = 16

    /// The filter after FROM, checked as MQTT demands it.
    package let topicFilter: String
    private let selection: SQLSelection
    private let condition: SQLProgram?

    package init(parsing text: String) throws(SQLError) {
        var parser = try SQLStatementParser(text)
        (selection, topicFilter, condition) = try parser.statement()
    }

    /// The result as compact JSON, or nil if WHERE does not hold.
    ///
    /// `SELECT *` of a payload that is no JSON gives the payload.
    ///
    /// - Throws: why the rule fails for this message.
    package func evaluate(_ input: SQLInput) throws(SQLEvaluationError) -> [UInt8]? {
        var work = SQLStatement.workBytesMax
        if let condition {
            // Only the Boolean true fires; Undefined, false and the string 'true' do not.
            guard case .boolean(true) = try condition.evaluate(input, work: &work).resolved else { return nil }
        }
        return try selection.evaluate(input, work: &work)
    }
}
