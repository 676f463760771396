import Rules
import Testing

/// Answers that the real service gave.
///
/// See the README beside the data for their source.
@Suite struct RecordedTransformerTests {
    @Test func inputsGetTheRecordedAnswers() throws {
        guard let cases = try RecordedAnswers.cases(in: "input_transformers.json") else { return }
        let reserved = ReservedVariables(ruleARN: "arn", ruleName: "{RULE_NAME}", ingestionTime: "2024-01-01T00:00:00Z")
        for item in cases {
            let name = item["name"]?.stringValue ?? "?"
            let event = try json("{\"detail\":\(text(try #require(item["detail"]).rawJSON))}")
            let input: TargetInput
            if let path = item["input_path"]?.stringValue {
                input = .path(try EventPath(parsing: path))
            } else {
                let paths = item["paths_map"]?.members.map { ($0.name, $0.value.stringValue ?? "") } ?? []
                input = .transformer(try InputTransformer(pathsMap: paths, template: try #require(item["template"]?.stringValue)))
            }
            if item["expect_dropped"] != nil {
                #expect(throws: TransformError.self, "\(name)") { try input.payload(for: event, reserved: reserved) }
                continue
            }
            let payload = try #require(try input.payload(for: event, reserved: reserved), "\(name)")
            let expected = try #require(item["expect"], "\(name)")
            if let string = expected.stringValue {
                #expect(text(payload) == string, "\(name)")
            } else {
                #expect(try sameJSON(payload, expected.rawJSON), "\(name): \(text(payload))")
            }
        }
        print("recorded input transformers: \(cases.count) compared")
    }
}
