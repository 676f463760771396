import DequeModule

/// What a FIFO queue remembers of messages that were sent to it, so that one that is sent again is not taken again.
///
/// See "Exactly-once processing in Amazon SQS": five minutes, whether or not the message is still there.
struct Deduplication {
    /// Milliseconds for which a message is remembered.
    static let windowMilliseconds: Int64 = 300_000
    /// What each counts towards `queuesBytesMax` besides its key.
    static let entryBytes = 256

    /// What makes two messages the same.
    struct Key: Hashable {
        /// Of queues whose groups are told apart; nil where the whole queue is one.
        let group: String?
        let id: String

        /// What it counts towards `queuesBytesMax` with what is remembered under it.
        var bytes: Int { entryBytes + id.utf8.count + (group?.utf8.count ?? 0) }
    }

    private var sent: [Key: (message: SentMessage, endMilliseconds: Int64)] = [:]
    private var ends: Deque<(milliseconds: Int64, key: Key)> = []

    private(set) var bytes = 0

    /// What was sent before and is the same.
    func earlier(_ key: Key) -> SentMessage? { sent[key]?.message }

    mutating func note(_ message: SentMessage, as key: Key, sentMilliseconds: Int64) {
        let end = sentMilliseconds + Self.windowMilliseconds
        if sent.updateValue((message, end), forKey: key) == nil { bytes += key.bytes }
        ends.append((end, key))
    }

    mutating func forget(upTo now: Int64) {
        while let end = ends.first, end.milliseconds <= now {
            ends.removeFirst()
            // Not what was sent with the same identifier since, and is remembered for longer: after a restart both are noted.
            if let known = sent[end.key], known.endMilliseconds <= now {
                sent[end.key] = nil
                bytes -= end.key.bytes
            }
        }
    }
}

/// What the sender of a message is told.
package struct SentMessage: Sendable, Equatable {
    package let id: String
    /// Of a FIFO queue: twenty digits, in the order of sending.
    package let sequenceNumber: String?

    init(id: String, sequence: UInt64, isOrdered: Bool) {
        self.id = id
        sequenceNumber = isOrdered ? Self.number(sequence) : nil
    }

    static func number(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        return "1" + String(repeating: "0", count: max(0, 19 - digits.count)) + digits
    }
}
