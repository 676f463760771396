/// The packet identifiers of QoS 2 messages that one client sent and has not released with PUBREL.
///
/// They outlive the connection: a PUBLISH that comes again with such an identifier is the same message [MQTT-4.3.3-2] [MQTT5-4.3.3-10].
package struct InboundExactlyOnce {
    private var packetIDs = Set<UInt16>()
    /// Messages that a crash found half done, with the shards that had done their part: they come again.
    private var partial: [UInt16: (done: ShardSet, isDoneWhereItCame: Bool)] = [:]

    package init() {}

    var count: Int { packetIDs.count }

    /// Whether the message is new.
    ///
    /// Also keeps its identifier.
    @discardableResult
    mutating func receive(_ packetID: UInt16) -> Bool { packetIDs.insert(packetID).inserted }

    func contains(_ packetID: UInt16) -> Bool { packetIDs.contains(packetID) }

    /// After PUBREL the identifier is free for another message [MQTT5-4.3.3-12].
    ///
    /// Answers whether there was such an identifier.
    mutating func release(_ packetID: UInt16) -> Bool { packetIDs.remove(packetID) != nil }

    // MARK: After a crash

    /// Takes over what the store had of the messages.
    mutating func restore(_ parts: [ReceivedRecord]) {
        var expected: [UInt16: ShardSet] = [:]
        for part in parts {
            partial[part.packetID, default: (ShardSet(), false)].done.formUnion(part.done)
            if !part.expected.isEmpty { partial[part.packetID]?.isDoneWhereItCame = true }
            expected[part.packetID, default: ShardSet()].formUnion(part.expected)
        }
        for (packetID, shards) in expected where !shards.isEmpty && shards.isSubset(of: partial[packetID]?.done ?? ShardSet()) {
            packetIDs.insert(packetID)
            partial[packetID] = nil
        }
    }

    /// The shards that have done their part of a message that comes again, and whether the one is among them that it came to.
    mutating func takePartial(_ packetID: UInt16) -> (done: ShardSet, isDoneWhereItCame: Bool) {
        let none = (done: ShardSet(), isDoneWhereItCame: false)
        return partial.isEmpty ? none : partial.removeValue(forKey: packetID) ?? none
    }
}
