/// A message as a sender hands it in.
package struct NewQueueMessage: Sendable, Equatable {
    package var body: String
    package var attributes: [String: QueueMessageAttribute]
    /// Seconds before it can be received; `nil` for what the queue says.
    package var delaySeconds: Int?
    package var identity: MessageIdentity
    /// The trace that it belongs to, as AWS X-Ray writes it; told, and nothing else.
    package var traceHeader: String?
    /// The digest of the body, where a FIFO queue may need it; see ``digested(for:)``.
    private(set) var contentID: String?

    private static let traceHeaderBytesMax = 1_024
    static let attributesMax = 10
    static let delaySecondsMax = 900

    package init(
        body: String, attributes: [String: QueueMessageAttribute] = [:], delaySeconds: Int? = nil,
        identity: MessageIdentity = MessageIdentity(), traceHeader: String? = nil
    ) {
        self.body = body
        self.attributes = attributes
        self.delaySeconds = delaySeconds
        self.identity = identity
        self.traceHeader = traceHeader
    }

    /// The message with what tells it from others by its body, where the queue may ask for that.
    ///
    /// A digest takes its time, and the queues are everybody's: so it is made before they are held.
    package func digested(for queue: String) -> NewQueueMessage {
        guard identity.deduplicationID == nil, QueueName(url: queue)?.isOrdered ?? false else { return self }
        var message = self
        message.contentID = SHA256.hexadecimal(of: body.utf8)
        return message
    }

    /// What it counts towards the limits of sizes: the body, and each attribute's name, type and value.
    package var bytes: Int {
        attributes.reduce(body.utf8.count) { $0 + $1.key.utf8.count + $1.value.dataType.utf8.count + $1.value.bytes.count }
    }

    /// Refuses what no queue takes, and what is longer than `bytesMax`.
    func check(bytesMax: Int) throws(QueueError) {
        guard !body.isEmpty else { throw .missing("MessageBody") }
        if let delaySeconds, !(0...Self.delaySecondsMax).contains(delaySeconds) {
            throw .invalid("\(delaySeconds)", "DelaySeconds", "DelaySeconds must be >= 0 and <= \(Self.delaySecondsMax).")
        }
        try identity.check()
        if let traceHeader, !(1...Self.traceHeaderBytesMax).contains(traceHeader.utf8.count) {
            throw .invalid(traceHeader, "AWSTraceHeader", "It must have 1 to \(Self.traceHeaderBytesMax) bytes.")
        }
        guard attributes.count <= Self.attributesMax else {
            throw QueueError(
                .invalidParameterValue,
                "Number of message attributes [\(attributes.count)] exceeds the allowed maximum [\(Self.attributesMax)].")
        }
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) { try attribute.check(named: name) }
        guard bytes <= bytesMax else {
            throw QueueError(
                .invalidParameterValue, "One or more parameters are invalid. Reason: Message must be shorter than \(bytesMax) bytes.")
        }
        try Self.check(text: body)
        for attribute in attributes.values {
            try Self.check(text: attribute.dataType)
            if case .text(let text) = attribute.value { try Self.check(text: text) }
        }
        if let traceHeader { try Self.check(text: traceHeader) }
    }

    /// Only what XML 1.0 can carry, since the service does.
    private static func check(text: String) throws(QueueError) {
        for scalar in text.unicodeScalars where !isAllowed(scalar.value) {
            throw QueueError(
                .invalidMessageContents,
                "Invalid binary character '#x\(String(scalar.value, radix: 16, uppercase: true))' was found in the message body, the set of "
                    + "allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
        }
    }

    /// Whether XML 1.0 can carry it (section 2.2).
    package static func isAllowed(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
