import BrokerCore
import MQTTCodec

/// What happened in the world, as far as the promises to one client depend on others.
final class Chronicle {
    /// A message that expires: when the broker had its last byte, and the seconds that it is good for.
    struct Expiry {
        var handedAt: Instant
        var seconds: UInt32
    }

    /// What is to become of a will.
    enum WillFate: Equatable {
        /// Published, after this step.
        case published(after: Int)
        case cancelled
    }

    /// The QoS 1 messages that their publishers sent again: to the broker those are new messages, which come after what overtook them.
    var repetitions: Set<MessageName> = []
    var expiries: [MessageName: Expiry] = [:]
    /// Messages that were sent again by MQTT 3.1.1, which has no expiry.
    var everlasting: Set<MessageName> = []
    /// When the clock last moved while something was under way between shards, or a publisher was held: until then the broker may not
    /// have seen what it was sent before.
    var lastUnsettled = Instant(nanoseconds: -1)
    /// Wills of which it is certain what became of them.
    var fates: [MessageName: WillFate] = [:]
    private(set) var heardWills: Set<MessageName> = []
    /// The QoS of each first delivery to a member, by group and message.
    private var shares: [String: [MessageName: [QoS]]] = [:]
    /// When a member's session ended last, by group.
    private(set) var memberEndings: [String: Int] = [:]

    func hear(_ name: MessageName) { if name.isWill { heardWills.insert(name) } }

    func memberEnded(of group: String?, at step: Int) {
        if let group { memberEndings[group] = max(memberEndings[group] ?? 0, step) }
    }

    func hasDelivered(_ name: MessageName, to group: String) -> Bool { shares[group]?[name] != nil }

    /// A member got a message that it did not have before.
    func share(_ name: MessageName, of group: String, at qos: QoS) throws(BrokenPromise) {
        let earlier = shares[group]?[name] ?? []
        // At QoS 1 the first member may have gone before its acknowledgement.
        if earlier.contains(where: { $0 != .atLeastOnce }), !repetitions.contains(name) {
            throw BrokenPromise("\(name) came to two members of \(group)")
        }
        shares[group, default: [:]][name] = earlier + [qos]
    }

    /// A message came whose first byte the broker sent at `sentAt`, or before while the client's socket was stuck.
    func checkExpiry(of name: MessageName, _ packet: Publish, sentAt: Instant, isStuck: (Instant) -> Bool) throws(BrokenPromise) {
        let left = packet.properties.messageExpiryInterval
        guard let expiry = expiries[name] else {
            if left != nil { throw BrokenPromise("\(name) has an expiry that nobody gave it") }
            return
        }
        if let left, left > expiry.seconds { throw BrokenPromise("\(name) has \(left) s left of \(expiry.seconds)") }
        if packet.duplicate || everlasting.contains(name) || lastUnsettled >= expiry.handedAt || isStuck(expiry.handedAt) { return }
        if sentAt > expiry.handedAt.advanced(bySeconds: Double(expiry.seconds)) {
            throw BrokenPromise("\(name) was sent at \(sentAt), expired since \(expiry.handedAt) and \(expiry.seconds) s")
        }
    }

    /// Wills come if and only if they must.
    func checkCancelledWills() throws(BrokenPromise) {
        for name in heardWills where fates[name] == .cancelled { throw BrokenPromise("the will \(name) was published, and cancelled") }
    }
}
