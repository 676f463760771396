import Rules
import Testing

@Suite struct SQLStatementTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { view["name"]?.stringValue ?? "?" }
    }

    private static let payload = """
        {"n":1.50, "s":"str", "b":true, "z":null, "o":{"k":"v","d":{"e":5}}, "l":[1,"x"], "value":7, "num":"12", "yes":"TRUE"}
        """

    private func input(_ payload: String = Self.payload, topic: String = "a/b", clientID: String? = "device") -> SQLInput {
        SQLInput(
            topic: topic, payload: Array(payload.utf8), clientID: clientID, principal: "cert", timestampMilliseconds: 1_700_000_000_000)
    }

    private func result(_ sql: String, _ payload: String = Self.payload, version: SQLVersion = .v2016) throws -> String? {
        try SQLStatement(parsing: sql, version: version).evaluate(input(payload)).map { text($0) }
    }

    @Test(arguments: Vectors.load("sql.json").map(Vector.init))
    func vectors(vector: Vector) throws {
        let sql = try #require(vector.view["sql"]?.stringValue)
        let version = try #require(SQLVersion(rawValue: vector.view["version"]?.stringValue ?? "2016-03-23"))
        if let message = vector.view["refused"]?.stringValue {
            let error = #expect(throws: SQLError.self) { try SQLStatement(parsing: sql, version: version) }
            #expect(error?.message == message)
            if let offset = vector.view["offset"]?.numberText { #expect(error.map { "\($0.offset)" } == offset) }
        } else {
            let expected = vector.view["no"] == nil ? vector.view["is"]?.stringValue : nil
            #expect(try result(sql, vector.view["payload"]?.stringValue ?? Self.payload, version: version) == expected)
        }
    }

    @Test(arguments: ["a", "a/b", "+", "#", "a/+/b", "a/#", "+/+/#", "$aws/things/+/shadow", "/", "a b"])
    func theFilterIsRead(filter: String) throws {
        #expect(try SQLStatement(parsing: "SELECT * FROM '\(filter)'").topicFilter == filter)
    }

    @Test(
        "A comment is refused where it begins: what stands behind it would count",
        arguments: [
            ("SELECT * FROM 'a' WHERE n = 1 -- or 2", 30), ("SELECT n --1 AS m FROM 'a'", 9), ("SELECT * FROM 'a' -- all", 18),
        ])
    func commentsAreRefused(sql: String, offset: Int) {
        let error = #expect(throws: SQLError.self) { try SQLStatement(parsing: sql) }
        #expect(error?.offset == offset)
        #expect(error?.message.hasPrefix("comments ('--') are not supported") == true)
    }

    @Test func twoMinusSignsWithASpaceBetweenThemAreTwoOperators() throws {
        #expect(try result("SELECT 1 - -1 AS m FROM 'a'") == #"{"m":2}"#)
    }

    @Test func anEmptyPayloadIsAnEmptyDocument() throws {
        #expect(try result("SELECT * FROM 'a'", "") == "{}")
        #expect(try result("SELECT *, 1 AS a FROM 'a'", "") == #"{"a":1}"#)
    }

    @Test func aPayloadThatIsNoJSONPassesWhole() throws {
        let bytes: [UInt8] = [0xFF, 0x00, 0x7B]
        let input = SQLInput(topic: "a", payload: bytes, clientID: nil, principal: nil, timestampMilliseconds: 0)
        #expect(input.payloadError != nil)
        #expect(try SQLStatement(parsing: "SELECT * FROM 'a'").evaluate(input) == bytes)
        #expect(try SQLStatement(parsing: "SELECT * FROM 'a' WHERE n = 1").evaluate(input) == nil)
        #expect(try SQLStatement(parsing: "SELECT n, topic() AS t FROM 'a'").evaluate(input).map { text($0) } == #"{"t":"a"}"#)
    }

    @Test(arguments: ["[1]", "1", "\"x\"", "null", "no json"])
    func starWithItemsNeedsAnObject(payload: String) throws {
        #expect(throws: SQLEvaluationError.payloadIsNoObject) { try result("SELECT *, topic() AS t FROM 'a'", payload) }
    }

    @Test func starOfAPayloadThatIsNoObjectIsThePayload() throws {
        #expect(try result("SELECT * FROM 'a'", "[ 1, 2 ]") == "[1,2]")
    }

    @Test func aMessageThatDidNotComeOverMQTTHasNoClient() throws {
        let input = SQLInput(topic: "a", payload: [], clientID: nil, principal: nil, timestampMilliseconds: -5)
        let sql = "SELECT clientid() AS c, principal() AS p, timestamp() AS t FROM 'a'"
        #expect(try SQLStatement(parsing: sql).evaluate(input).map { text($0) } == #"{"c":"n/a","t":-5}"#)
    }

    @Test func numbersOutOfTheLanguagesRangePassThroughButDoNotCompute() throws {
        let payload = #"{"big":1e5000,"long":1234567890123456789012345678901234567890}"#
        #expect(try result("SELECT big, long FROM 'a'", payload) == payload)
        #expect(try result("SELECT big + 1 AS x FROM 'a' WHERE big = big", payload) == nil)
        #expect(try result("SELECT long + 0 AS x FROM 'a'", payload) == #"{"x":1.234567890123456789012345678901235E39}"#)
    }

    @Test func treesAreComparedDeeply() throws {
        let payload = #"{"a":{"x":[1,{"y":2.0}],"z":"s"},"b":{"z":"s","x":[1.0,{"y":2}]},"c":{"z":"s","x":[{"y":2},1]},"d":{"z":"s"}}"#
        #expect(try result("SELECT 1 AS r FROM 'a' WHERE a = b AND a <> c AND a <> d AND d <> a", payload) != nil)
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(try result("SELECT 1 AS r FROM 'a' WHERE a = b", "{\"a\":\(deep),\"b\":\(deep)}") != nil)
    }

    @Test func stringsAreComparedByCodePoints() throws {
        #expect(try result("SELECT 1 AS r FROM 'a' WHERE a = b", "{\"a\":\"\u{E9}\",\"b\":\"e\u{301}\"}") == nil)
    }

    @Test func nestingIsBoundedByItsLimit() throws {
        func sql(_ depth: Int) -> String {
            "SELECT " + String(repeating: "(", count: depth) + "1" + String(repeating: ")", count: depth) + " AS a FROM 'a'"
        }
        #expect(try result(sql(64)) == #"{"a":1}"#)
        let error = #expect(throws: SQLError.self) { try result(sql(65)) }
        #expect(error?.message == "expression nests deeper than 64 levels")
        #expect(throws: SQLError.self) { try result("SELECT " + String(repeating: "- ", count: 100_000) + "1 AS a FROM 'a'") }
        #expect(throws: SQLError.self) { try result("SELECT 1 AS a FROM 'a' WHERE " + String(repeating: "NOT ", count: 60_000) + "b") }
    }

    @Test func aLongChainOfOperatorsCostsNoStack() throws {
        #expect(try result("SELECT 1" + String(repeating: "+1", count: 100_000) + " AS a FROM 'a'") == #"{"a":100001}"#)
        #expect(try result("SELECT n FROM 'a' WHERE b" + String(repeating: " AND b", count: 30_000)) == #"{"n":1.50}"#)
    }

    @Test func theStatementsLengthIsBounded() {
        let sql = "SELECT n FROM 'a' WHERE b" + String(repeating: " ", count: 262_120)
        let error = #expect(throws: SQLError.self) { try SQLStatement(parsing: sql) }
        #expect(error?.message == "statement is longer than 262144 bytes")
    }

    @Test func whatOneMessageMayBuildIsBounded() throws {
        let payload = "{\"s\":\"" + String(repeating: "x", count: 100_000) + "\"}"
        let doubled = "SELECT s" + String(repeating: "+s", count: 100) + " AS a FROM 'a'"
        #expect(throws: SQLEvaluationError.tooLong(bytesMax: 4_194_304)) { try result(doubled, payload) }
        let repeated = "SELECT " + (0..<20).map { "s AS s\($0)" }.joined(separator: ",") + " FROM 'a'"
        #expect(throws: SQLEvaluationError.tooLong(bytesMax: 1_048_576)) { try result(repeated, payload) }
    }
}
