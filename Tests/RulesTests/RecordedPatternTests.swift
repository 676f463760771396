import Rules
import Testing

/// Answers that the real service gave.
///
/// See the README beside the data for their source.
@Suite struct RecordedPatternTests {
    @Test func supportedPatternsGetTheRecordedAnswers() throws {
        guard let cases = try RecordedAnswers.cases(in: "event_patterns.json") else { return }
        var compared = 0
        var aboutEvents = 0
        for item in cases {
            let name = item["name"]?.stringValue ?? "?"
            let pattern = try #require(item["pattern"])
            let event = try #require(item["event"])
            let expected = try #require(item["expect"])
            guard event.kind == .object, event["id"] != nil, event["detail-type"] != nil else {
                // The event itself is what the service refused.
                #expect(expected.stringValue == "invalid", "\(name)")
                aboutEvents += 1
                continue
            }
            do throws(EventPatternError) {
                let compiled = try EventPattern(parsing: pattern.stringBytes.map(Array.init) ?? pattern.rawJSON)
                let answer = compiled.matches(event) ? JSONKind.true : .false
                #expect(expected.kind == answer, "\(name)")
                compared += 1
            } catch {
                #expect(expected.stringValue == "invalid", "\(name): \(error)")
                if let message = item["aws_message"]?.stringValue {
                    #expect(error.message == message.prefix { $0 != "\n" }, "\(name)")
                }
                compared += 1
            }
        }
        print("recorded event patterns: \(compared) compared, \(aboutEvents) about the event")
        #expect(compared + aboutEvents == cases.count)
        #expect(compared == 163)
    }
}
