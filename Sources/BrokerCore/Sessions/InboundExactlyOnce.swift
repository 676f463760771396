/// The packet identifiers of QoS 2 messages that one client sent and has not released with PUBREL.
///
/// They outlive the connection: a PUBLISH that comes again with such an identifier is the same message [MQTT-4.3.3-2] [MQTT5-4.3.3-10].
package struct InboundExactlyOnce {
    /// Those that came on the connection that there is, or was last.
    private var current = Set<UInt16>()
    /// Those of connections before: what the client may send does not depend on them, for its send quota begins anew (MQTT 5 section 4.9).
    private var earlier = Set<UInt16>()
    /// Messages that a crash found half done, with the shards that had done their part: they come again.
    private var partial: [UInt16: (done: ShardSet, isDoneWhereItCame: Bool)] = [:]

    package init() {}

    /// All that there are, whatever connection they came on.
    var count: Int { current.count + earlier.count + partial.count }

    /// Those of this connection.
    var currentCount: Int { current.count }

    /// How many there is memory for.
    var capacity: Int { current.capacity + earlier.capacity }

    /// Whether the message is new.
    ///
    /// Also keeps its identifier.
    @discardableResult
    mutating func receive(_ packetID: UInt16) -> Bool {
        if !partial.isEmpty { partial[packetID] = nil }
        let isOfBefore = earlier.remove(packetID) != nil
        return current.insert(packetID).inserted && !isOfBefore
    }

    func contains(_ packetID: UInt16) -> Bool { current.contains(packetID) || earlier.contains(packetID) }

    /// Whether it came on this connection.
    func isCurrent(_ packetID: UInt16) -> Bool { current.contains(packetID) }

    /// Whether it takes its room already.
    func hasRoom(for packetID: UInt16) -> Bool { contains(packetID) || partial[packetID] != nil }

    /// After PUBREL the identifier is free for another message [MQTT5-4.3.3-12].
    ///
    /// Answers whether there was such an identifier.
    mutating func release(_ packetID: UInt16) -> Bool {
        let wasKnown = current.remove(packetID) != nil || earlier.remove(packetID) != nil
        // What is sent with it next is not the message that a crash found half done.
        let wasPartial = !partial.isEmpty && partial.removeValue(forKey: packetID) != nil
        Self.trim(&current)
        Self.trim(&earlier)
        return wasKnown || wasPartial
    }

    /// What comes from here on comes on another connection.
    mutating func beginConnection() {
        if earlier.isEmpty { swap(&earlier, &current) } else { earlier.formUnion(current) }
        current = []
        Self.trim(&earlier)
    }

    /// Gives back what a burst took: a session that lives on is not to keep room for messages that are long released.
    private static func trim(_ identifiers: inout Set<UInt16>) {
        guard identifiers.capacity > BrokerLimits.awaitingPubrelAlways, identifiers.count < identifiers.capacity / 8 else { return }
        var smaller = Set<UInt16>(minimumCapacity: identifiers.count)
        smaller.formUnion(identifiers)
        identifiers = smaller
    }

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
            earlier.insert(packetID)
            partial[packetID] = nil
        }
    }

    /// The shards that have done their part of a message that comes again, and whether the one is among them that it came to.
    ///
    /// Known until it is received: the broker may refuse it once more.
    func partDone(_ packetID: UInt16) -> (done: ShardSet, isDoneWhereItCame: Bool) {
        let none = (done: ShardSet(), isDoneWhereItCame: false)
        return partial.isEmpty ? none : partial[packetID] ?? none
    }
}
