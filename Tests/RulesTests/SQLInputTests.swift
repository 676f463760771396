import Testing

@testable import Rules

@Suite struct SQLInputTests {
    private func input(_ payload: [UInt8], clientID: String? = "device") -> SQLInput {
        SQLInput(topic: "a/b", payload: payload, clientID: clientID, principal: nil, timestampMilliseconds: 12)
    }

    private func result(_ sql: String, _ payload: [UInt8], version: SQLVersion = .v2016) throws -> String? {
        try SQLStatement(parsing: sql, version: version).evaluate(input(payload)).map { text($0) }
    }

    private static let binary: [UInt8] = [0xFF, 0x00, 0x7B]

    @Test(arguments: [
        ("SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 'a'", #"{"data":"/wB7","ts":12}"#),
        ("SELECT topic(2) AS t FROM 'a' WHERE timestamp() % 12 = 0", #"{"t":"b"}"#), ("SELECT x, topic(2) AS t FROM 'a'", #"{"t":"b"}"#),
        ("SELECT VALUE encode(*, 'base64') FROM 'a'", #""/wB7""#), ("SELECT length(*) AS n, topic(1) AS t FROM 'a'", #"{"t":"a"}"#),
        ("SELECT (SELECT x FROM y) AS n FROM 'a'", "{}"),
    ])
    func aBinaryPayloadCanBeEncoded(sql: String, expected: String) throws {
        #expect(try result(sql, Self.binary) == expected)
    }

    @Test func aBinaryPayloadPassesWhole() throws {
        for sql in ["SELECT * FROM 'a'", "SELECT VALUE * FROM 'a'", "SELECT * FROM 'a' WHERE timestamp() > 1"] {
            #expect(try SQLStatement(parsing: sql).evaluate(input(Self.binary)) == Self.binary)
        }
        #expect(try result("SELECT * FROM 'a' WHERE type = 'x'", Self.binary) == nil)
        #expect(throws: SQLEvaluationError.payloadIsNoObject) { try result("SELECT *, topic() AS t FROM 'a'", Self.binary) }
    }

    @Test func textThatIsNoJSONBecomesAValueByWayOfBase64() throws {
        #expect(
            try result("SELECT decode(encode(*, 'base64'), 'base64') AS t FROM 'a'", Array("plain text".utf8)) == #"{"t":"plain text"}"#)
        #expect(try result("SELECT decode(encode(*, 'base64'), 'base64') AS t FROM 'a'", Self.binary) == #"{"t":null}"#)
    }

    @Test func theOlderVersionSelectsNoArrayAsAValue() throws {
        let payload = Array(#"{"l":[1],"s":"x"}"#.utf8)
        #expect(throws: SQLEvaluationError.valueIsArray) { try result("SELECT VALUE l FROM 'a'", payload, version: .v2015) }
        #expect(try result("SELECT VALUE s FROM 'a'", payload, version: .v2015) == #""x""#)
    }

    @Test func aMessageWithoutMQTTHasNoTraceAndNoProperties() throws {
        let other = input([], clientID: nil)
        let sql = "SELECT traceid() AS t, get_mqtt_property('content_type') AS c, get_user_properties() AS u FROM 'a'"
        #expect(try SQLStatement(parsing: sql).evaluate(other).map { text($0) } == "{}")
    }

    /// What a rule does not ask for is not looked at.
    @Test func thePayloadIsParsedOnceAndOnlyForWhoAsks() throws {
        var reads = 0
        let input = SQLInput(
            topic: "a", payload: Array("{}".utf8), clientID: "c", principal: nil, timestampMilliseconds: 0,
            properties: {
                reads += 1
                return SQLMessageProperties()
            })
        _ = try SQLStatement(parsing: "SELECT topic() AS t, timestamp() AS n FROM 'a' WHERE topic() = 'a'").evaluate(input)
        #expect(!input.isParsed)
        #expect(reads == 0)
        let asking = try SQLStatement(parsing: "SELECT x, get_user_properties() AS p, get_mqtt_property('content_type') AS c FROM 'a'")
        _ = try asking.evaluate(input)
        _ = try asking.evaluate(input)
        #expect(input.isParsed)
        #expect(reads == 1)
    }

    @Test func templatesHaveTheWholeLanguageAndTheVariables() throws {
        let statement = try SQLStatement(parsing: "SET @room = upper(room), @o = {'k': room} SELECT * FROM 'a'")
        let message = input(Array(#"{"room":"r1","n":[1,2]}"#.utf8))
        let match = try #require(try statement.match(message))
        func render(_ text: String, _ match: SQLMatch?) throws -> String? {
            try SubstitutionTemplate(parsing: text, variables: statement.variables).render(message, match)
        }
        #expect(try render("x/${@room}/${@o.k}/${get(n, 1)}/${CASE room WHEN 'r1' THEN 'a}b' END}", match) == "x/R1/r1/2/a}b")
        #expect(try render("${ {'a': @room}.a }", match) == "R1")
        #expect(try render("${(SELECT VALUE * FROM n)}", match) == "[1,2]")
        #expect(try render("${replace(topic(), '/', '-') + '-' + timestamp()}", match) == "a-b-12")
        #expect(try render("${@room}", nil) == nil)
        #expect(throws: SQLError.self) { try SubstitutionTemplate(parsing: "${@other}", variables: statement.variables) }
        #expect(throws: SQLError.self) { try SubstitutionTemplate(parsing: "${get_secret('a', 'b', 'c')}") }
    }

    @Test(arguments: [("plain", "plain"), ("$$x", "$x"), ("", "")])
    func aTemplateWithoutPlacesIsConstant(text: String, constant: String) throws {
        #expect(try SubstitutionTemplate(parsing: text).constant == constant)
        #expect(try SubstitutionTemplate(parsing: text + "${1}").constant == nil)
    }
}
