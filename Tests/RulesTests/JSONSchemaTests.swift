import Testing

@testable import Rules

/// Models: what each word of a schema holds for.
@Suite struct JSONSchemaTests {
    private func holds(_ rules: JSONSchema.Rules, _ value: String, others: [JSONSchema.Rules] = []) throws -> Bool {
        JSONSchema([rules] + others).holds(try JSONDocument(parsing: Array(value.utf8)).root)
    }

    @Test(
        arguments: [
            (.object, "{}", "[]"), (.array, "[]", "{}"), (.string, "\"\"", "0"), (.number, "1.5", "\"1\""), (.integer, "-1", "1.0"),
            (.integer, "0", "1e2"), (.boolean, "false", "null"), (.boolean, "true", "1"), (.null, "null", "false"),
        ] as [(JSONSchema.Kind, String, String)])
    func kinds(kind: JSONSchema.Kind, good: String, bad: String) throws {
        var rules = JSONSchema.Rules()
        rules.kinds = [kind]
        #expect(try holds(rules, good))
        #expect(try !holds(rules, bad))
        rules.kinds.append(contentsOf: JSONSchema.Kind.allCases)
        #expect(try holds(rules, bad))
    }

    @Test func boundsAreIncludedUnlessTheySayNot() throws {
        var rules = JSONSchema.Rules()
        rules.numbers.lower = 1
        rules.numbers.upper = 3
        #expect(try ["0", "1", "2", "3", "3.5", "\"x\""].map { try holds(rules, $0) } == [false, true, true, true, false, true])
        rules.excludesLower = true
        rules.excludesUpper = true
        #expect(try ["1", "1.5", "3"].map { try holds(rules, $0) } == [false, true, false])
    }

    @Test("An `enum` holds JSON values, however they are written")
    func enumeration() throws {
        var rules = JSONSchema.Rules()
        rules.values = try ["\"café\"", "1", "{\"a\":[1,{}],\"b\":null}", "[]", "true"].map { try JSONDocument(parsing: Array($0.utf8)) }
        for value in ["\"caf\\u00e9\"", "\"café\"", "1.0", "10e-1", "{ \"b\":null, \"a\": [1.0, { }] }", "[ ]", "true"] {
            #expect(try holds(rules, value), "\(value)")
        }
        for value in [
            "\"cafe\\u0301\"", "2", "\"1\"", "{\"a\":[1,{}]}", "{\"a\":[1,{}],\"b\":null,\"c\":1}", "{\"a\":[{},1],\"b\":null}",
            "[1]", "false", "{}",
        ] {
            #expect(try !holds(rules, value), "\(value)")
        }
    }

    @Test func charactersAreCodePoints() throws {
        var rules = JSONSchema.Rules()
        rules.characters.lower = 2
        rules.characters.upper = 3
        #expect(try ["\"a\"", "\"é😀\"", "\"abc\"", "\"abcd\"", "12345"].map { try holds(rules, $0) } == [false, true, true, false, true])
    }

    @Test func aSchemaMayReferToItself() throws {
        var list = JSONSchema.Rules()
        list.kinds = [.object]
        list.properties["next"] = 0
        list.otherProperties = JSONSchema.none
        let depth = 900
        #expect(try holds(list, String(repeating: "{\"next\":", count: depth) + "{}" + String(repeating: "}", count: depth)))
        #expect(try !holds(list, String(repeating: "{\"next\":", count: depth) + "{\"x\":1}" + String(repeating: "}", count: depth)))
    }

    /// A pattern that takes more steps than it may does not hold.
    @Test func aPatternMayTakeModelPatternStepsMax() throws {
        let pattern = try TextPattern(parsing: "(a|b)*c", isWhole: false)
        let text = String(repeating: "ab", count: 20) + "c"
        let needed = try #require((1...10_000).first { pattern.matches(text, steps: $0) })
        #expect(!pattern.matches(text, steps: needed - 1))
        #expect(pattern.matches(text, steps: needed + 1))
        let long = String(repeating: "ab", count: TextPattern.stepsMax) + "c"
        #expect(!pattern.matches(long))
    }

    @Test(arguments: [("2\\d\\d", "200", true), ("2\\d\\d", "2000", false), ("4..|500", "500", true), ("4..|500", "50", false)])
    func aWholePatternHoldsForAllOfAText(pattern: String, text: String, holds: Bool) throws {
        #expect(try TextPattern(parsing: pattern, isWhole: true).matches(text) == holds)
    }
}
