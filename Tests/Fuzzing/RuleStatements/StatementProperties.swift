import FuzzDriver
import Rules

/// What holds for every statement and every payload.
struct StatementProperties {
    private let version: SQLVersion
    private let statement: String
    private let payload: [UInt8]

    /// An input is a byte that chooses the version, a statement or template, NUL, and a payload.
    init(input: [UInt8]) {
        version = input.first == UInt8(ascii: "5") ? .v2015 : .v2016
        let parts = input.dropFirst().split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        statement = String(decoding: parts.first ?? [], as: UTF8.self)
        payload = parts.count > 1 ? Array(parts[1]) : []
    }

    func check() {
        checkStatement()
        checkTemplate()
    }

    private func message() -> SQLInput {
        var properties = SQLMessageProperties()
        properties.contentType = "text/plain"
        properties.userProperties = [("k", "v")]
        return SQLInput(
            topic: "a/b/c", payload: payload, clientID: "c", principal: nil, timestampMilliseconds: 1_700_000_000_123,
            environment: SQLEnvironment(random: { 1 << 62 }), properties: { [properties] in properties })
    }

    private func checkStatement() {
        let compiled: SQLStatement
        do throws(SQLError) {
            compiled = try SQLStatement(parsing: statement, version: version)
        } catch {
            require((0...statement.utf8.count).contains(error.offset), "an error beyond the statement: \(error)")
            require(!error.message.isEmpty, "an error without words")
            return
        }
        let message = message()
        guard let result = result(of: compiled, message), result != payload, !result.isEmpty else { return }
        require(result.count <= SQLStatement.resultBytesMax, "a result past its limit")
        let limits = JSONLimits(bytesMax: SQLStatement.resultBytesMax, depthMax: JSONLimits().depthMax + SQLStatement.aliasNamesMax + 1)
        guard let document = try? JSONDocument(parsing: result, limits: limits) else {
            refuse("a result that is no JSON: \(String(decoding: result, as: UTF8.self))")
        }
        require(document.root.rawJSON == result, "a result that is not compact")
        // A second look at the same message finds the same.
        if statement.utf8.count < 256 { require(self.result(of: compiled, message) == result, "two results of one message") }
    }

    private func result(of compiled: SQLStatement, _ message: SQLInput) -> [UInt8]? {
        do throws(SQLEvaluationError) {
            return try compiled.evaluate(message)
        } catch {
            require(!error.description.isEmpty, "a failure without words")
            return nil
        }
    }

    private func checkTemplate() {
        guard let template = try? SubstitutionTemplate(parsing: statement, version: version) else { return }
        let text = template.render(message())
        require(text?.utf8.count ?? 0 <= SubstitutionTemplate.bytesMax, "a text past its limit")
        if let constant = template.constant { require(text == constant, "a constant that is none") }
    }
}
