import Testing

@testable import Rules

/// What one message may cost: each limit is met, and the rule fails with its name.
@Suite struct SQLBudgetTests {
    private func result(_ sql: String, _ payload: String, _ budget: SQLBudget = SQLBudget()) throws -> String? {
        let input = SQLInput(topic: "a/b", payload: Array(payload.utf8), clientID: nil, principal: nil, timestampMilliseconds: 0)
        return try SQLStatement(parsing: sql).match(input, within: budget).map { text($0.payload) }
    }

    private func array(_ count: Int, of element: String) -> String {
        "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
    }

    @Test func stepsAreCounted() throws {
        let payload = "{\"l\":\(array(60_000, of: "1"))}"
        let sum = Array(repeating: "1", count: 20).joined(separator: " + ")
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) {
            try result("SELECT (SELECT VALUE \(sum) FROM l) AS r FROM 'a'", payload)
        }
        #expect(try result("SELECT get((SELECT VALUE 1 + 1 FROM l), 59999) AS r FROM 'a'", payload) == #"{"r":2}"#)
    }

    @Test func queriesOverOneAnotherCannotMultiply() throws {
        let payload = "{\"l\":\(array(3_000, of: "1"))}"
        #expect(throws: SQLEvaluationError.self) {
            try result("SET @l = l SELECT (SELECT VALUE (SELECT VALUE 1 FROM @l) FROM l) AS r FROM 'a'", payload)
        }
    }

    @Test(arguments: [
        "replace(s, 'x', s)", "concat(s, s, s, s, s)", "regexp_replace(s, 'x', s)", "length(s + s + s) + length(s + s) + length(s + s)",
        "(SELECT VALUE @s FROM l)", "encode(s + s, 'base64') + encode(s + s, 'base64')", "[@s, @s, @s, [@s, @s], @s]",
    ])
    func textsAreCounted(expression: String) {
        let payload = "{\"s\":\"\(String(repeating: "x", count: 900_000))\",\"l\":[1,2,3,4,5,6]}"
        #expect(throws: SQLEvaluationError.self) { try result("SET @s = s SELECT \(expression) AS r FROM 'a'", payload) }
    }

    @Test func regularExpressionsAreCounted() throws {
        let payload = "{\"s\":\"\(String(repeating: "ab", count: 100_000))\"}"
        #expect(throws: SQLEvaluationError.regexTooSlow(stepsMax: 2_000_000)) {
            try result("SELECT 1 AS r FROM 'a' WHERE regexp_matches(s, '(a|b|ab|ba|aba|bab)*c')", payload)
        }
        #expect(try result("SELECT 1 AS r FROM 'a' WHERE regexp_matches(s, 'b$')", payload) == #"{"r":1}"#)
    }

    @Test("Parts of a replacement that give nothing are counted, too")
    func emptyReplacementsAreCounted() throws {
        func cost(parts: Int) throws {
            let payload = "{\"s\":\"\(String(repeating: "a", count: 1_000))\",\"r\":\"\(String(repeating: "$1", count: parts))\"}"
            _ = try result("SELECT regexp_replace(s, '(x)?', r) AS n FROM 'a'", payload, SQLBudget(steps: 100_000))
        }
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try cost(parts: 1_000) }
        try cost(parts: 10)
    }

    @Test(
        "A text that spells a number is paid for each time it is read",
        arguments: ["abs(@x)", "(-@x)", "isNull(@x)", "cast(@x AS DECIMAL)"])
    func readingNumbersIsCounted(expression: String) throws {
        let digits = String(repeating: "1", count: 64_000)
        func cost(_ count: Int, _ value: String) throws {
            let payload = "{\"x\":\(value),\"l\":\(array(count, of: "1"))}"
            _ = try result("SET @x = x SELECT (SELECT VALUE \(expression) FROM l) AS r FROM 'a'", payload, SQLBudget(steps: 40_000))
        }
        for value in [digits, "\"\(digits)\""] {
            #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try cost(20, value) }
            try cost(2, value)
        }
    }

    /// An expression that the message brings is read again for each element.
    @Test func readingPatternsOfTheMessageIsCounted() throws {
        let sql = "SET @l = l SELECT (SELECT VALUE regexp_matches('b', get(@l, 0)) FROM l) AS r FROM 'a'"
        func cost(_ count: Int, within regexSteps: Int) throws {
            _ = try result(sql, "{\"l\":\(array(count, of: #""a{0,1000}""#))}", SQLBudget(regexSteps: regexSteps))
        }
        #expect(throws: SQLEvaluationError.regexTooSlow(stepsMax: 2_000_000)) { try cost(10, within: 20_000) }
        try cost(2, within: 20_000)
    }

    /// Values of the message that are compared again for each element.
    @Test(arguments: ["@x = @y", "@x <> @y", "@x IN (1, 2, @y)", "CASE @x WHEN @y THEN true ELSE true END"])
    func comparingIsCounted(condition: String) throws {
        let values = array(100, of: #"{"k":[1]}"#)
        let sql = "SET @x = x, @y = y SELECT (SELECT VALUE 1 FROM l WHERE \(condition)) AS r FROM 'a'"
        func cost(_ count: Int, within steps: Int) throws {
            _ = try result(sql, "{\"x\":\(values),\"y\":\(values),\"l\":\(array(count, of: "1"))}", SQLBudget(steps: steps))
        }
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try cost(10, within: 5_000) }
        try cost(2, within: 5_000)
    }

    /// An array that is looked through again for each element.
    @Test(arguments: ["2 IN @y", "2 IN (@y)", "2 NOT IN @y"])
    func lookingIntoAnArrayIsCounted(condition: String) throws {
        let sql = "SET @y = y SELECT (SELECT VALUE 1 FROM l WHERE \(condition)) AS r FROM 'a'"
        func cost(_ count: Int, within steps: Int) throws {
            _ = try result(sql, "{\"y\":\(array(1_000, of: "1")),\"l\":\(array(count, of: "1"))}", SQLBudget(steps: steps))
        }
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try cost(10, within: 5_000) }
        try cost(2, within: 5_000)
    }

    /// Long texts that are compared or converted again for each element.
    @Test(arguments: ["@s = @s", "@s > 1", "@s < 'x'", "@s - 1 = 2"])
    func longTextsAreCounted(condition: String) throws {
        let sql = "SET @s = s SELECT (SELECT VALUE 1 FROM l WHERE \(condition)) AS r FROM 'a'"
        func cost(_ count: Int, within steps: Int) throws {
            let text = String(repeating: "1", count: 4_000)
            _ = try result(sql, "{\"s\":\"\(text)\",\"l\":\(array(count, of: "1"))}", SQLBudget(steps: steps))
        }
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try cost(10, within: 1_500) }
        try cost(2, within: 1_500)
    }

    @Test func patternsOfTheMessageAreBounded() {
        let classes = "[" + (0..<200).map { "\(UnicodeScalar(0x4E00 + $0 * 2) ?? "x")" }.joined() + "]"
        #expect(throws: SQLEvaluationError.self) { try result("SELECT regexp_matches('x', p) AS r FROM 'a'", "{\"p\":\"\(classes)\"}") }
        #expect(throws: SQLEvaluationError.self) { try result("SELECT regexp_matches('x', p) AS r FROM 'a'", #"{"p":"(x)\\1"}"#) }
        #expect(throws: SQLEvaluationError.self) { try result("SELECT parse_time(p, 0) AS r FROM 'a'", #"{"p":"yyyy Q"}"#) }
        #expect(throws: SQLEvaluationError.self) { try result("SELECT parse_time('yyyy', 0, p) AS r FROM 'a'", #"{"p":"Nowhere"}"#) }
    }

    @Test func likeAndSearchesAreCounted() {
        let payload = "{\"s\":\"\(String(repeating: "a", count: 300_000))\",\"w\":\"\(String(repeating: "a", count: 150_000))b\"}"
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) {
            try result("SELECT s LIKE '%' + w + '%' AS r FROM 'a'", payload)
        }
        #expect(throws: SQLEvaluationError.tooManySteps(stepsMax: 1_000_000)) { try result("SELECT indexof(s, w) AS r FROM 'a'", payload) }
    }

    @Test func valuesMadeOnTheWayAreNoDeeperThanJSON() throws {
        let deep = String(repeating: "[", count: 999) + String(repeating: "]", count: 999)
        #expect(throws: SQLEvaluationError.tooDeep(depthMax: 1_000)) { try result("SELECT [[d]] AS r FROM 'a'", "{\"d\":\(deep)}") }
    }

    @Test func transformHasTheServicesQuota() {
        let payload = "{\"l\":\(array(2_000, of: "{}")),\"o\":{\"k\":\"\(String(repeating: "x", count: 100))\"}}"
        #expect(throws: SQLEvaluationError.tooLong(bytesMax: 131_072)) {
            try result("SELECT transform('enrichArray', o, l) AS r FROM 'a'", payload)
        }
    }

    @Test func aBranchThatIsNotTakenCostsNothing() throws {
        let payload = "{\"s\":\"\(String(repeating: "x", count: 900_000))\"}"
        #expect(
            try result("SELECT CASE 1 WHEN 2 THEN concat(s, s, s, s, s, s) WHEN 1 THEN 'ok' END AS r FROM 'a'", payload) == #"{"r":"ok"}"#)
    }
}
