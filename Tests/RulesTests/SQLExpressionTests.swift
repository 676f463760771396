import Testing

@testable import Rules

/// Every operator and function, each by vectors: an expression and its value as JSON, or `null` where it is Undefined.
@Suite struct SQLExpressionTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { "\(view["of"]?.stringValue ?? "?"): \(view["e"]?.stringValue ?? "?")" }
    }

    private static let payload = """
        {"n":1.50,"i":7,"neg":-3,"s":"str","b":true,"f":false,"z":null,"o":{"k":"v","d":{"e":5}},"l":[1,"x",null],"num":"12",\
        "e":[{"n":"temperature","v":22.5},{"n":"light","v":135},{"n":"acidity","v":7}],"u":"é😀x",\
        "outer":[{"inner":[{"n":"a"},{"n":"b"}]},{"inner":[{"n":"c"}]}],"b64":"eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg==","zone":"America/Belize"}
        """

    /// A host whose digest of anything is the algorithm's name.
    private static let host = SQLHost(
        digest: { algorithm, _ in Array(algorithm.utf8) }, zone: { ZoneFile.zones[$0] }, allZones: { ZoneFile.zones })

    private func check(_ vector: Vector) throws {
        let expression = try #require(vector.view["e"]?.stringValue)
        let version = try #require(SQLVersion(rawValue: vector.view["version"]?.stringValue ?? "2016-03-23"))
        let statement = try SQLStatement(parsing: "SELECT \(expression) AS r FROM 'a'", version: version, host: Self.host)
        var properties = SQLMessageProperties()
        properties.contentType = "text/plain"
        properties.isUTF8 = true
        properties.responseTopic = "r/t"
        properties.correlationData = Array("cid".utf8)
        properties.userProperties = [("k", "v1"), ("o", "ov"), ("k", "v2")]
        let input = SQLInput(
            topic: "a/b/c", payload: Array(Self.payload.utf8), clientID: "device", principal: "cert",
            timestampMilliseconds: 1_700_000_000_000,
            environment: SQLEnvironment(accountID: "123456789012", makeUUID: { "uuid" }, random: { 1 << 63 }),
            peer: "192.0.2.7:49152", properties: { [properties] in properties })
        let result = try statement.evaluate(input).map { text($0) }
        let value = vector.view["is"]?.stringValue
        #expect(result == value.map { "{\"r\":\($0)}" } ?? "{}", "\(expression)")
        // What SELECT names is what WHERE and templates see.
        let template = try SubstitutionTemplate(parsing: "${\(expression)}", version: version, host: Self.host)
        if value == nil { #expect(template.render(input) == nil) }
    }

    @Test(arguments: Vectors.load("sql-expressions.json").map(Vector.init))
    func operators(vector: Vector) throws { try check(vector) }

    @Test(arguments: Vectors.load("sql-functions.json").map(Vector.init))
    func functions(vector: Vector) throws { try check(vector) }

    /// A function without a vector could do anything.
    @Test func everyFunctionHasItsVectors() {
        let tried = Set(Vectors.load("sql-functions.json").compactMap { $0["of"]?.stringValue?.lowercased() })
        #expect(Set(SQLFunction.all.keys).subtracting(tried) == [])
    }
}
