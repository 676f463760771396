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
        var index = PatternIndex()
        index.insert(pattern, for: 1)
        #expect(index.matches(event) == (expected ? [1] : []))
    }

    @Test(arguments: [
        (#"{"a":{"b":[{"anything-but":{"prefix":[]}}]}}"#, "a.b: an empty list in anything-but with prefix is not supported")
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
        let event = try JSONDocument(parsing: Array(("{" + (0..<256).map { "\"f\($0)\":[0,\($0)]" }.joined(separator: ",") + "}").utf8))
            .root
        #expect(try EventPattern(parsing: pattern(256)).matches(event))
        #expect(throws: EventPatternError.self) { try EventPattern(parsing: pattern(257)) }
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

    @Test(arguments: ["prefix", "suffix"])
    func aLongListIsLookedUpAtOnce(name: String) throws {
        let texts = (0..<40).map { "\($0 * 37)\(String(repeating: "x", count: $0 % 5))" } + ["é", ""].prefix(1)
        let conditions = texts.map { "{\"\(name)\":\"\($0)\"}" }.joined(separator: ",")
        let pattern = try EventPattern(parsing: Array("{\"a\":[\(conditions),7]}".utf8))
        for text in texts + ["q", "y37", "37y", "", "148xy", "é0", "0é", "1480xxxx1"] {
            for value in [text, "\(text)+", "+\(text)"] {
                let expected = texts.contains { name == "prefix" ? value.hasPrefix($0) : value.hasSuffix($0) }
                #expect(pattern.matches(try json("{\"a\":\"\(value)\"}")) == expected, "\(value)")
            }
        }
        #expect(pattern.matches(try json(#"{"a":7}"#)))
        #expect(!pattern.matches(try json(#"{"a":37}"#)))
    }

    @Test func onlyObjectsMatch() throws {
        let pattern = try EventPattern(parsing: Array(#"{"a":[1]}"#.utf8))
        #expect(!pattern.matches(try json(#"[{"a":1}]"#)))
        #expect(!pattern.matches(try json("1")))
    }
}
