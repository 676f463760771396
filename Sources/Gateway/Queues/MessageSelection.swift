import Documents
import Queues

/// Which attributes of a message a receiver asks for.
struct MessageSelection {
    private let systemNames: Set<String>
    /// Names that select an attribute each, and beginnings of names.
    private let names: Set<String>
    private let prefixes: [String]

    /// Entries of one list of names; a request with more is refused.
    static let namesMax = 100

    private static let knownSystemNames: Set = [
        "All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SequenceNumber",
        "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
    ]

    init(_ members: RequestMembers) throws(ServiceError) {
        // The first is the older name of the second.
        for list in ["AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames"] {
            guard try members.texts(list)?.count ?? 0 <= Self.namesMax else {
                throw ServiceError(QueueError(.invalidParameterValue, "\(list) may have at most \(Self.namesMax) entries."))
            }
        }
        let asked = (try members.texts("AttributeNames") ?? []) + (try members.texts("MessageSystemAttributeNames") ?? [])
        for name in asked where !Self.knownSystemNames.contains(name) {
            throw ServiceError(QueueError(.invalidAttributeName, "Unknown Attribute \(name)."))
        }
        systemNames = Set(asked)
        let wanted = try members.texts("MessageAttributeNames") ?? []
        names = Set(wanted)
        prefixes = wanted.filter { $0.hasSuffix(".*") }.map { String($0.dropLast(2)) }
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
        attributes["MessageGroupId"] = message.identity.groupID
        attributes["MessageDeduplicationId"] = message.identity.deduplicationID
        attributes["SequenceNumber"] = message.sequenceNumber
        attributes[MessageAttributeDocument.traceHeaderName] = message.traceHeader
        attributes["DeadLetterQueueSourceArn"] = message.deadLetterSource.map(QueuesService.arn(of:))
        return systemNames.contains("All") ? attributes : attributes.filter { systemNames.contains($0.key) }
    }

    /// `All` and `.*` select everything, `prefix.*` what begins with the prefix.
    private func selects(_ name: String) -> Bool {
        names.contains("All") || names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }
}
