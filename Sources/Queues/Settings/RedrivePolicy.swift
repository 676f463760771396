import Rules

/// When a message goes to another queue instead of being received once more.
package struct RedrivePolicy: Sendable, Equatable {
    /// The name of the other queue.
    package let deadLetterQueue: String
    /// How often a message may be received.
    package let maxReceiveCount: Int
    /// JSON, as it was given.
    package let text: String

    static let receiveCounts = 1...1_000

    package init(json text: String) throws(QueueError) {
        func invalid(_ reason: String) -> QueueError { .invalid(text, "RedrivePolicy", reason) }
        guard let root = try? JSONDocument(parsing: Array(text.utf8), limits: JSONLimits(bytesMax: 4_096)).root, root.kind == .object
        else { throw invalid("Redrive policy is not a valid JSON map.") }
        for member in root.members where !["deadLetterTargetArn", "maxReceiveCount"].contains(member.name) {
            throw invalid("Redrive policy has the unknown parameter \(member.name).")
        }
        guard let arn = root["deadLetterTargetArn"]?.stringValue else {
            throw invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
        }
        guard let name = QueueName(arn: arn)?.text else { throw invalid("Dead letter target `\(arn)` is not the ARN of a queue.") }
        guard let count = root["maxReceiveCount"] else {
            throw invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
        }
        guard let number = (count.numberText ?? count.stringValue).flatMap({ Int($0) }), Self.receiveCounts.contains(number) else {
            throw invalid("maxReceiveCount must be an integer from \(Self.receiveCounts.lowerBound) to \(Self.receiveCounts.upperBound).")
        }
        deadLetterQueue = name
        maxReceiveCount = number
        self.text = text
    }
}
