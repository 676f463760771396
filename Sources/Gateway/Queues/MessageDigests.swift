import Queues

/// The digests that a sender is told, for a comparison with its own.
struct MessageDigests {
    private let body: String
    private let attributes: String?
    private let systemAttributes: String?

    init(_ message: NewQueueMessage) {
        body = MD5.hexadecimal(of: message.body.utf8)
        attributes = message.attributes.digest
        systemAttributes = message.traceHeader.flatMap { [MessageAttributeDocument.traceHeaderName: QueueMessageAttribute.text($0)].digest }
    }

    /// What the answer says of a message; in a batch with the identifier of its entry.
    func document(_ sent: SentMessage, entry: String? = nil) -> AnswerDocument {
        .object([
            "Id": entry.map { .text($0) }, "MD5OfMessageBody": .text(body), "MD5OfMessageAttributes": attributes.map { .text($0) },
            "MD5OfMessageSystemAttributes": systemAttributes.map { .text($0) }, "MessageId": .text(sent.id),
            "SequenceNumber": sent.sequenceNumber.map { .text($0) },
        ])
    }
}
