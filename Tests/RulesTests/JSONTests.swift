import Rules
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        "0", "-0", "-1.5e+10", "1E9", "\"\"", "true", "false", "null", "[]", "{}", "[1,[2,{}]]", "{\"a\":{\"b\":[null]}}", "\"\u{7F}é😀\"",
        "\"\\u00e9\\ud83d\\ude80\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
    ])
    func compactTextComesBackUnchanged(source: String) throws {
        #expect(text(try json(source).rawJSON) == source)
    }

    @Test func whitespaceOutsideStringsIsDropped() throws {
        #expect(
            text(try json(" { \"a b\" :\t[ 1.50 ,\r\n\"x  y\" , { } , [ ] ] , \"c\" : null } ").rawJSON)
                == #"{"a b":[1.50,"x  y",{},[]],"c":null}"#)
        #expect(text(try #require(try json(#"{ "a": [ 1, 2 ] }"#)["a"]).rawJSON) == "[1,2]")
    }

    @Test(arguments: [
        "", " ", "nul", "True", "NaN", "Infinity", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "1 2", "[1,]", "[,1]", "[1", "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\",1}", "[1}", "{]", "]", "'a'", "\"a", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"",
        "\"\n\"", "\"\\", "\u{FEFF}1", "// c\n1", "1 x", "[\"a\":1]", "\u{A0}1", "truefalse", "-a",
    ])
    func whatIsNoJSONIsRefused(source: String) {
        #expect(throws: JSONError.self) { try json(source) }
    }

    @Test(
        "Half of a surrogate pair, as a program makes it that cuts a text in two, is read as U+FFFD and harms nothing else",
        arguments: [
            ("\\ud800", "\u{FFFD}"), ("\\udc00", "\u{FFFD}"), ("\\ud800x", "\u{FFFD}x"), ("\\ud800\\u0041", "\u{FFFD}A"),
            ("\\udc00\\ud800", "\u{FFFD}\u{FFFD}"), ("\\ud83d\\ud83d\\ude00", "\u{FFFD}😀"), ("\\ud83d\\n", "\u{FFFD}\n"),
        ])
    func halfASurrogatePair(source: String, expected: String) throws {
        let document = try JSONDocument(parsing: Array("{\"a\":\"\(source)\",\"b\":1}".utf8))
        #expect(document.root.members.map(\.name) == ["a", "b"])
        #expect(document.root.members.map { $0.value.stringValue ?? $0.value.numberText ?? "" } == [expected, "1"])
        #expect(try JSONDocument(parsing: Array("{\"\(source)\":1}".utf8)).root.members.map(\.name) == [expected])
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xE2, 0x82], [0xC2, 0x41],
        ] as [[UInt8]])
    func malformedUTF8IsRefused(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSONDocument(parsing: [0x22] + bytes + [0x22]) }
        #expect(error?.reason == .invalidUTF8)
    }

    @Test func everyScalarSurvives() throws {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 97) {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
            let source = "\"\(scalar)\""
            #expect(try json(source).stringBytes.map(Array.init) == Array(String(scalar).utf8))
        }
    }

    @Test func escapesAreDecoded() throws {
        #expect(try json(#""a\u00e9\ud83d\ude80\/\b\f\n\r\t\"\\b""#).stringValue == "a\u{E9}🚀/\u{8}\u{C}\n\r\t\"\\b")
        #expect(try json(#"{"\u0061":1}"#)["a"]?.numberText == "1")
    }

    @Test func theLastOfTwoEqualKeysWins() throws {
        let view = try json(#"{"a":{"x":1},"b":2,"\u0061":{"y":3}}"#)
        #expect(text(try #require(view["a"]).rawJSON) == #"{"y":3}"#)
        #expect(view.members.map(\.name) == ["b", "a"])
        #expect(text(view.rawJSON) == #"{"b":2,"\u0061":{"y":3}}"#)
        #expect(text(try json(#"[{"a":[1,2],"a":[3]},4]"#).rawJSON) == #"[{"a":[3]},4]"#)
    }

    @Test func keysAreComparedByCodePoints() throws {
        // Swift's String calls these two spellings of é equal.
        let view = try json("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(view["\u{E9}"]?.numberText == "1")
        #expect(view["e\u{301}"]?.numberText == "2")
    }

    @Test func numbersKeepTheirSpelling() throws {
        for spelling in ["1.0", "1e2", "-0.0", "12345678901234567890123456789", "0.10"] {
            #expect(try json("[\(spelling)]")[element: 0]?.numberText == spelling)
        }
    }

    @Test func membersAndElementsAreWalkedInOrder() throws {
        let view = try json(#"{"a":[1,[2],{"z":3}],"b":true}"#)
        #expect(view.members.map { text($0.value.rawJSON) } == [#"[1,[2],{"z":3}]"#, "true"])
        #expect(view["a"]?.elements.map { text($0.rawJSON) } == ["1", "[2]", #"{"z":3}"#])
        #expect(view["a"]?[element: 2]?["z"]?.numberText == "3")
        #expect(view["a"]?[element: 3] == nil)
        #expect(view["a"]?[element: -1] == nil)
        #expect(view["b"]?["c"] == nil)
    }

    @Test("Threat 51: depth is bounded by its limit", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depthIsBoundedByItsLimit(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + (close == "]" ? "" : "1") + String(repeating: close, count: depth)
        }
        #expect(text(try json(nested(1_000)).rawJSON) == nested(1_000))
        let error = #expect(throws: JSONError.self) { try json(nested(1_001)) }
        #expect(error?.reason == .tooDeep(depthMax: 1_000))
        #expect(throws: JSONError.self) { try json(String(repeating: open, count: 200_000)) }
    }

    @Test func lengthIsBoundedByItsLimit() throws {
        func string(bytes: Int) -> [UInt8] { [0x22] + [UInt8](repeating: 0x61, count: bytes - 2) + [0x22] }
        _ = try JSONDocument(parsing: string(bytes: 1_048_576))
        let error = #expect(throws: JSONError.self) { try JSONDocument(parsing: string(bytes: 1_048_577)) }
        #expect(error?.reason == .tooLarge(bytesMax: 1_048_576))
    }

    @Test func errorsSayWhere() {
        let error = #expect(throws: JSONError.self) { try json(#"{"a": tru}"#) }
        #expect(error == JSONError(offset: 6, reason: .unrecognizedToken("tru")))
        #expect(error?.description == "unrecognized token 'tru' at byte 6")
    }

    @Test func writtenStringsReadBack() throws {
        let content = String(String.UnicodeScalarView((0..<0x250).compactMap(Unicode.Scalar.init)))
        var output: [UInt8] = []
        JSONText.appendString(content.utf8, to: &output)
        #expect(try JSONDocument(parsing: output).root.stringValue == content)
    }
}
