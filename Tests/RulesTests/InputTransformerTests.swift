import Rules
import Testing

@Suite struct InputTransformerTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { view["name"]?.stringValue ?? "?" }
    }

    private static let event = #"""
        {"source":"shop","id":"1","resources":[],"detail-type":"T","detail":{"s":"str","n":1.50,"t":true,"z":null,"o":{"k":"v"},"l":[1,"x"],
        "quote":"a\"b","attack":"a\",\"admin\":\"b","backslash":"a\\","newline":"a\nb","escaped":"a\\nb"}}
        """#
    private static let names = ["s", "n", "t", "z", "o", "l", "quote", "attack", "backslash", "newline", "escaped", "missing"]
    private let paths = Self.names.map { ($0, "$.detail.\($0)") }
    private let reserved = ReservedVariables(ruleARN: "arn:r", ruleName: "r", ingestionTime: "2024-01-01T00:00:00Z")

    @Test(arguments: Vectors.load("transformers.json").map(Vector.init))
    func vectors(vector: Vector) throws {
        let transformer = try InputTransformer(pathsMap: paths, template: try #require(vector.view["template"]?.stringValue))
        let event = try json(Self.event)
        if vector.view["fails"] != nil {
            #expect(throws: TransformError.self) { try transformer.transform(event, reserved: reserved) }
        } else {
            let expected = vector.view["whole"] == nil ? vector.view["is"]?.stringValue : text(event.rawJSON)
            #expect(text(try transformer.transform(event, reserved: reserved)) == expected)
        }
    }

    /// Every kind of value in every form of template: outside quotes it stays JSON, inside quotes it becomes bare text.
    ///
    /// In the answers of the forms `JSON` stands for the value, `BARE` for its text without quotes; a value without such a text makes no
    /// JSON inside quotes, and is not delivered.
    @Test func everyKindOfValueInEveryFormOfTemplate() async throws {
        let table = try #require(Vectors.load("transformer-forms.json").first)
        let values = Array(try #require(table["values"]).elements)
        let forms = Array(try #require(table["forms"]).elements)
        var count = 0
        for value in values {
            await Task.yield()
            let json = value["json"]?.stringValue
            let event = try RulesTests.json("{\"detail\":{\(json.map { "\"v\":\($0)" } ?? "")}}")
            for form in forms {
                let template = try #require(form["template"]?.stringValue)
                let kind = try #require(form["kind"]?.stringValue)
                let transformer = try InputTransformer(pathsMap: [("v", "$.detail.v")], template: template)
                let comment: Comment = "\(value["name"]?.stringValue ?? "?") in \(template)"
                count += 1
                let bare = value["bare"]?.stringValue
                // An object's own quotes break a JSON string; a template of strings takes them away.
                guard kind == "json" || (bare != nil && (kind == "text" || value["isObject"] == nil)) else {
                    #expect(throws: TransformError.self, comment) { try transformer.transform(event, reserved: reserved) }
                    continue
                }
                let expected = form["is"]?.stringValue?.replacing("JSON", with: json ?? "\"\"").replacing("BARE", with: bare ?? "")
                #expect(text(try transformer.transform(event, reserved: reserved)) == expected, comment)
            }
        }
        #expect(count == 360)
    }

    @Test(arguments: [
        ("", InputTransformerError.emptyTemplate), (" \n", .emptyTemplate), ("{\"a\": <other>}", .unknownPlaceholder("other")),
        ("\"<other>\"", .unknownPlaceholder("other")), ("\"<aws.events.rule>\"", .unknownPlaceholder("aws.events.rule")),
        ("{\"<s>\": 1}", .placeholderInKey("s")), ("{\"a<s>b\" : 1}", .placeholderInKey("s")),
        ("{\"a\": \"<aws.events.event>\"}", .objectInsideQuotes("aws.events.event")),
        ("\"<aws.events.event.json>\"", .objectInsideQuotes("aws.events.event.json")), ("\"a\"\nb", .notQuoted(line: 2)),
        ("\"a\"\n\n\"b\"", .notQuoted(line: 2)), ("\"a\" \"b\"", .notQuoted(line: 1)), ("\"a\" <s>", .notQuoted(line: 1)),
        ("\"a", .notQuoted(line: 1)),
        ("\"\\<s>n\"", .notQuoted(line: 1)),
    ])
    func unusableTemplatesAreRefused(template: String, expected: InputTransformerError) {
        let error = #expect(throws: InputTransformerError.self) { try InputTransformer(pathsMap: paths, template: template) }
        #expect(error == expected)
    }

    @Test(arguments: [
        "{\"a\": <s>", "{<s>: 1}", "{\"a\": <s> <s>}", "{\"a\": <s>1}", "hello <s>", "{\"a\": \"<s>}", "<s> <s>", "{\"a\": <s >}",
        // An escape around a placeholder is no escape.
        "{\"a\": \"\\u00<s>41\"}", "{\"a\": \"\\u<s>0041\"}",
    ])
    func templatesThatAreNoJSONAreRefused(template: String) {
        let error = #expect(throws: InputTransformerError.self) { try InputTransformer(pathsMap: paths, template: template) }
        guard case .notJSON = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["", "AWSname", "a b", "a.b", "<a>", "é"])
    func unusableNamesAreRefused(name: String) {
        let error = #expect(throws: InputTransformerError.self) { try InputTransformer(pathsMap: [(name, "$.a")], template: "1") }
        #expect(error == .invalidName(name))
    }

    @Test func limitsHaveNames() throws {
        let paths = (0..<101).map { ("p\($0)", "$.p") }
        _ = try InputTransformer(pathsMap: Array(paths.dropLast()), template: "1")
        #expect(throws: InputTransformerError.tooManyPaths(pathsMax: 100)) { try InputTransformer(pathsMap: paths, template: "1") }
        func template(_ bytes: Int) -> String { "\"" + String(repeating: "x", count: bytes - 2) + "\"" }
        _ = try InputTransformer(pathsMap: [], template: template(8_192))
        #expect(throws: InputTransformerError.templateTooLong(bytesMax: 8_192)) {
            try InputTransformer(pathsMap: [], template: template(8_193))
        }
    }

    @Test func aResultThatGrowsTooLongIsNotDelivered() throws {
        let template = "[" + Array(repeating: "<aws.events.event.json>", count: 300).joined(separator: ",") + "]"
        let transformer = try InputTransformer(pathsMap: [], template: template)
        let event = try json("{\"detail\":\"" + String(repeating: "x", count: 10_000) + "\"}")
        #expect(throws: TransformError.resultTooLong(bytesMax: 1_048_576)) { try transformer.transform(event, reserved: reserved) }
    }

    @Test func theServicesWordingNamesTargetAndPlaceholder() {
        let error = InputTransformerError.unknownPlaceholder("k")
        #expect(error.message(target: "T") == "InputTemplate for target T contains invalid placeholder k.")
    }

    @Test func aMissingInputPathDeliversNothing() throws {
        let input = TargetInput.path(try EventPath(parsing: "$.detail.missing"))
        #expect(try input.payload(for: try json(Self.event), reserved: reserved) == nil)
    }

    @Test func aWildcardDeliversAnArray() throws {
        let event = try json(#"{"detail":{"items":[{"id":1},{"id":"x"},{}]}}"#)
        let input = TargetInput.path(try EventPath(parsing: "$.detail.items[*].id", reach: .wildcards))
        #expect(try input.payload(for: event, reserved: reserved).map { text($0) } == #"[1,"x"]"#)
        let paths = [("ids", "$.detail.items[*].id"), ("none", "$.detail.none[*]"), ("empty", "$.detail.items[*].none")]
        let object = try InputTransformer(pathsMap: paths, template: #"{"ids":<ids>,"none":<none>,"empty":<empty>}"#)
        #expect(text(try object.transform(event, reserved: reserved)) == #"{"ids":[1,"x"],"none":"","empty":[]}"#)
        let string = try InputTransformer(pathsMap: paths, template: #""ids <ids>""#)
        #expect(text(try string.transform(event, reserved: reserved)) == #""ids [1,x]""#)
    }

    @Test func constantInputIsDeliveredAsItIs() throws {
        let input = try TargetInput.constant(json: Array("{ \"a\" : 1 }".utf8))
        #expect(try input.payload(for: try json("{}"), reserved: reserved).map(text) == "{ \"a\" : 1 }")
        #expect(throws: JSONError.self) { try TargetInput.constant(json: Array("{a}".utf8)) }
        #expect(throws: JSONError.self) { try TargetInput.constant(json: Array("\"\(String(repeating: "x", count: 8_192))\"".utf8)) }
    }
}
