/// Follows the acknowledgements of one publisher, which come as packet identifiers, and turns them into a count.
///
/// A broker may acknowledge in another order than it received; what comes early waits until all before it is there.
package struct AcknowledgementWindow: Sendable {
    /// Messages acknowledged with all before them.
    package private(set) var completed: UInt64 = 0
    private var early: Set<UInt64> = []

    package init() {}

    /// Takes one PUBACK, PUBREC or PUBCOMP; false when nothing sent was waiting for it.
    ///
    /// `sent` is how many messages were sent; it is never more than 65,535 ahead of ``completed``.
    @inline(__always)
    package mutating func receive(packetIdentifier: UInt16, sent: UInt64) -> Bool {
        if completed < sent, packetIdentifier == PublishTemplate.packetIdentifier(of: completed), early.isEmpty {
            completed &+= 1
            return true
        }
        return receiveOutOfOrder(packetIdentifier: packetIdentifier, sent: sent)
    }

    @inline(never)
    private mutating func receiveOutOfOrder(packetIdentifier: UInt16, sent: UInt64) -> Bool {
        guard packetIdentifier > 0 else { return false }
        // The distance from the oldest open identifier, modulo the 65,535 identifiers that there are.
        let oldest = UInt64(PublishTemplate.packetIdentifier(of: completed))
        let distance = (UInt64(packetIdentifier) + 65_535 - oldest) % 65_535
        let sequence = completed + distance
        guard sequence < sent, early.insert(sequence).inserted else { return false }
        while early.remove(completed) != nil { completed += 1 }
        return true
    }
}
