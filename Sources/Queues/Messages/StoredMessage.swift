/// A message in a queue.
struct StoredMessage {
    enum State: Equatable {
        case visible
        /// Sent, and not to be received before a time in milliseconds since 1970.
        case delayed(until: Int64)
        /// Received, and to be received again from a time on unless it is deleted.
        case inFlight(until: Int64)
    }

    let id: String
    let body: String
    let attributes: [String: QueueMessageAttribute]
    let identity: MessageIdentity
    let traceHeader: String?
    /// What it counts towards the bytes of all queues.
    let bytes: Int
    /// Milliseconds since 1970; a dead letter keeps the time of its first queue, so that moving it makes it no younger.
    let sentMilliseconds: Int64
    var state = State.visible
    var receiveCount = 0
    /// Of a dead letter: how often it had been received from the queues before this one.
    var earlierReceives = 0
    var firstReceivedMilliseconds: Int64?
    /// When it was received last; of one that is in flight, what its time is counted from.
    var receivedMilliseconds: Int64?
    /// What the latest receiver got beside it, to name it by.
    var receipt = ""
    /// The queue that it comes from, for a dead letter.
    var deadLetterSource: String?
    /// Whether a task brought it back from a dead-letter queue: then its sender's next message is not taken for the same.
    var isMoved = false

    init(
        id: String, body: String, attributes: [String: QueueMessageAttribute], identity: MessageIdentity, traceHeader: String?,
        sentMilliseconds: Int64
    ) {
        (self.id, self.body, self.attributes) = (id, body, attributes)
        (self.identity, self.traceHeader, self.sentMilliseconds) = (identity, traceHeader, sentMilliseconds)
        // Beside what the size of a message is: these, too, are of the sender's choice, and in memory.
        let beside = [identity.groupID, identity.deduplicationID, traceHeader].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
        bytes = NewQueueMessage(body: body, attributes: attributes).bytes + beside + QueueLimits.overheadBytes
    }

    /// The group that it belongs to in a FIFO queue.
    var group: String { identity.groupID ?? "" }

    var isInFlight: Bool {
        if case .inFlight = state { true } else { false }
    }
}

/// A message as a receiver gets it.
package struct ReceivedMessage: Sendable, Equatable {
    package let id: String
    package let receiptHandle: String
    package let body: String
    package let attributes: [String: QueueMessageAttribute]
    package let sentMilliseconds: Int64
    package let firstReceivedMilliseconds: Int64
    /// How often it has been received, this time included; of a dead letter also from the queue that it comes from.
    package let receiveCount: Int
    /// The name of the queue that a dead letter comes from.
    package let deadLetterSource: String?
    package let identity: MessageIdentity
    /// Of a FIFO queue.
    package let sequenceNumber: String?
    package let traceHeader: String?
}

/// What a receiver names a message by: the queue, the message, and this one time of receiving it.
struct ReceiptHandle {
    let queue: UInt64
    let sequence: UInt64
    let receipt: String

    var text: String { "\(queue)-\(sequence)-\(receipt)" }

    init(queue: UInt64, sequence: UInt64, receipt: String) {
        self.queue = queue
        self.sequence = sequence
        self.receipt = receipt
    }

    /// Nil for what no queue ever gave out.
    init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let queue = UInt64(parts[0]), let sequence = UInt64(parts[1]), !parts[2].isEmpty else { return nil }
        self.init(queue: queue, sequence: sequence, receipt: String(parts[2]))
    }
}
