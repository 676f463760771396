import BrokerCore
import CremaTesting
import MQTTCodec

/// What must have arrived when everybody is back and nothing moves any more.
extension SimulatedWorld {
    func checkCompleteness() throws(BrokenPromise) {
        for client in clients {
            if let open = client.unfinished.first { throw BrokenPromise("\(client.clientID): \(open.name) was never acknowledged") }
        }
        for subscriber in clients {
            for (filter, confirmed) in subscriber.confirmed.sorted(by: { $0.key < $1.key }) where subscriber.group != filter {
                try checkSubscription(filter, confirmed, of: subscriber)
            }
        }
        try chronicle.checkCancelledWills()
        for group in Set(clients.compactMap(\.group)) { try checkGroup(group) }
        try checkConnections()
    }

    private func checkSubscription(_ filter: String, _ confirmed: ModelClient.Confirmed, of subscriber: ModelClient) throws(BrokenPromise) {
        // At QoS 0 as long as the connection lasts, and nothing had to be dropped.
        let hasQoS0 = confirmed.connection == subscriber.connectionNumber && !hasDroppedAtQoS0
        if confirmed.qos == .atMostOnce && !hasQoS0 { return }
        for publisher in clients {
            if confirmed.noLocal && publisher === subscriber { continue }
            var due = publisher.acknowledged
            if hasQoS0 { due += publisher.sentAtQoS0.filter { $0.connection == publisher.connectionNumber } }
            for sent in due where sent.step > confirmed.since && !sent.expires && !(sent.isLarge && subscriber.hadSizeLimit) {
                guard ModelClient.matches(sent.name.topic, filter), !subscriber.ledger.has(sent.name) else { continue }
                throw BrokenPromise("\(subscriber.clientID) never got \(sent.name), subscribed by \(filter) since \(confirmed.since)")
            }
        }
        if confirmed.qos == .atMostOnce { return }
        for (name, fate) in chronicle.fates {
            guard name.qos > .atMostOnce, case .published(let step) = fate, step > confirmed.since, ModelClient.matches(name.topic, filter)
            else { continue }
            if !subscriber.ledger.has(name), name.clientID != subscriber.clientID {
                throw BrokenPromise("\(subscriber.clientID) never got the will \(name), subscribed by \(filter) since \(confirmed.since)")
            }
        }
    }

    /// A message that came while there was a member that stayed has gone to somebody.
    private func checkGroup(_ group: String) throws(BrokenPromise) {
        let members = clients.filter { $0.group == group }
        guard let since = members.compactMap({ $0.confirmed[group]?.since }).min() else { return }
        let hadSizeLimit = members.contains { $0.hadSizeLimitEver }
        for publisher in clients {
            for sent in publisher.acknowledged where sent.step > since && !sent.expires && !(sent.isLarge && hadSizeLimit) {
                guard ModelClient.matches(sent.name.topic, group), !chronicle.hasDelivered(sent.name, to: group) else { continue }
                // What a session had begun to get at QoS 2 ends with it [MQTT5-4.8.2-5].
                if sent.name.qos == .exactlyOnce, (chronicle.memberEndings[group] ?? 0) >= sent.step { continue }
                throw BrokenPromise("no member of \(group) got \(sent.name), and one was there since \(since)")
            }
        }
    }

    private var hasDroppedAtQoS0: Bool { broker.nodes.contains { ($0.core.statistics().messagesDropped["outbound_full"] ?? 0) > 0 } }

    /// A client that left for a connection that then failed may still have its old one, but never two.
    private func checkConnections() throws(BrokenPromise) {
        let connected = broker.nodes.flatMap { $0.core.clientSummaries() }.filter(\.connected).map(\.clientID)
        if Set(connected).count != connected.count { throw BrokenPromise("a client identifier has two connections: \(connected.sorted())") }
        for client in clients where client.isConnected && !connected.contains(client.clientID) {
            throw BrokenPromise("\(client.clientID) is connected and has no session")
        }
    }
}
