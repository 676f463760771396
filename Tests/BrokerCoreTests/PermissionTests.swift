import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// Allows everything that was not taken back: texts of `who action name`.
private final class ChangingAuthorizer: Authorizer {
    private let denied = Mutex<Set<String>>([])

    var isUnrestricted: Bool { false }
    /// Whether rights go by what clients prove beside their names.
    let judgesByAttributes: Bool

    init(judgesByAttributes: Bool = false) { self.judgesByAttributes = judgesByAttributes }

    func deny(_ what: String) { denied.withLock { _ = $0.insert(what) } }
    func allow(_ what: String) { denied.withLock { _ = $0.remove(what) } }
    func allows(_ what: String) -> Bool { denied.withLock { !$0.contains(what) } }

    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication { .accepted(principal: nil) }
    func refusal(ofConnect client: Publisher) -> String? { refusal("\(client.clientID ?? "") connect") }
    func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String? {
        refusal("\(publisher.clientID ?? "") \(retain ? "retain" : "publish") \(topic)")
    }
    func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? {
        refusal("\(subscriber.clientID ?? "") subscribe \(filter)")
    }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { allows("\(subscriber.clientID ?? "") receive \(topic)") }

    private func refusal(_ what: String) -> String? { allows(what) ? nil : "\(what) is denied" }
}

/// What clients may do, asked at one door for everything (decision 5).
@Suite struct PermissionTests {
    private func broker(_ authorizer: ChangingAuthorizer) -> SimulatedBroker { SimulatedBroker(shards: 2, authorizer: authorizer) }

    @Test("Threat 35: a client whose will it may not publish is refused, and a right that was lost since keeps the will back")
    func wills() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let watcher = try broker.client("watcher")
        _ = try watcher.subscribe("gone/#")
        rights.deny("a publish gone/a")
        let refused = SimulatedClient("a", of: broker)
        #expect(
            try refused.connect(will: will("gone/a", "bye")) == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
        #expect(!refused.isConnected)
        rights.allow("a publish gone/a")
        rights.deny("a retain gone/a")
        #expect(try SimulatedClient("a", of: broker).connect(will: will("gone/a", "bye", retain: true)).first != accepted())
        let client = try broker.client("a", will: will("gone/a", "bye"))
        rights.deny("a publish gone/a")
        client.lose()
        broker.settle()
        #expect(try watcher.read() == [])
        #expect(broker.dropped == ["publish_denied": 1])
    }

    @Test("A name that the client may not have is refused before the one who has it notices anything")
    func names() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let owner = try broker.client("a")
        rights.deny("a connect")
        #expect(try SimulatedClient("a", of: broker).connect() == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
        #expect(owner.isConnected)
    }

    @Test("MQTT 3.1 cannot be told that a filter is refused: it is acknowledged with QoS 0, and brings nothing", arguments: [0, 1])
    func refusedInMQTT31(shard: Int) throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        rights.deny("a subscribe t")
        let client = SimulatedClient("a", of: broker)
        var connect = Connect(clientID: "a", cleanStart: false, version: .v31)
        client.open(at: 0)
        #expect(try client.exchange(.connect(connect)) == [accepted()])
        client.lose()
        // From another event loop, too, where only bytes are passed on. There is a session, and MQTT 3.1 has no word for it.
        client.open(at: shard)
        #expect(try client.exchange(.connect(connect)) == [accepted()])
        #expect(broker.clientSummaries().map(\.protocolVersion) == ["3.1"])
        let requests = [Subscribe.Request(filter: "t", qos: .exactlyOnce), Subscribe.Request(filter: "u", qos: .exactlyOnce)]
        #expect(
            try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests))) == [
                .suback(Suback(packetID: 1, reasonCodes: [.grantedQoS0, .grantedQoS2]))
            ])
        let publisher = try broker.client("p")
        for topic in ["t", "u"] { _ = try publisher.exchange(message(topic, "x")) }
        #expect(try client.read() == [message("u", "x")])
        #expect(broker.nodes.reduce(0) { $0 + $1.core.statistics().subscriptionsRefused } == 1)
        // In MQTT 3.1.1 the same client is told both.
        client.lose()
        connect.version = .v311
        client.open(at: shard)
        #expect(try client.exchange(.connect(connect)) == [accepted(sessionPresent: true)])
        #expect(
            try client.exchange(.subscribe(Subscribe(packetID: 2, requests: requests))) == [
                .suback(Suback(packetID: 2, reasonCodes: [.unspecifiedError, .grantedQoS2]))
            ])
    }

    @Test("Rights that are taken back end what they were for, and nothing else")
    func takenBack() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let (stays, reader, away, gone) = (
            try broker.client("stays"), try broker.client("reader", at: 1), try broker.client("away", cleanSession: false),
            try broker.client("gone")
        )
        for client in [stays, reader, away] {
            _ = try client.subscribe("t", .atLeastOnce)
            _ = try client.subscribe("u", .atLeastOnce, packetID: 2)
        }
        _ = try away.subscribe("$share/g/v", .atLeastOnce, packetID: 3)
        away.lose()
        for what in ["reader subscribe t", "away subscribe t", "away subscribe v", "gone connect"] { rights.deny(what) }
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(stays.isConnected && !reader.isConnected && !gone.isConnected)
        #expect(broker.closed["not_permitted"] == 2)
        let publisher = try broker.client("p")
        for (number, topic) in ["t", "u", "v"].enumerated() {
            _ = try publisher.exchange(message(topic, "x", qos: .atLeastOnce, packetID: UInt16(number + 1)))
        }
        #expect(
            try away.connect(cleanSession: false) == [
                accepted(sessionPresent: true), message("u", "x", qos: .atLeastOnce, packetID: 1),
            ])
    }

    @Test("A subscription that would be refused now does not come back with its session after a restart")
    func takenBackWhileDown() throws {
        let rights = ChangingAuthorizer()
        let broker = SimulatedBroker(shards: 1, authorizer: rights, store: SimulatedStore())
        let client = try broker.client("a", cleanSession: false)
        _ = try client.subscribe("t", .atLeastOnce)
        _ = try client.subscribe("u", .atLeastOnce, packetID: 2)
        client.lose()
        broker.settle()
        rights.deny("a subscribe t")
        let next = SimulatedBroker(shards: 1, authorizer: rights, store: broker.store?.afterCrash())
        let publisher = try next.client("p")
        _ = try publisher.exchange(message("t", "x", qos: .atLeastOnce, packetID: 1))
        _ = try publisher.exchange(message("u", "x", qos: .atLeastOnce, packetID: 2))
        #expect(
            try SimulatedClient("a", of: next).connect(cleanSession: false) == [
                accepted(sessionPresent: true), message("u", "x", qos: .atLeastOnce, packetID: 1),
            ])
    }

    @Test(
        "A CONNECT that is on its way to another shard while rights are taken back is refused there",
        arguments: ["connect", "publish gone/a"])
    func takenBackOnTheWay(right: String) throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let owner = try broker.client("a", at: 1, cleanSession: false)
        owner.lose()
        broker.settle()
        let client = SimulatedClient("a", of: broker)
        client.open(at: 0)
        client.send(.connect(Connect(clientID: "a", cleanStart: false, keepAlive: 0, will: will("gone/a", "bye"))))
        broker.endTurn(of: 0)
        rights.deny("a \(right)")
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(try client.read() == [.connack(Connack(sessionPresent: false, reasonCode: .notAuthorized))])
        #expect(!client.isConnected)
        // Nothing of its session is lost by that.
        rights.allow("a \(right)")
        #expect(try client.connect(cleanSession: false) == [accepted(sessionPresent: true)])
    }

    @Test(
        "Who is away and has proved nothing since a restart keeps its subscriptions, where rights go by that", arguments: [false, true])
    func awaySinceARestart(judgesByAttributes: Bool) throws {
        let rights = ChangingAuthorizer(judgesByAttributes: judgesByAttributes)
        var broker = SimulatedBroker(shards: 2, authorizer: rights, store: SimulatedStore())
        func subscriptions(of client: String) -> [Int] { broker.nodes.compactMap { $0.core.client(client)?.subscriptions } }
        for name in ["a", "b"] {
            let client = try broker.client(name, cleanSession: false)
            _ = try client.subscribe("t", .atLeastOnce)
            client.lose()
        }
        broker.settle()
        broker = broker.afterCrash(shards: 2, authorizer: rights)
        // One has been here again: what it has not shown it has not.
        try broker.client("b", cleanSession: false).lose()
        broker.settle()
        for name in ["a", "b"] { rights.deny("\(name) subscribe t") }
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(subscriptions(of: "a") == [judgesByAttributes ? 1 : 0])
        #expect(subscriptions(of: "b") == [0])
    }

    @Test("A QoS 0 message that waits for a slow client is not sent when the client may not have it any more")
    func takenBackWhileWaiting() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let client = try broker.client5("a")
        for topic in ["t", "u"] { _ = try client.subscribe5(topic) }
        let publisher = try broker.client5("p")
        broker.setWritable(try #require(client.socket), false)
        // Those that may expire are not encoded before they can be sent.
        for topic in ["t", "u"] { publisher.send(message5(topic, "x") { $0.messageExpiryInterval = 60 }) }
        broker.settle()
        rights.deny("a receive t")
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.setWritable(try #require(client.socket), true)
        broker.settle()
        #expect(try client.read().publishes.map { String(buffer: $0.topic) } == ["u"])
        #expect(broker.dropped == ["delivery_denied": 1])
    }

    @Test("IoT Core closes MQTT 3.1.1 for what it may not do; the standard goes on")
    func dialects() throws {
        for (dialect, staysConnected) in [(Dialect.standard, true), (.aws, false)] {
            let rights = ChangingAuthorizer()
            rights.deny("a publish t")
            rights.deny("a subscribe t")
            let broker = broker(rights)
            for packet in [
                message("t", "x", qos: .atLeastOnce, packetID: 1),
                .subscribe(Subscribe(packetID: 1, requests: [.init(filter: "t", qos: .atMostOnce)])),
            ] {
                let client = SimulatedClient("a", of: broker)
                client.open(terms: ListenerTerms(dialect: dialect))
                _ = try client.exchange(.connect(Connect(clientID: "a", cleanStart: true, keepAlive: 60)))
                let answer = try client.exchange(packet)
                #expect(client.isConnected == staysConnected)
                #expect(answer.isEmpty != staysConnected)
            }
        }
    }

    @Test("Threat 36: a retained message goes to nobody who may not have it by then, whoever left it there")
    func retained() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let publisher = try broker.client("p")
        for topic in ["a", "b"] { _ = try publisher.exchange(message(topic, "x", retain: true)) }
        let reader = try broker.client("r")
        rights.deny("r receive a")
        // Who may not retain any more does not change what others get, and cannot take it back either.
        rights.deny("p retain b")
        _ = try publisher.exchange(message("b", "", retain: true))
        #expect(try reader.subscribe("#").messages == ["b=x"])
        rights.allow("r receive a")
        #expect(try reader.subscribe("#", packetID: 2).messages.sorted() == ["a=x", "b=x"])
    }

    @Test("What a client asked for and may not have is told once, and kept for operators with its reason and how often")
    func told() throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        for what in ["a subscribe t", "a publish t", "a receive u/1", "a receive u/2"] { rights.deny(what) }
        let client = try broker.client("a")
        _ = try client.subscribe("u/+", .atMostOnce)
        for packetID in UInt16(2)...4 { _ = try client.subscribe("t", .atMostOnce, packetID: packetID) }
        for _ in 0..<2 { _ = try client.exchange(message("t", "x")) }
        for topic in ["u/1", "u/2"] { _ = try broker.client("p").exchange(message(topic, "x")) }
        broker.settle()
        let told = broker.events.compactMap { event in
            switch event {
            case .subscribeDenied("a", let filter, let reason): "subscribe \(filter): \(reason)"
            case .publishDenied("a", let topic, let reason): "publish \(topic): \(reason)"
            case .deliveryDenied("a", let topic, _): "receive \(topic)"
            default: nil
            }
        }
        #expect(told == ["subscribe t: a subscribe t is denied", "publish t: a publish t is denied", "receive u/1"])
        let refusals = broker.clientSummaries().first { $0.clientID == "a" }?.refusals ?? []
        #expect(refusals.map(\.kind.rawValue) == ["subscribe", "publish", "receive"])
        #expect(refusals.map(\.resource) == ["t", "t", "u/2"])
        #expect(refusals.map(\.count) == [3, 2, 2])
        #expect(refusals.first?.reason == "a subscribe t is denied")
    }

    @Test("Of a filter that is refused for its length little is kept")
    func longFilters() throws {
        let broker = broker(ChangingAuthorizer())
        let client = try broker.client("a")
        _ = try client.subscribe(String(repeating: "x", count: 60_000), .atMostOnce)
        #expect(broker.clientSummaries().first?.refusals.map(\.resource.utf8.count) == [256])
    }

    @Test("Threat 46: the right to a shared subscription is that to its filter, whatever the group is called", arguments: [0, 1])
    func sharedFilters(shard: Int) throws {
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        rights.deny("r subscribe a")
        rights.deny("r receive b")
        let reader = try broker.client5("r", at: shard)
        for group in ["g", "a", "$share", "b"] {
            let answer = try reader.exchange(
                .subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "$share/\(group)/a", qos: .atMostOnce)])))
            #expect(answer == [.suback(Suback(packetID: 1, reasonCodes: [.notAuthorized]))])
        }
        _ = try reader.subscribe5("$share/g/b")
        _ = try broker.client("p").exchange(message("b", "x"))
        broker.settle()
        #expect(try reader.read() == [])
        #expect(broker.dropped["delivery_denied"] == 1)
    }

    @Test("Threat 37: whatever brings a message, and whenever a right is lost, nobody gets what they may not", arguments: 0..<200)
    func anyTwoSteps(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let rights = ChangingAuthorizer()
        let broker = broker(rights)
        let topics = ["a", "b", "c/1"]
        let filters = ["a", "b", "c/1", "#", "$share/g/#", "+/1"]
        let clients = ["x", "y", "z"].map { SimulatedClient($0, of: broker) }
        var packetID: UInt16 = 1
        func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        for step in 0..<80 {
            let client = clients[below(clients.count)]
            let topic = topics[below(topics.count)]
            packetID += 1
            switch below(7) {
            case 0: client.lose()
            case 1: _ = try? client.connect(at: below(2), cleanSession: below(4) == 0)
            case 2 where client.isConnected:
                try check(client.subscribe(filters[below(filters.count)], .exactlyOnce, packetID: packetID), rights, seed, step, client)
            case 3, 4:
                if client.isConnected {
                    let packet = message(
                        topic, "\(step)", qos: QoS.allCases[below(3)], packetID: packetID, retain: below(3) == 0)
                    try check(client.exchange(packet), rights, seed, step, client)
                }
            case 5: rights.deny("\(client.name) receive \(topic)")
            default: rights.allow("\(client.name) receive \(topic)")
            }
            broker.settle()
            // What is read now was sent while these rights held.
            for client in clients { try check(client.read(), rights, seed, step, client) }
        }
    }

    private func check(
        _ packets: [Packet], _ rights: ChangingAuthorizer, _ seed: Int, _ step: Int, _ client: SimulatedClient
    ) throws {
        for case .publish(let publish) in packets {
            let what = "\(client.name) receive \(String(buffer: publish.topic))"
            #expect(rights.allows(what), "seed \(seed), step \(step): \(what)")
        }
    }
}
