import Testing

@testable import Rules

/// Mapping templates by vectors: what each gives for one request, and why others are refused or fail.
@Suite struct VTLTemplateTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var template: String { view["t"]?.stringValue ?? "" }
        var testDescription: String { String(template.prefix(60)) }
    }

    static let body = #"""
        {"user":"u1","n":7,"price":4.50,"big":12345678901234567890,"neg":-2,"flag":true,"off":false,"nothing":null,"empty":"","items":\#
        [{"id":1,"name":"latte"},{"id":2,"name":"tea"}],"tags":["a","b","c"],"o":{"k":"v","deep":{"e":5},"list":[{"x":1}]},\#
        "quote":"it's \"x\" / \\","uni":"é😀","none":[],"nil":{}}
        """#

    static func input(body: String = Self.body) throws -> VTLInput {
        var input = VTLInput(body: Array(body.utf8))
        input.json = try JSONDocument(parsing: Array(body.utf8), limits: JSONLimits(bytesMax: 1 << 24)).root
        input.parameters = try view(
            #"{"path":{"id":"42","shared":"p"},"querystring":{"state":"open","shared":"q","q":"a b"},"#
                + #""header":{"X-Shop":"nyc","shared":"h","Content-Type":"application/json"}}"#)
        input.context = try view(
            #"{"requestId":"req-1","httpMethod":"POST","identity":{"sourceIp":"127.0.0.1"},"resourcePath":"/o","stage":"prod"}"#)
        input.stageVariables = try view(#"{"bus":"shop"}"#)
        return input
    }

    private static func view(_ text: String) throws -> JSONView { try JSONDocument(parsing: Array(text.utf8)).root }

    static func render(_ template: String, body: String = Self.body) throws -> String {
        let compiled = try VTLTemplate(parsing: template, stageVariables: ["bus"])
        return String(decoding: try compiled.render(try input(body: body)), as: UTF8.self)
    }

    @Test(arguments: Vectors.load("vtl.json").map(Vector.init))
    func renders(vector: Vector) throws {
        let found = try Self.render(vector.template)
        let expected = try #require(vector.view["is"]?.stringValue)
        switch expected {
        case "<BODY>": #expect(found == Self.body)
        case "<PARSES>": #expect(throws: Never.self) { try Self.view(found) }
        case let text where text.hasPrefix("<JSON>"):
            #expect(try Self.view(found).rawJSON == Array(text.dropFirst(6).utf8), "\(found)")
        default: #expect(Array(found.utf8) == Array(expected.utf8), "\(vector.template) gives \(found), not \(expected)")
        }
    }

    @Test(arguments: Vectors.load("vtl-refusals.json").map(Vector.init))
    func isRefused(vector: Vector) throws {
        let isOfResponse = vector.view["of"]?.stringValue == "response"
        func parse() throws { _ = try VTLTemplate(parsing: vector.template, stageVariables: ["bus"], isOfResponse: isOfResponse) }
        if vector.view["is"] != nil {
            #expect(throws: Never.self) { try parse() }
            return
        }
        let error = #expect(throws: VTLError.self) { try parse() }
        let expected = try #require(vector.view["error"]?.stringValue)
        #expect(error?.description.contains(expected) == true, "\(vector.template): \(error?.description ?? "no error")")
    }

    @Test(arguments: Vectors.load("vtl-failures.json").map(Vector.init))
    func fails(vector: Vector) throws {
        let template = try VTLTemplate(parsing: vector.template)
        let failure = #expect(throws: VTLFailure.self) { try template.render(try Self.input()) }
        let expected = try #require(vector.view["fails"]?.stringValue)
        #expect(failure?.description.contains(expected) == true, "\(vector.template): \(failure?.description ?? "no failure")")
    }

    /// A method or function without a vector could do anything.
    @Test func everyMethodHasItsVectors() {
        let text = Vectors.load("vtl.json").compactMap { $0["t"]?.stringValue }.joined()
        #expect(VTLMethod.allCases.filter { !text.contains(".\($0.rawValue)(") } == [])
        #expect(VTLUtility.allCases.filter { !text.contains("$util.\($0.rawValue)(") } == [])
    }

    /// A search costs what it compares, also where a request brings the text and what is searched for.
    @Test(arguments: ["indexOf", "lastIndexOf", "contains"])
    func searchesArePaidFor(method: String) throws {
        let (text, wanted) = (String(repeating: "a", count: 8_000), String(repeating: "a", count: 4_000))
        let template = "$input.path('$.a').\(method)($input.path('$.b'))"
        #expect(throws: VTLFailure.tooManySteps) { try Self.render(template, body: #"{"a":"\#(text)","b":"\#(wanted)b"}"#) }
        #expect(throws: Never.self) { try Self.render(template, body: #"{"a":"\#(text)b","b":"ab"}"#) }
    }

    /// Also those parts of a replacement of which nothing comes.
    @Test(arguments: ["replaceAll", "replaceFirst"])
    func replacementsArePaidFor(method: String) throws {
        func body(_ parts: Int) -> String {
            let text = String(repeating: "a", count: 1_000)
            return #"{"a":"\#(text)","b":"\#(String(repeating: "$1", count: parts))"}"#
        }
        // One match, or a thousand.
        let times = method == "replaceAll" ? 1 : 900
        let template = "#foreach($i in [1..\(times)])#set($x = $input.path('$.a').\(method)('(x)?', $input.path('$.b')))#end"
        #expect(throws: VTLFailure.self) { try Self.render(template, body: body(1_000)) }
        #expect(throws: Never.self) { try Self.render(template, body: body(2)) }
    }

    @Test func countingMembersIsPaidFor() throws {
        let template = "#set($m = $input.path('$'))#foreach($i in [1..900])#set($x = $m.size())#end"
        func body(_ count: Int) -> String { "{" + (0..<count).map { "\"m\($0)\":0" }.joined(separator: ",") + "}" }
        #expect(throws: VTLFailure.tooManySteps) { try Self.render(template, body: body(8_000)) }
        #expect(throws: Never.self) { try Self.render(template, body: body(80)) }
    }

    /// Wildcards cost what they find, again for each time.
    @Test(arguments: ["$.a[*]", "$.a[0:]", "$.a.*", "$.a[0:-1]"])
    func pathsWithWildcardsArePaidFor(path: String) throws {
        let body = #"{"a":["# + Array(repeating: "1", count: 900).joined(separator: ",") + "]}"
        let template = "#foreach($i in [1..1000])#set($x = $input.path('\(path)'))#end"
        #expect(throws: VTLFailure.self) { try Self.render(template, body: body) }
        #expect(throws: Never.self) { try Self.render(template, body: #"{"a":[1,2,3]}"#) }
    }

    @Test func anEmptyBodyIsAnEmptyObject() throws {
        let template = try VTLTemplate(parsing: "$input.body [$input.path('$.a')] $input.json('$.a')")
        #expect(String(decoding: try template.render(VTLInput(body: [])), as: UTF8.self) == #"{} [] """#)
    }

    @Test func aTemplateOfAResponseMaySetSoManyHeaders() throws {
        func overrides(_ count: Int) throws -> VTLOverrides {
            let text = "#foreach($i in [1..\(count)])#set($context.responseOverride.header[\"x$i\"] = $i)#end"
            return try VTLTemplate(parsing: text, isOfResponse: true).rendering(VTLInput(body: [])).overrides
        }
        #expect(try overrides(VTLOverrides.headersMax).headers.count == VTLOverrides.headersMax)
        #expect(throws: VTLFailure.self) { try overrides(VTLOverrides.headersMax + 1) }
    }

    @Test func aTemplateSaysWhatItNeeds() throws {
        #expect(try VTLTemplate(parsing: "$input.body").needs == [])
        #expect(try VTLTemplate(parsing: "#set($x = \"$input.json('$')\")").needs == [.json])
        #expect(try VTLTemplate(parsing: "#if($input.params('a') == $context.requestId)#end").needs == [.parameters, .context])
    }
}

/// Each limit of templates below, at and above it.
@Suite struct VTLLimitTests {
    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func aTemplateMayHaveTemplateBytesMax(beyond: Int, loads: Bool) {
        let template = String(repeating: "x", count: VTLTemplate.bytesMax + beyond)
        #expect(((try? VTLTemplate(parsing: template)) != nil) == loads)
    }

    /// The template itself is the first level.
    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func directivesMayNestToTemplateNestingMax(beyond: Int, loads: Bool) {
        let count = VTLTemplate.nestingMax - 1 + beyond
        let template = String(repeating: "#if(true)", count: count) + String(repeating: "#end", count: count)
        #expect(((try? VTLTemplate(parsing: template)) != nil) == loads)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func aLoopMayHaveTemplateLoopPassesMax(beyond: Int, renders: Bool) {
        let body = "[" + Array(repeating: "1", count: VTLTemplate.loopPassesMax + beyond).joined(separator: ",") + "]"
        #expect(((try? VTLTemplateTests.render("#foreach($i in $input.path('$'))x#end", body: body)) != nil) == renders)
        let range = "#foreach($i in [1..\(VTLTemplate.loopPassesMax + beyond)])x#end"
        #expect(((try? VTLTemplateTests.render(range)) != nil) == renders)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func aResultMayHaveTemplateResultBytesMax(beyond: Int, renders: Bool) {
        let body = "\"" + String(repeating: "x", count: VTLTemplate.resultBytesMax + beyond) + "\""
        #expect(((try? VTLTemplateTests.render("$input.path('$')", body: body)) != nil) == renders)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func textsOnTheWayMayHaveTemplateWorkBytesMax(beyond: Int, renders: Bool) throws {
        let template = try VTLTemplate(parsing: "#set($x = $s.concat(''))#set($s = $input.path('$'))#set($x = $s.concat(''))")
        var input = VTLInput(body: [])
        let text = String(repeating: "x", count: VTLTemplate.workBytesMax + beyond)
        input.json = try JSONDocument(parsing: Array("\"\(text)\"".utf8), limits: JSONLimits(bytesMax: 1 << 25)).root
        #expect(((try? template.render(input)) != nil) == renders)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func regularExpressionsMayTakeTemplateRegexStepsMax(beyond: Int, renders: Bool) throws {
        var evaluation = VTLEvaluation(try VTLTemplate(parsing: "").program, VTLInput(body: []))
        let found = try? evaluation.search { steps in
            steps -= VTLTemplate.regexStepsMax + beyond
            return true
        }
        #expect((found != nil) == renders)
    }

    @Test(arguments: [(-1, true), (0, true), (1, false)])
    func aRenderingMayTakeTemplateStepsMax(beyond: Int, renders: Bool) throws {
        // Statements of text are a step each, and one comment keeps two of them apart.
        func template(_ rest: Int) throws -> VTLTemplate {
            try VTLTemplate(
                parsing: "#foreach($i in [1..1000])#foreach($j in [1..230])x#end#end" + String(repeating: "#set($a = 1)", count: rest / 2)
                    + (rest % 2 == 1 ? "x" : ""))
        }
        var evaluation = VTLEvaluation(try template(0).program, VTLInput(body: []))
        try evaluation.run()
        let rest = evaluation.stepsLeft + beyond
        #expect(rest < 100_000)
        let rendering = try template(rest)
        #expect(((try? rendering.render(VTLInput(body: []))) != nil) == renders)
    }
}
