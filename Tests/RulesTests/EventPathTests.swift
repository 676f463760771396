import Rules
import Testing

@Suite struct EventPathTests {
    private let event = #"{"a":{"b":[10,{"c d":"x"},[7]],"detail-type":"t","é":1},"n":null,"a/b":2}"#

    @Test(arguments: [
        ("$.a.b[0]", "10"), ("$.a.b[1]['c d']", #""x""#), (#"$.a.b[1]["c d"]"#, #""x""#), ("$['a'].b[2][0]", "7"),
        ("$.a.detail-type", #""t""#), ("$.a/b", "2"),
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

    private static let shop = #"""
        {"items":[{"id":1,"tags":["a"],"a/b":{"c-d":5}},{"id":2,"tags":[]},{"tags":["b","c"]},7],"by":{"x":{"id":3},"y":4},"none":[]}
        """#

    @Test(
        "A wildcard stands for all elements or members; what it leads to nowhere is left out",
        arguments: [
            ("$.items[*].id", "[1,2]"), ("$.items.*.id", "[1,2]"), ("$.items[*].tags[*]", #"["a","b","c"]"#),
            ("$.items[*].tags[0]", #"["a","b"]"#),
            ("$.by.*", #"[{"id":3},4]"#), ("$.by[*].id", "[3]"), ("$.none[*]", "[]"), ("$.items[0].id[*]", "[]"),
            ("$.items[*].missing", "[]"),
            ("$.items[*].a/b.c-d", "[5]"), ("$.items[1].id", "2"), ("$.missing[*]", nil), ("$.items[9].*", nil), ("$.items[9]", nil),
        ] as [(String, String?)])
    func wildcards(path: String, expected: String?) throws {
        let path = try EventPath(parsing: path, reach: .wildcards)
        #expect(path.selection(in: try json(Self.shop)).map { text($0.rawJSON) } == expected)
    }

    @Test func aPathWithWildcardsNamesNoSingleValue() throws {
        #expect(try EventPath(parsing: "$.none.*", reach: .wildcards).select(in: try json(Self.shop)) == nil)
    }

    /// The array of all that is found may be one level deeper than what was found, and no deeper than the event.
    @Test func whatAWildcardFindsIsReadAgain() throws {
        let depth = 998
        let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        #expect(
            try EventPath(parsing: "$[*]", reach: .wildcards).selection(in: try json(#"{"a":\#(deep)}"#)).map { text($0.rawJSON) }
                == "[\(deep)]")
    }

    @Test(arguments: ["$..a", "$..*", "$[-1]", "$[1:2]", "$[0,1]", "$[?(@.a)]", "$.a*", "$[*", "$*", "$[**]", "$.a[ * ]"])
    func whatIsNotSupportedBesideWildcardsIsRefused(path: String) {
        #expect(throws: EventPathError.self) { try EventPath(parsing: path, reach: .wildcards) }
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
