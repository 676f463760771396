import Documents
import Rules

/// What AWS IoT hands to a rule's error action: one document for a message, with everything that failed.
///
/// A dead letter of a topic rule keeps the same, with its one failure.
struct ErrorActionDocument {
    private let ruleName: String
    private let input: SQLInput
    private let failures: [RuleFailure]

    init(_ run: TopicRuleRun, _ failures: [RuleFailure]) {
        ruleName = run.entry.rule.name
        input = run.input
        self.failures = failures
    }

    var json: [UInt8] {
        var output: [UInt8] = []
        append("{\"ruleName\":", ruleName, to: &output)
        append(",\"topic\":", input.topic, to: &output)
        append(",\"cloudwatchTraceId\":", input.traceID, to: &output)
        append(",\"clientId\":", input.clientID ?? "N/A", to: &output)
        if let address = input.sourceAddress { append(",\"sourceIp\":", address, to: &output) }
        append(",\"base64OriginalPayload\":", String(decoding: Base64.encode(input.payload), as: UTF8.self), to: &output)
        output += ",\"failures\":[".utf8
        for (position, failure) in failures.enumerated() {
            append(position == 0 ? "{\"failedAction\":" : ",{\"failedAction\":", failure.name, to: &output)
            append(",\"failedResource\":", failure.resource, to: &output)
            append(",\"errorMessage\":", failure.failure.message, to: &output)
            output.append(UInt8(ascii: "}"))
        }
        output += "]}".utf8
        return output
    }

    private func append(_ key: String, _ value: String, to output: inout [UInt8]) {
        output += key.utf8
        appendJSONString(value, to: &output)
    }
}
