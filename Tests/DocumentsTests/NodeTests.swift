import Testing

@testable import Documents

@Suite struct NodeTests {
    private func json(_ text: String) throws -> String {
        String(decoding: try Node.parse(file: "t.yaml", text: text).json("the value"), as: UTF8.self)
    }

    private func message(_ text: String, limits: DocumentLimits = .init()) -> String {
        do {
            _ = try Node.parse(file: "t.yaml", text: text, limits: limits)
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test(
        "Unquoted scalars follow the core schema, quoted ones are text",
        arguments: [
            ("yes", #""yes""#), ("2012-10-17", #""2012-10-17""#), ("true", "true"), ("'true'", #""true""#), ("~", "null"), ("12", "12"),
            ("\"12\"", #""12""#), ("1.50", "1.50"), ("3e2", "3e2"), ("-0.0", "-0.0"), ("+7", "7"), ("007", "7"), (".5", "0.5"), ("5.", "5"),
            ("0x1F", "31"), ("0o17", "15"), ("1.2.3.4", #""1.2.3.4""#), ("-", "[null]"), ("1:2", #""1:2""#), ("!!str 12", #""12""#),
            ("9007199254740993", "9007199254740993"), ("e5", #""e5""#), ("1e", #""1e""#), (".", #"".""#),
        ]
    )
    func coreSchema(yaml: String, expected: String) throws {
        #expect(try json(yaml) == expected)
    }

    @Test func jsonIsReadAsItIs() throws {
        let text = #"{"a":[1,{"b":"x\n\"y\"\u00e9"},null,true],\#t"c":{}}"#
        #expect(try json(text) == #"{"a":[1,{"b":"x\n\"y\"é"},null,true],"c":{}}"#)
    }

    @Test("JSON's escapes of characters beyond U+FFFF are read, and a lone half is refused")
    func surrogatePairs() throws {
        #expect(try json(#"{"a":"\ud83d\ude00 coffee \\ud83d","b":"\uD834\uDD1E"}"#) == #"{"a":"😀 coffee \\ud83d","b":"𝄞"}"#)
        #expect(message(#"{"a":"\ud83d"}"#).hasPrefix("t.yaml:1:"))
        #expect(try json(#"a: '\ud83d\ude00'"#) == #"{"a":"\\ud83d\\ude00"}"#)
    }

    @Test func controlCharactersAreEscaped() throws {
        #expect(try json(#""\x01\t""#) == #""\u0001\t""#)
    }

    @Test func valuesKnowWhereTheyWereWritten() throws {
        let root = try Node.parse(file: "dir/t.yaml", text: "a:\n  b: [1, two]\n")
        #expect(root["a"]?.location.description == "dir/t.yaml:2:3")
        let list = try #require(root["a"]?["b"]).elements("b")
        #expect(list.map(\.location.description) == ["dir/t.yaml:2:7", "dir/t.yaml:2:10"])
        #expect(root.entry("a")?.keyLocation.description == "dir/t.yaml:1:1")
    }

    @Test func aKeyThatOccursTwiceIsRefused() {
        #expect(
            message("x: 1\ny:\n  a: 1\n  b: 2\n  a: 3\n") == "t.yaml:3:3: `a` occurs more than once in the same mapping; the first is here")
        #expect(message(#"{"a": 1, "a": 2}"#).hasPrefix("t.yaml:1:2: `a` occurs more than once"))
        #expect(message("1: a\n\"1\": b\n") == "t.yaml:2:1: `1` occurs more than once in the same mapping")
    }

    @Test func badSyntaxNamesThePlace() {
        #expect(message("a: [1\nb: 2\n").hasPrefix("t.yaml:2:"))
        #expect(message("a: *nobody\n").hasPrefix("t.yaml:1:4: not valid YAML or JSON: found undefined alias"))
        #expect(message("a: 1\n---\nb: 2\n").contains("another document"))
        // What to do, for the mistakes that people make.
        #expect(message("a:\n\t- x\n").contains("not of tabs"))
        #expect(message("a: { b: 1\nc: 2\n").contains("a { above is not closed"))
        #expect(message("a: \"b\nc: 2\n").contains("a quotation mark above is not closed"))
    }

    @Test func whatHasNoJSONFormIsRefused() throws {
        let node = try Node.parse(file: "t.yaml", text: "a: .inf")
        #expect(
            throws: DocumentError("x: JSON has no number `.inf`; quote it if it is text", at: .init(file: "t.yaml", line: 1, column: 4))
        ) {
            try node.json("x")
        }
        #expect(message("<<: {a: 1}\n") == "t.yaml:1:1: merge keys (`<<`) are not supported")
        #expect(message("a: !!binary eA==\n").hasPrefix("t.yaml:1:4: the YAML tag `tag:yaml.org,2002:binary`"))
        #expect(message("? [a]\n: 1\n").hasPrefix("t.yaml:1:3: a key must be text"))
    }

    @Test func aliasesAreExpandedUpToALimit() throws {
        #expect(try json("a: &x {k: 1}\nb: *x\n") == #"{"a":{"k":1},"b":{"k":1}}"#)
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let alias = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(alias)]\n"
        }
        #expect(message(bomb).contains("documentNodesMax (100000), aliases expanded"))
    }

    @Test func sizeAndDepthAreBounded() {
        var limits = DocumentLimits()
        limits.bytesMax = 10
        #expect(message("a: 12345678", limits: limits).contains("documentBytesMax (10 bytes)"))
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(message(deep).contains("documentDepthMax (100)"))
        let veryDeep = String(repeating: "[", count: 100_000)
        #expect(message(veryDeep) != "no error")
    }

    @Test func anUnknownKeySuggestsTheNearest() {
        #expect(suggestion(for: "lisners", among: ["listeners", "limits"]) == "; did you mean `listeners`?")
        #expect(suggestion(for: "Nmae", among: ["Name", "State"]) == "; did you mean `Name`?")
        #expect(suggestion(for: "zzz", among: ["b", "a"]) == "; known: a, b")
    }
}
