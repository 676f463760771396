import Rules
import Testing

@Suite struct EventPathTests {
    private let event = #"{"a":{"b":[10,{"c d":"x"},[7]],"detail-type":"t","é":1},"n":null}"#

    @Test(arguments: [
        ("$.a.b[0]", "10"), ("$.a.b[1]['c d']", #""x""#), (#"$.a.b[1]["c d"]"#, #""x""#), ("$['a'].b[2][0]", "7"),
        ("$.a.detail-type", #""t""#),
        ("$.a.é", "1"), ("$.n", "null"),
    ])
    func aPathSelectsOneValue(path: String, expected: String) throws {
        #expect(try EventPath(parsing: path).select(in: try json(event)).map { text($0.rawJSON) } == expected)
    }

    @Test func theDollarAloneIsTheEvent() throws {
        #expect(try EventPath(parsing: "$").select(in: try json(event)).map { text($0.rawJSON) } == event)
    }

    @Test(arguments: ["$.x", "$.a.x", "$.a[0]", "$.a.b[3]", "$.a.b.c", "$.n.x", "$.a.b['0']"])
    func whatIsNotThereSelectsNothing(path: String) throws {
        #expect(try EventPath(parsing: path).select(in: try json(event)) == nil)
    }

    @Test(arguments: [
        "", "a.b", "$a", "$.", "$..a", "$.*", "$.a.*", "$[*]", "$[-1]", "$[1:2]", "$[0,1]", "$[?(@.a)]", "$.a[", "$.a[]", "$['a", "$['a'",
        "$['']", "$[a]",
        "$.a b", "$.a()", "$[99999999999]", #"$['a\'b']"#, "$.a]", "$.@",
    ])
    func whatIsNotSupportedIsRefused(path: String) {
        #expect(throws: EventPathError.self) { try EventPath(parsing: path) }
    }

    @Test func theLengthIsBounded() throws {
        _ = try EventPath(parsing: "$." + String(repeating: "a", count: 254))
        #expect(throws: EventPathError.self) { try EventPath(parsing: "$." + String(repeating: "a", count: 255)) }
    }

    @Test func theRefusalNamesThePath() {
        let error = #expect(throws: EventPathError.self) { try EventPath(parsing: "$.a.*") }
        #expect(error?.description == "path '$.a.*': the wildcard '*' is not supported")
    }
}
