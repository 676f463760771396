/// What `<aws.events.…>` placeholders stand for, besides the event itself.
package struct ReservedVariables: Sendable, Equatable {
    package var ruleARN: String
    package var ruleName: String
    /// When the bus took the event: ISO 8601, UTC.
    package var ingestionTime: String

    package init(ruleARN: String, ruleName: String, ingestionTime: String) {
        self.ruleARN = ruleARN
        self.ruleName = ruleName
        self.ingestionTime = ingestionTime
    }
}

/// The names that begin with `aws.events.` and need no entry in `InputPathsMap`.
enum ReservedVariable: String, Sendable {
    case ruleARN = "aws.events.rule-arn"
    case ruleName = "aws.events.rule-name"
    case ingestionTime = "aws.events.event.ingestion-time"
    /// The whole event.
    case eventJSON = "aws.events.event.json"
    /// The event without `detail`.
    case event = "aws.events.event"

    /// Objects, which may stand only outside quotes.
    var isObject: Bool { self == .eventJSON || self == .event }

    /// The text of the variables that are strings; empty for objects.
    func text(_ variables: ReservedVariables) -> String {
        switch self {
        case .ruleARN: variables.ruleARN
        case .ruleName: variables.ruleName
        case .ingestionTime: variables.ingestionTime
        case .eventJSON, .event: ""
        }
    }

    /// Members of `<aws.events.event>` in order.
    ///
    /// The service spells the second `detailType`.
    private static let eventMembers: [(key: String, name: String)] = [
        ("id", "id"), ("account", "account"), ("detail-type", "detailType"), ("time", "time"), ("source", "source"),
        ("region", "region"), ("resources", "resources"), ("version", "version"),
    ]

    func appendJSON(_ variables: ReservedVariables, event: JSONView, to output: inout [UInt8]) {
        switch self {
        case .ruleARN, .ruleName, .ingestionTime:
            JSONText.appendString(text(variables).utf8, to: &output)
        case .eventJSON:
            event.appendJSON(to: &output)
        case .event:
            output.append(UInt8(ascii: "{"))
            var isFirst = true
            for member in ReservedVariable.eventMembers {
                guard let value = event[member.key] else { continue }
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                JSONText.appendString(member.name.utf8, to: &output)
                output.append(UInt8(ascii: ":"))
                value.appendJSON(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}
