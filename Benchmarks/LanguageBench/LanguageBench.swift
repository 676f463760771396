import Measurement
import Rules

/// Statements, templates and transformers that mean harm, with messages to match: what each costs until its budget ends it, or until it is
/// done, in two sizes.
@main enum LanguageBench {
    static func main() {
        var cases: [BenchmarkCase] = []
        for statement in HostileLanguage.statements {
            for kilobytes in [64, 128] { cases.append(sql("sql-\(statement.name)-\(kilobytes)k", statement, kilobytes << 10)) }
        }
        for template in HostileLanguage.templates {
            for kilobytes in [64, 128] { cases.append(vtl("vtl-\(template.name)-\(kilobytes)k", template, kilobytes << 10)) }
        }
        for transformer in HostileLanguage.transformers {
            for kilobytes in [64, 128] { cases.append(input("input-\(transformer.name)-\(kilobytes)k", transformer, kilobytes << 10)) }
        }
        BenchmarkCommand.run(cases)
    }

    private static func sql(_ name: String, _ hostile: HostileLanguage, _ bytes: Int) -> BenchmarkCase {
        let payload = Array(hostile.document(bytes).utf8)
        let statement = made(hostile.text) { try SQLStatement(parsing: $0) }
        return BenchmarkCase(name: name, bytes: payload.count, operations: 1) {
            let input = SQLInput(topic: "a/b", payload: payload, clientID: "c", principal: nil, timestampMilliseconds: 0)
            return (try? statement.evaluate(input))?.count ?? -1
        }
    }

    private static func vtl(_ name: String, _ hostile: HostileLanguage, _ bytes: Int) -> BenchmarkCase {
        let body = Array(hostile.document(bytes).utf8)
        let template = made(hostile.text) { try VTLTemplate(parsing: $0) }
        var input = VTLInput(body: body)
        input.json = try? JSONDocument(parsing: body).root
        return BenchmarkCase(name: name, bytes: body.count, operations: 1) { (try? template.render(input))?.count ?? -1 }
    }

    private static func input(_ name: String, _ hostile: HostileLanguage, _ bytes: Int) -> BenchmarkCase {
        let event = made(hostile.document(bytes)) { try JSONDocument(parsing: Array($0.utf8)).root }
        let paths = (0..<InputTransformer.pathsMax).map { ("p\($0)", "$.k\($0).last") }
        let transformer = made(hostile.text) { try InputTransformer(pathsMap: paths, template: $0) }
        let reserved = ReservedVariables(ruleARN: "arn", ruleName: "rule", ingestionTime: "2026-01-01T00:00:00Z")
        return BenchmarkCase(name: name, bytes: event.rawJSON.count, operations: 1) {
            (try? transformer.transform(event, reserved: reserved))?.count ?? -1
        }
    }

    private static func made<Value>(_ text: String, _ make: (String) throws -> Value) -> Value {
        do { return try make(text) } catch { fatalError("\(text.prefix(200)): \(error)") }
    }
}

/// A text of one of the languages, and a message that makes it take long.
struct HostileLanguage: Sendable {
    let name: String
    let text: String
    /// A JSON object of about so many bytes.
    let document: @Sendable (Int) -> String

    private static func repeated(_ piece: String, _ count: Int) -> String { String(repeating: piece, count: count) }

    private static func list(_ count: Int, _ element: String) -> String {
        "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
    }

    private static let sum = Array(repeating: "1", count: 20).joined(separator: " + ")

    static let statements = [
        HostileLanguage(name: "steps", text: "SELECT (SELECT VALUE \(sum) FROM l) AS r FROM 'a'") { "{\"l\":\(list($0 / 2, "1"))}" },
        HostileLanguage(name: "queries", text: "SET @l = l SELECT (SELECT VALUE (SELECT VALUE 1 FROM @l) FROM l) AS r FROM 'a'") {
            "{\"l\":\(list($0 / 2, "1"))}"
        },
        HostileLanguage(name: "texts", text: "SET @s = s SELECT (SELECT VALUE @s FROM l) AS r FROM 'a'") {
            "{\"s\":\"\(repeated("x", $0 / 2))\",\"l\":\(list($0 / 4, "1"))}"
        },
        HostileLanguage(name: "regex", text: "SELECT 1 AS r FROM 'a' WHERE regexp_matches(s, '(a|b|ab|ba|aba|bab)*c')") {
            "{\"s\":\"\(repeated("ab", $0 / 2))\"}"
        },
        HostileLanguage(name: "regex-of-the-message", text: "SELECT regexp_replace(s, p, '$0$0') AS r FROM 'a'") {
            "{\"s\":\"\(repeated("ab", $0 / 2))\",\"p\":\"(a|b|ab){0,50}\"}"
        },
        HostileLanguage(name: "like", text: "SELECT s LIKE '%a%a%a%a%b%c' AS r FROM 'a'") { "{\"s\":\"\(repeated("a", $0))\"}" },
        HostileLanguage(name: "members", text: "SELECT \((0..<50).map { "m\($0) AS x\($0)" }.joined(separator: ", ")) FROM 'a'") { bytes in
            "{\((0..<bytes / 10).map { "\"k\($0)\":1" }.joined(separator: ","))}"
        },
        HostileLanguage(name: "equality", text: "SET @x = x, @y = y SELECT (SELECT VALUE 1 FROM l WHERE @x = @y) AS r FROM 'a'") {
            "{\"x\":\(list($0 / 8, "1")),\"y\":\(list($0 / 8, "1")),\"l\":\(list($0 / 4, "1"))}"
        },
    ]

    static let templates = [
        HostileLanguage(name: "steps", text: "#foreach($i in [1..1000])#foreach($j in [1..1000])x#end#end") {
            "{\"a\":\"\(repeated("x", $0))\"}"
        },
        HostileLanguage(name: "texts", text: "#foreach($i in [1..1000])#set($s = $input.path('$.a') + 'x')#end$s") {
            "{\"a\":\"\(repeated("x", $0))\"}"
        },
        HostileLanguage(name: "results", text: "#foreach($i in [1..1000])$input.path('$.a')#end") { "{\"a\":\"\(repeated("x", $0))\"}" },
        HostileLanguage(name: "paths", text: "#foreach($i in [1..1000])$input.json('$.last')#end") { bytes in
            "{\((0..<bytes / 10).map { "\"k\($0)\":1" }.joined(separator: ","))}"
        },
        HostileLanguage(name: "regex", text: "$input.path('$.a').replaceAll('(a|b|ab|ba)*c', '')") {
            "{\"a\":\"\(repeated("ab", $0 / 2))\"}"
        },
        HostileLanguage(name: "searches", text: "#foreach($i in [1..1000])$input.path('$.a').indexOf('aaaaaaaab')#end") {
            "{\"a\":\"\(repeated("a", $0))\"}"
        },
        HostileLanguage(name: "escapes", text: "#foreach($i in [1..1000])$util.escapeJavaScript($input.path('$.a'))#end") {
            "{\"a\":\"\(repeated("é", $0 / 2))\"}"
        },
    ]

    static let transformers = [
        HostileLanguage(name: "placeholders", text: "[" + (0..<1_100).map { "<p\($0 % 100)>" }.joined(separator: ",") + "]") { bytes in
            "{\((0..<bytes / 10).map { "\"x\($0)\":1" }.joined(separator: ","))}"
        },
        HostileLanguage(name: "events", text: "[" + Array(repeating: "<aws.events.event.json>", count: 300).joined(separator: ",") + "]") {
            "{\"detail\":\"\(repeated("x", $0))\"}"
        },
    ]
}
