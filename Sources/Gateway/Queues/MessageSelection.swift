import Documents
import Queues

/// Which attributes of a message a receiver asks for.
struct MessageSelection {
    private let systemNames: Set<String>
    private let names: [String]

    private static let knownSystemNames: Set = [
        "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SequenceNumber",
        "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
    ]

    init(_ members: RequestMembers) throws(ServiceError) {
        // The first is the older name of the second.
        let asked = (try members.texts("AttributeNames") ?? []) + (try members.texts("MessageSystemAttributeNames") ?? [])
        for name in asked where !Self.knownSystemNames.contains(name) {
            throw ServiceError(QueueError(.invalidAttributeName, "Unknown Attribute \(name)."))
        }
        systemNames = Set(asked)
        names = try members.texts("MessageAttributeNames") ?? []
    }

    func document(_ message: ReceivedMessage) -> AnswerDocument {
        let system = systemAttributes(message)
        let own = message.attributes.filter { selects($0.key) }
        return .object([
            "MessageId": .text(message.id), "ReceiptHandle": .text(message.receiptHandle),
            "MD5OfBody": .text(MD5.hexadecimal(of: message.body.utf8)), "Body": .text(message.body),
            "Attributes": system.isEmpty ? nil : .texts(system), "MD5OfMessageAttributes": own.digest.map { .text($0) },
            "MessageAttributes": own.isEmpty ? nil : MessageAttributeDocument.document(own),
        ])
    }

    private func systemAttributes(_ message: ReceivedMessage) -> [String: String] {
        guard !systemNames.isEmpty else { return [:] }
        var attributes = [
            // There are no accounts; this one stands in for all.
            "SenderId": TemplateScope.accountID, "SentTimestamp": String(message.sentMilliseconds),
            "ApproximateReceiveCount": String(message.receiveCount),
            "ApproximateFirstReceiveTimestamp": String(message.firstReceivedMilliseconds),
        ]
        attributes["DeadLetterQueueSourceArn"] = message.deadLetterSource.map(QueuesService.arn(of:))
        return systemNames.contains("All") ? attributes : attributes.filter { systemNames.contains($0.key) }
    }

    /// `All` and `.*` select everything, `prefix.*` what begins with the prefix.
    private func selects(_ name: String) -> Bool {
        names.contains { wanted in
            if wanted == "All" || wanted == name { return true }
            return wanted.hasSuffix(".*") && name.hasPrefix(wanted.dropLast(2))
        }
    }
}
