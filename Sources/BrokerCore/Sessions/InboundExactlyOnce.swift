/// The packet identifiers of QoS 2 messages that one client sent and has not released with PUBREL.
///
/// They outlive the connection: a PUBLISH that comes again with such an identifier is the same message [MQTT-4.3.3-2] [MQTT5-4.3.3-10].
package struct InboundExactlyOnce {
    private var packetIDs = Set<UInt16>()

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
}
