import Testing

@testable import Rules

/// Functions over families of arguments: for each function some two hundred rows, what it takes and what it does not.
///
/// A row has the arguments as JSON texts, which the message carries, and the answer, `null` standing for Undefined in both. The answers
/// were made by a second reading of the documentation, not by the code under test.
@Suite struct SQLFamilyTests {
    struct Family: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { view["e"]?.stringValue ?? "?" }
    }

    private static let names = ["a", "b", "c"]

    @Test(arguments: Vectors.load("sql-families.json").map(Family.init))
    func everyRowHasItsAnswer(family: Family) async throws {
        let expression = try #require(family.view["e"]?.stringValue)
        let statement = try SQLStatement(parsing: "SELECT \(expression) AS r FROM 'a'", version: .v2016)
        let isApproximate = family.view["approximately"] != nil
        var count = 0
        for row in try #require(family.view["rows"]).elements {
            // Others wait for the thread, some with deadlines.
            if count % 100 == 0 { await Task.yield() }
            count += 1
            let texts = Array(row.elements)
            let members = zip(Self.names, texts.dropLast()).compactMap { name, value in value.stringValue.map { "\"\(name)\":\($0)" } }
            let payload = "{\(members.joined(separator: ","))}"
            let input = SQLInput(topic: "a", payload: Array(payload.utf8), clientID: "c", principal: nil, timestampMilliseconds: 0)
            let result = try statement.evaluate(input).map { text($0) }
            let expected = texts.last?.stringValue
            #expect(
                isSame(result, expected, isApproximate),
                "\(expression) of \(payload) is \(result ?? "nothing"), not \(expected ?? "undefined")")
        }
        #expect(count > 50)
    }

    /// Strings may be escaped in several ways; numbers of double precision may differ in their last digit, and in how they are spelled.
    private func isSame(_ result: String?, _ expected: String?, _ isApproximate: Bool) -> Bool {
        guard let expected else { return result == "{}" }
        guard isApproximate else {
            if result == "{\"r\":\(expected)}" { return true }
            let wanted = (try? json(expected))?.stringBytes
            return wanted != nil && result.flatMap { (try? json($0))?["r"]?.stringBytes } == wanted
        }
        guard let result, let found = (try? json(result))?["r"]?.numberText.flatMap({ Double($0) }), let wanted = Double(expected) else {
            return false
        }
        return abs(found - wanted) <= 4e-15 * max(abs(wanted), 1e-300)
    }

    /// What is asked of the message, of chance and of the host is no matter of arguments; all other functions have a family.
    @Test func everyFunctionOfItsArgumentsHasAFamily() {
        let families = Set(Vectors.load("sql-families.json").compactMap { $0["of"]?.stringValue?.lowercased() })
        let others: Set = [
            "accountid", "clientid", "get_mqtt_property", "get_user_properties", "md2", "md5", "newuuid", "principal", "rand", "sha1",
            "sha224", "sha256", "sha384", "sha512", "sourceip", "sql_version", "timestamp", "topic", "traceid", "transform",
        ]
        #expect(Set(SQLFunction.all.keys).subtracting(families).subtracting(others) == [])
    }
}
