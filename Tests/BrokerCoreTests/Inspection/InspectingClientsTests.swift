import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// What operators ask a shard about clients, and a kick.
@Suite struct InspectingClientsTests {
    private func recipients(_ broker: SimulatedBroker, _ topic: String) -> [String] {
        broker.nodes.flatMap { $0.core.recipients(of: topic, limit: 100) }.map { "\($0.clientID) \($0.filter) \($0.qos)" }.sorted()
    }

    @Test("Who gets a topic is found by filters with and without wildcards, and all members of shared subscriptions")
    func recipients() throws {
        let broker = SimulatedBroker(shards: 2)
        let (a, b) = (try broker.client("a"), try broker.client("b", at: 1))
        _ = try a.subscribe("orders/1", .atLeastOnce)
        _ = try a.subscribe("orders/#", packetID: 2)
        _ = try b.subscribe("$share/g/orders/+", .exactlyOnce)
        _ = try b.subscribe("other", packetID: 2)
        broker.settle()
        #expect(recipients(broker, "orders/1") == ["a orders/# 0", "a orders/1 1", "b $share/g/orders/+ 2"])
        #expect(recipients(broker, "orders") == ["a orders/# 0"])
        #expect(recipients(broker, "$SYS/x") == [])
        #expect(broker.nodes[0].core.recipients(of: "orders/1", limit: 1).count == 1)
        let shared = broker.nodes[1].core.subscribers(to: "$share/g/orders/+", limit: 10)
        #expect(shared.map(\.share) == ["g"] && shared.map(\.clientID) == ["b"])
        #expect(broker.nodes[0].core.subscribers(to: "orders/#", limit: 10).map(\.clientID) == ["a"])
        #expect(broker.nodes[0].core.subscribers(to: "orders/+", limit: 10).isEmpty)
        // Of one client, or by one filter, no more is looked at than that.
        func of(_ client: String, _ topic: String, filter: String? = nil, limit: Int = 10) -> [String] {
            let query = SubscriptionQuery(filter: filter, topic: topic, limit: limit)
            return broker.nodes.flatMap { $0.core.subscriptions(of: client, fitting: query) ?? [] }.map(\.filter).sorted()
        }
        #expect(of("a", "orders/1") == ["orders/#", "orders/1"] && of("a", "orders/1", limit: 1).count == 1)
        #expect(of("a", "orders/1", filter: "orders/1") == ["orders/1"] && of("b", "orders/1") == ["$share/g/orders/+"])
        #expect(of("b", "orders/1", filter: "other").isEmpty)
        #expect(broker.nodes[1].core.subscribers(to: "$share/g/orders/+", getting: "orders/1", limit: 10).count == 1)
        #expect(broker.nodes[1].core.subscribers(to: "$share/g/orders/+", getting: "other", limit: 10).isEmpty)
        #expect(broker.nodes[0].core.subscribers(to: "orders/#", getting: "orders", limit: 10).count == 1)
        #expect(broker.nodes[0].core.subscribers(to: "orders/#", getting: "other", limit: 10).isEmpty)
        a.lose()
        broker.settle()
        #expect(recipients(broker, "orders") == [], "of a session that has ended there is nothing")
    }

    @Test("A subscription is told with all that its client said")
    func options() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect5()
        let request = Subscribe.Request(
            filter: "t", qos: .atLeastOnce, noLocal: true, retainAsPublished: true, retainHandling: .sendIfNew)
        _ = try client.subscribe5(request, identifier: 7)
        let subscription = try #require(broker.nodes[0].core.subscriptions(of: "a", fitting: SubscriptionQuery())?.first)
        #expect(subscription.noLocal && subscription.retainAsPublished && subscription.retainHandling == 1)
        #expect(subscription.subscriptionIdentifier == 7 && subscription.connected)
        #expect(broker.nodes[0].core.subscriptions(of: "nobody", fitting: SubscriptionQuery()) == nil)
    }

    @Test("A summary says what waits, in messages and bytes, and who does not keep up")
    func summaries() throws {
        let broker = SimulatedBroker(shards: 1)
        let away = try broker.client("away", cleanSession: false)
        _ = try away.subscribe("t", .atLeastOnce)
        away.lose()
        let publisher = try broker.client("p")
        _ = try publisher.exchange(message("t", "four", qos: .atLeastOnce, packetID: 1))
        let summary = try #require(broker.nodes[0].core.client("away"))
        #expect(!summary.connected && summary.queued == 1 && summary.queuedBytes == 5 && summary.connectedMilliseconds == 0)
        var (sessions, walk) = ([Session](), SessionWalk())
        broker.nodes[0].core.visitSessions(on: &walk) { sessions.append($0) }
        func found(_ query: ClientQuery) -> [String] {
            let search = query.search.map { SearchedText($0) }
            return query.select(sessions.compactMap { broker.nodes[0].core.summary(of: $0, fitting: query, search) }).map(\.clientID)
        }
        #expect(found(ClientQuery()) == ["away", "p"])
        #expect(found(ClientQuery(state: .offline)) == ["away"])
        #expect(found(ClientQuery(search: "P")) == ["p"])
        #expect(found(ClientQuery(order: .queued, limit: 1)) == ["away"])
        publisher.lose()
        #expect(found(ClientQuery(state: .connected)) == [], "one that has gone since is left out")
    }

    @Test("A client that is kicked reads 0x98, its will goes out, and its session waits for it")
    func kick() throws {
        let broker = SimulatedBroker(shards: 1)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone")
        let client = SimulatedClient("a", of: broker)
        _ = try client.connect5(cleanStart: true, will: will("gone", "a")) { $0.sessionExpiryInterval = 60 }
        let outcome = broker.nodes[0].core.kick("a", endingSession: false, now: broker.now)
        broker.settle()
        #expect(outcome == KickOutcome(wasConnected: true, sessionRemoved: false))
        #expect(try client.read().withoutReasonStrings == disconnected(.administrativeAction))
        #expect(!client.isConnected)
        #expect(try watcher.read().messages == ["gone=a"])
        #expect(broker.closed["kicked"] == 1)
        #expect(try client.connect5(cleanStart: false).connack?.sessionPresent == true)
        #expect(broker.nodes[0].core.kick("nobody", endingSession: true, now: broker.now) == nil)
    }

    @Test("A kick that removes the session takes what waits in it, also of a client that is away")
    func kickOfSession() throws {
        let broker = SimulatedBroker(shards: 1)
        for isAway in [false, true] {
            let client = try broker.client("a", cleanSession: false)
            _ = try client.subscribe("t", .atLeastOnce)
            if isAway { client.lose() }
            let outcome = broker.nodes[0].core.kick("a", endingSession: true, now: broker.now)
            #expect(outcome == KickOutcome(wasConnected: !isAway, sessionRemoved: true))
            broker.settle()
            #expect(broker.nodes[0].core.client("a") == nil)
            #expect(try SimulatedClient("a", of: broker).connect(cleanSession: false).connack?.sessionPresent == false)
            _ = broker.nodes[0].core.kick("a", endingSession: true, now: broker.now)
            broker.settle()
        }
    }
}
