/// What the sender of a message says of its place among others.
package struct MessageIdentity: Sendable, Equatable {
    /// Messages of one group come one after the other, in a FIFO queue; elsewhere it is told, and nothing else.
    package var groupID: String?
    /// What makes two messages the same; in a FIFO queue alone.
    package var deduplicationID: String?

    package init(groupID: String? = nil, deduplicationID: String? = nil) {
        self.groupID = groupID
        self.deduplicationID = deduplicationID
    }

    private static let bytesMax = 128

    /// Refuses what neither may be.
    package func check() throws(QueueError) {
        for (name, text) in [("MessageGroupId", groupID), ("MessageDeduplicationId", deduplicationID)] {
            guard let text, !(1...Self.bytesMax).contains(text.utf8.count) || !text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                continue
            }
            throw .invalid(
                text, name, "\(name) can only include alphanumeric and punctuation characters. 1 to \(Self.bytesMax) in length.")
        }
    }
}
