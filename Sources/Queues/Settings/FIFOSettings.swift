/// The attributes that only FIFO queues have.
package struct FIFOSettings: Sendable, Equatable {
    /// Whether two messages with the same body are the same where the sender does not say so.
    package var usesContent = false
    /// Whether messages of different groups are never the same.
    package var tellsGroupsApart = false
    /// What the service takes for high throughput; told, and nothing else: there is no quota here that it would lift.
    package var limitsEachGroup = false

    static let names = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]

    mutating func set(_ name: String, _ value: String) throws(QueueError) {
        switch (name, value) {
        case ("ContentBasedDeduplication", _):
            guard let flag = Self.boolean(value) else { throw Self.invalid(name, value) }
            usesContent = flag
        case ("DeduplicationScope", "messageGroup"): tellsGroupsApart = true
        case ("DeduplicationScope", "queue"): tellsGroupsApart = false
        case ("FifoThroughputLimit", "perMessageGroupId"): limitsEachGroup = true
        case ("FifoThroughputLimit", "perQueue"): limitsEachGroup = false
        default: throw Self.invalid(name, value)
        }
    }

    /// True or false in any case of letters: many programs write `True`.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    static func invalid(_ name: String, _ value: String) -> QueueError {
        QueueError(.invalidAttributeValue, "Invalid value for the parameter \(name). Reason: '\(value)' is none of its values.")
    }

    /// What a queue that is none says to one of the attributes, in the service's words.
    static func refusal(of name: String) -> String {
        name == "ContentBasedDeduplication"
            ? "Unknown Attribute \(name)." : "You can specify the \(name) only when FifoQueue is set to true."
    }

    func check() throws(QueueError) {
        guard tellsGroupsApart || !limitsEachGroup else {
            throw QueueError(
                .invalidAttributeValue,
                "Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId goes with the DeduplicationScope "
                    + "messageGroup alone.")
        }
    }

    var attributes: [String: String] {
        [
            "FifoQueue": "true", "ContentBasedDeduplication": usesContent ? "true" : "false",
            "DeduplicationScope": tellsGroupsApart ? "messageGroup" : "queue",
            "FifoThroughputLimit": limitsEachGroup ? "perMessageGroupId" : "perQueue",
        ]
    }
}
