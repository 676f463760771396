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

    private func schema(_ kind: JSONSchema.Kind) -> JSONSchema.Rules {
        var rules = JSONSchema.Rules()
        rules.kinds = [kind]
        return rules
    }

    /// Each with three others: a number, an integer and a text.
    @Test(
        arguments: [
            ("allOf", [1, 2], ["1"], ["1.5", "\"x\"", "null"]), ("anyOf", [2, 3], ["1", "\"x\""], ["1.5", "null"]),
            ("oneOf", [1, 2], ["1.5"], ["1", "\"x\"", "null"]), ("oneOf", [1, 3], ["1", "1.5", "\"x\""], ["null"]),
        ])
    func alternatives(keyword: String, schemas: [Int], good: [String], bad: [String]) throws {
        var rules = JSONSchema.Rules()
        switch keyword {
        case "allOf": rules.allOf = schemas
        case "anyOf": rules.anyOf = schemas
        default: rules.oneOf = schemas
        }
        let others = [schema(.number), schema(.integer), schema(.string)]
        for value in good { #expect(try holds(rules, value, others: others), "\(value)") }
        for value in bad { #expect(try !holds(rules, value, others: others), "\(value)") }
    }

    @Test func whatMustNotHold() throws {
        var rules = JSONSchema.Rules()
        rules.not = 1
        rules.kinds = [.number]
        #expect(try ["1.5", "1", "\"x\""].map { try holds(rules, $0, others: [schema(.integer)]) } == [true, false, false])
    }

    /// What the budget does not reach to must not count as not holding: `not` would let it in.
    @Test func aPatternThatTakesTooLongHoldsNeitherWay() throws {
        var inner = JSONSchema.Rules()
        inner.pattern = try TextPattern(parsing: "(a|b)*c", isWhole: false)
        var outer = JSONSchema.Rules()
        outer.not = 1
        let long = "\"" + String(repeating: "ab", count: TextPattern.stepsMax) + "\""
        #expect(try !holds(inner, long))
        #expect(try !holds(outer, long, others: [inner]))
        #expect(try holds(outer, "\"ab\"", others: [inner]))
    }

    @Test func oneValueMayTakeModelStepsMax() throws {
        var list = JSONSchema.Rules()
        list.items = 1
        let value = try JSONDocument(parsing: Array("[1,2,3]".utf8)).root
        let schema = JSONSchema([list, schema(.integer)])
        #expect(schema.holds(value, steps: 4) && !schema.holds(value, steps: 3))
    }

    /// Within the budget that neither holds is told, beyond it nothing is.
    @Test(
        "Threat 50: two ways at each level, which double the work with each, are not gone to their end",
        arguments: [(10, true), (40, false)])
    func alternativesDoNotMultiply(depth: Int, isTold: Bool) throws {
        var (whole, either) = (JSONSchema.Rules(), JSONSchema.Rules())
        whole.not = 1
        either.anyOf = [2, 2]
        var node = schema(.object)
        node.properties["next"] = 1
        let text = String(repeating: "{\"next\":", count: depth) + "7" + String(repeating: "}", count: depth)
        #expect(try holds(whole, text, others: [either, node]) == isTold)
    }

    /// The depth at which a value is refused, whatever it may be.
    @Test(arguments: [(-2, true), (1, false)])
    func alternativesMayNestToModelNestingMax(beyond: Int, holds: Bool) throws {
        var schemas = (0..<JSONSchema.nestingMax + beyond).map { number in
            var rules = JSONSchema.Rules()
            rules.anyOf = [number + 1]
            return rules
        }
        schemas.append(JSONSchema.Rules())
        #expect(JSONSchema(schemas).holds(try JSONDocument(parsing: Array("1".utf8)).root) == holds)
    }

    @Test func aSchemaThatLeadsToItselfIsFound() throws {
        var (first, second) = (JSONSchema.Rules(), JSONSchema.Rules())
        first.allOf = [1]
        second.oneOf = [2, 0]
        #expect(JSONSchema([first, second, JSONSchema.Rules()]).endless == 0)
        // By a member it is a step into the value.
        second.oneOf = [2]
        second.properties["a"] = 0
        #expect(JSONSchema([first, second, JSONSchema.Rules()]).endless == nil)
        // Two ways to one schema are no circle.
        first.allOf = [1, 2]
        #expect(JSONSchema([first, second, JSONSchema.Rules()]).endless == nil)
    }

    @Test(
        arguments: [
            ("0.01", ["0", "0.07", "-1.1", "19.99", "1e3", "0.070"], ["0.005", "1.001", "1e-9"]),
            ("3", ["0", "9", "-3", "3.0"], ["1", "3.5", "1e999"]),
            ("2.5", ["5", "7.5"], ["6"]), ("1e2", ["100", "300.00"], ["150"]),
        ])
    func multiples(of text: String, good: [String], bad: [String]) throws {
        var rules = JSONSchema.Rules()
        rules.divisor = JSONDivisor(text)
        #expect(rules.divisor != nil)
        for value in good + ["\"0.5\"", "null"] { #expect(try holds(rules, value), "\(value)") }
        for value in bad { #expect(try !holds(rules, value), "\(value)") }
    }

    @Test(arguments: ["0", "-1", "x", "", "0.0"])
    func noMultiples(of text: String) { #expect(JSONDivisor(text) == nil) }

    @Test(
        arguments: [
            ("[]", true), ("[1,2,\"1\",true,null,[1],{\"a\":1}]", true), ("[1,1.0]", false), ("[0,-0]", false),
            ("[\"\\u0061\",\"a\"]", false),
            ("[{\"a\":1,\"b\":[2]},{\"b\":[2.0],\"a\":1e0}]", false), ("[[1,2],[2,1]]", true), ("[[],{}]", true),
            ("[[\"a\",\"b\"],[\"a\\\",\\\"b\"]]", true),
            ("[null,null]", false), ("{\"a\":1,\"b\":1}", true), ("[[1,12],[11,2]]", true),
        ])
    func uniqueElements(value: String, holds: Bool) throws {
        var rules = JSONSchema.Rules()
        rules.isUnique = true
        #expect(try self.holds(rules, value) == holds, "\(value)")
    }

    @Test func firstElements() throws {
        var rules = JSONSchema.Rules()
        rules.firstItems = [1, 2]
        let others = [schema(.integer), schema(.string)]
        let values = ["[]", "[1]", "[1,\"x\"]", "[\"x\"]", "[1,2]", "[1,\"x\",null]", "[1,\"x\",\"y\"]", "{}"]
        #expect(try values.map { try holds(rules, $0, others: others) } == [true, true, true, false, false, true, true, true])
        rules.items = JSONSchema.none
        #expect(try values.map { try holds(rules, $0, others: others) } == [true, true, true, false, false, false, false, true])
        rules.items = 2
        #expect(try values.map { try holds(rules, $0, others: others) } == [true, true, true, false, false, false, true, true])
    }

    @Test func whatAMemberBringsWithIt() throws {
        var rules = JSONSchema.Rules()
        rules.dependencies = [("a", .members(["b", "c"])), ("d", .schema(1))]
        var other = schema(.object)
        other.members.upper = 2
        let values = [
            "{}", "{\"a\":1}", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":1,\"c\":1}", "{\"b\":1}", "{\"d\":1,\"e\":1}",
            "{\"d\":1,\"e\":1,\"f\":1}",
        ]
        #expect(try values.map { try holds(rules, $0, others: [other]) } == [true, false, false, true, true, true, false])
        #expect(JSONSchema([rules, rules]).endless == 1)
    }

    @Test func members() throws {
        var rules = JSONSchema.Rules()
        rules.members.lower = 1
        rules.members.upper = 2
        #expect(
            try ["{}", "{\"a\":1}", "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":1,\"c\":1}", "[]"].map { try holds(rules, $0) }
                == [false, true, true, false, true])
        rules = JSONSchema.Rules()
        rules.properties["xa"] = 1
        rules.patternProperties = [(try TextPattern(parsing: "^x", isWhole: false), 2)]
        rules.otherProperties = JSONSchema.none
        let others = [schema(.number), schema(.integer)]
        #expect(
            try ["{\"xa\":1}", "{\"xa\":1.5}", "{\"xb\":1}", "{\"xb\":1.5}", "{\"b\":1}"].map { try holds(rules, $0, others: others) }
                == [true, false, true, false, false])
    }

    @Test(
        arguments: [
            (.dateTime, "2020-02-29T23:59:60.123456789Z", true), (.dateTime, "2020-01-01t00:00:00+02:00", true),
            (.dateTime, "2021-02-29T00:00:00Z", false),
            (.dateTime, "2020-01-01T24:00:00Z", false), (.dateTime, "2020-01-01T00:00:00", false), (.dateTime, "2020-01-01", false),
            (.dateTime, "2020-01-01T00:00:00.Z", false), (.dateTime, "2020-01-01T00:00:00Zx", false),
            (.dateTime, "2020-13-01T00:00:00Z", false),
            (.dateTime, "2020-01-01T00:00:00+2:00", false), (.dateTime, "", false), (.dateTime, "+020-01-01T00:00:00Z", false),
            (.ipv4, "127.0.0.1", true), (.ipv4, "256.0.0.1", false), (.ipv4, "1.2.3", false), (.ipv4, "::1", false), (.ipv4, "", false),
        ] as [(TextFormat, String, Bool)])
    func formats(format: TextFormat, text: String, holds: Bool) throws {
        var rules = JSONSchema.Rules()
        rules.format = format
        #expect(try self.holds(rules, "\"\(text)\"") == holds)
        #expect(try self.holds(rules, "7"))
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
