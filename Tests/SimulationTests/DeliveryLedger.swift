import MQTTCodec
import NIOCore

/// What a client asked for by one filter, in any of the SUBSCRIBE packets of this session.
struct FilterHistory {
    var noLocal: Set<Bool> = []
    var retainAsPublished: Set<Bool> = []
    var identifiers: Set<UInt32> = []
}

/// What one session's subscriber has got, checked as it comes: order, duplicates, and only what was asked for.
struct DeliveryLedger {
    private struct Way: Hashable {
        var publisher: String
        var topic: String
        var published: QoS
        var delivered: QoS
    }

    private var newest: [Way: Int] = [:]
    /// Of those that were retained: older ones on their way must not come behind them.
    private var newestRetained: [Way: Int] = [:]
    private var seen: [MessageName: Int] = [:]
    /// What came with RETAIN set to a client that may have asked for it as published.
    private var retained: Set<MessageName> = []

    func has(_ name: MessageName) -> Bool { seen[name] != nil || retained.contains(name) }

    /// Counts a delivery, and throws if it breaks a promise; answers whether it was the first of this message.
    ///
    /// `isRepeat`: the client recognised the packet as one it has already, by its QoS 2 identifier. `isOwn`: it published the message
    /// itself, in this session.
    mutating func receive(
        _ packet: Publish, _ name: MessageName, matching: [FilterHistory], version: ProtocolVersion, isRepeat: Bool, isOwn: Bool,
        repetitions: Set<MessageName>
    ) throws(BrokenPromise) -> Bool {
        if matching.isEmpty { throw BrokenPromise("\(name) was never subscribed to") }
        if packet.qos > name.qos { throw BrokenPromise("\(name) came at QoS \(packet.qos.rawValue)") }
        try checkIdentifiers(packet, name, matching, version)
        if isRepeat { return false }
        let mayBeRetained = packet.retain && !matching.contains { $0.retainAsPublished.contains(true) }
        let way = Way(publisher: String(name.clientID), topic: name.topic, published: name.qos, delivered: packet.qos)
        if mayBeRetained {  // for a new subscription
            if !name.isWill, !name.isWork { newestRetained[way] = max(newestRetained[way] ?? 0, name.number) }
            return false
        }
        if packet.retain {  // for a new subscription, or live as it was published
            return retained.insert(name).inserted && seen[name] == nil
        }
        if isOwn, !name.isWill, !matching.contains(where: { $0.noLocal.contains(false) }) {
            throw BrokenPromise("\(name) came back in spite of no local")
        }
        // Over all its sessions: what a client publishes on a new connection comes after what it published on the one before.
        let count = seen[name, default: 0]
        if count > 0 {
            if name.qos == .exactlyOnce && packet.qos == .exactlyOnce { throw BrokenPromise("\(name) came twice at QoS 2") }
            if name.qos == .atMostOnce { throw BrokenPromise("\(name) came twice at QoS 0") }
            let isSentAgain = name.qos == .atLeastOnce && repetitions.contains(name)
            if !packet.duplicate && !isSentAgain && !name.isWork { throw BrokenPromise("\(name) came twice without DUP") }
        } else if !name.isWill, !name.isWork, let newest = newest[way], name.number < newest, !repetitions.contains(name) {
            throw BrokenPromise("\(name) came after #\(newest)")
        } else if !name.isWill, !name.isWork, let newest = newestRetained[way], name.number < newest, !repetitions.contains(name) {
            throw BrokenPromise("\(name) came after #\(newest), which was retained")
        }
        newest[way] = max(newest[way] ?? 0, name.number)
        seen[name] = count + 1
        return count == 0 || !packet.duplicate
    }

    private func checkIdentifiers(
        _ packet: Publish, _ name: MessageName, _ matching: [FilterHistory], _ version: ProtocolVersion
    ) throws(BrokenPromise) {
        if version == .v311 { return }
        let identifiers = packet.properties.subscriptionIdentifiers
        for identifier in identifiers where !matching.contains(where: { $0.identifiers.contains(identifier) }) {
            throw BrokenPromise("\(name) came with subscription identifier \(identifier)")
        }
        if identifiers.isEmpty, matching.allSatisfy({ !$0.identifiers.contains(0) }) {
            throw BrokenPromise("\(name) came without a subscription identifier")
        }
    }
}
