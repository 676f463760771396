import Rules
import Testing

@Suite struct EventPatternTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { view["name"]?.stringValue ?? "?" }
    }

    @Test(arguments: Vectors.load("event-patterns.json").map(Vector.init))
    func vectorsMatchOneByOneAndInTheIndex(vector: Vector) throws {
        let pattern = try EventPattern(parsing: try #require(vector.view["pattern"]).rawJSON)
        let event = try #require(vector.view["event"])
        let expected = vector.view["match"]?.kind == .true
        #expect(pattern.matches(event) == expected)
        var index = PatternIndex<Int>()
        index.insert(pattern, for: 1)
        #expect(index.matches(event) == (expected ? [1] : []))
    }

    @Test(arguments: [
        (#"[]"#, "Filter is not an object"), (#""x""#, "Filter is not an object"), (#"{}"#, "Empty objects are not allowed"),
        (#"{"a":{}}"#, "Empty objects are not allowed"), (#"{"a":[]}"#, "Empty arrays are not allowed"),
        (#"{"a":"x"}"#, #""a" must be an object or an array"#), (#"{"a":{"b":1}}"#, #""b" must be an object or an array"#),
        (#"{"a":[[1]]}"#, "Match value must be String, number, true, false, or null"),
        (#"{"a":[{"PREFIX":"x"}]}"#, "Unrecognized match type PREFIX"), (#"{"a":[{}]}"#, "Match expression name not found"),
        (#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "Only one key allowed in match expression"),
        (#"{"a":[{"prefix":1}]}"#, "prefix match pattern must be a string"),
        (#"{"a":[{"prefix":{"x":"y"}}]}"#, "Unsupported prefix pattern: x"),
        (#"{"a":[{"exactly":1}]}"#, "exact match pattern must be a string"),
        ("this", "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"),
        ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
    ])
    func invalidPatternsAreRefusedInTheServicesWords(pattern: String, reason: String) {
        let error = #expect(throws: EventPatternError.self) { try EventPattern(parsing: Array(pattern.utf8)) }
        #expect(error?.kind == .invalid)
        #expect(error?.message == "Event pattern is not valid. Reason: \(reason)")
    }

    @Test(arguments: [
        (#"{"detail":{"status":[{"wildcard":"*"}]}}"#, "detail.status: operator 'wildcard' is not supported yet"),
        (#"{"a":["x",{"suffix":"x"}]}"#, "a: operator 'suffix' is not supported yet"),
        (#"{"a":[{"anything-but":"x"}]}"#, "a: operator 'anything-but' is not supported yet"),
        (#"{"a":[{"numeric":[">",1]}]}"#, "a: operator 'numeric' is not supported yet"),
        (#"{"a":[{"exists":false}]}"#, "a: operator 'exists' is not supported yet"),
        (#"{"a":[{"cidr":"10.0.0.0/8"}]}"#, "a: operator 'cidr' is not supported yet"),
        (#"{"a":[{"equals-ignore-case":"x"}]}"#, "a: operator 'equals-ignore-case' is not supported yet"),
        (#"{"a":[{"prefix":{"equals-ignore-case":"x"}}]}"#, "a: operator 'prefix with equals-ignore-case' is not supported yet"),
        (#"{"detail":{"$or":[{"a":["x"]},{"b":["x"]}]}}"#, "detail.$or: operator '$or' is not supported yet"),
        (#"{"a":{"b":[1]},"a.b":[2]}"#, "a.b: a field named twice, once by nesting and once by dots, is not supported"),
    ])
    func unsupportedPatternsAreRefusedByNameAndPath(pattern: String, message: String) {
        let error = #expect(throws: EventPatternError.self) { try EventPattern(parsing: Array(pattern.utf8)) }
        #expect(error?.kind == .unsupported)
        #expect(error?.message == message)
    }

    @Test func fieldsAreCountedUpToTheirLimit() throws {
        func pattern(_ count: Int) -> [UInt8] {
            Array(("{" + (0..<count).map { "\"f\($0)\":[\($0)]" }.joined(separator: ",") + "}").utf8)
        }
        let event = try JSONDocument(parsing: Array(("{" + (0..<64).map { "\"f\($0)\":[0,\($0)]" }.joined(separator: ",") + "}").utf8)).root
        #expect(try EventPattern(parsing: pattern(64)).matches(event))
        #expect(throws: EventPatternError.self) { try EventPattern(parsing: pattern(65)) }
    }

    @Test func lengthIsCountedWithoutWhitespaceUpToItsLimit() throws {
        func pattern(bytes: Int, padding: String) -> [UInt8] {
            Array(("{\"a\":[\(padding)\"" + String(repeating: "x", count: bytes - 10) + "\"]}").utf8)
        }
        _ = try EventPattern(parsing: pattern(bytes: 4_096, padding: String(repeating: " ", count: 5_000)))
        #expect(throws: EventPatternError.self) { try EventPattern(parsing: pattern(bytes: 4_097, padding: "")) }
    }

    @Test func aDeepPatternCostsNoStack() throws {
        let deep = String(repeating: "{\"a\":", count: 600) + "[1]" + String(repeating: "}", count: 600)
        let event = String(repeating: "{\"a\":", count: 600) + "1" + String(repeating: "}", count: 600)
        #expect(try EventPattern(parsing: Array(deep.utf8)).matches(try json(event)))
    }

    @Test func thousandsOfElementsAreMatchedInTime() throws {
        // Each field alone matches half of the elements, both together none: pairs would be 10^8 steps.
        let elements = (0..<20_000).map { $0 < 10_000 ? #"{"x":1,"y":0}"# : #"{"x":0,"y":1}"# }
        let event = try json("{\"a\":[" + elements.joined(separator: ",") + "]}")
        let pattern = try EventPattern(parsing: Array(#"{"a":{"x":[1],"y":[1]}}"#.utf8))
        let clock = ContinuousClock()
        let duration = clock.measure { #expect(!pattern.matches(event)) }
        #expect(duration < .seconds(5))
    }

    @Test func onlyObjectsMatch() throws {
        let pattern = try EventPattern(parsing: Array(#"{"a":[1]}"#.utf8))
        #expect(!pattern.matches(try json(#"[{"a":1}]"#)))
        #expect(!pattern.matches(try json("1")))
    }
}
