import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// A listener that behaves as AWS IoT Core.
@Suite struct DialectTests {
    private struct Nobody: Authorizer {
        var isUnrestricted: Bool { true }
        func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication { .refused(.notAuthorized, "nobody") }
        func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
    }

    private func connect(
        _ broker: SimulatedBroker, as name: String = "a", _ version: ProtocolVersion, keepAlive: UInt16 = 60, cleanStart: Bool = true,
        will: Will? = nil, _ set: (inout Properties) -> Void = { _ in }
    ) throws -> (client: SimulatedClient, answer: [Packet]) {
        let client = SimulatedClient(name, of: broker)
        client.open(terms: ListenerTerms(dialect: .aws))
        let connect = Connect(
            clientID: name, cleanStart: cleanStart, keepAlive: keepAlive, version: version, properties: properties(set), will: will)
        return (client, try client.exchange(.connect(connect)))
    }

    @Test("CONNACK of MQTT 5 tells IoT Core's quotas")
    func quotas() throws {
        let found = try #require(
            try connect(SimulatedBroker(shards: 1), .v5, keepAlive: 10) { $0.sessionExpiryInterval = 700_000 }.answer.connack?.properties)
        #expect(found.maximumQoS == .atLeastOnce)
        #expect(found.subscriptionIdentifierAvailable == false)
        #expect(found.receiveMaximum == 100)
        #expect(found.topicAliasMaximum == 8)
        #expect(found.serverKeepAlive == 30)
        #expect(found.sessionExpiryInterval == 604_800)
    }

    @Test("IoT Core does not speak MQTT 3.1")
    func oldVersion() throws {
        let (client, answer) = try connect(SimulatedBroker(shards: 1), .v31)
        #expect(answer == [.connack(Connack(sessionPresent: false, reasonCode: .unsupportedProtocolVersion))])
        #expect(!client.isConnected)
    }

    @Test("QoS 2: MQTT 3.1.1 is not answered, MQTT 5 is told")
    func exactlyOnce() throws {
        let broker = SimulatedBroker(shards: 1)
        let old = try connect(broker, as: "old", .v311).client
        #expect(try old.exchange(message("t", "x", qos: .exactlyOnce, packetID: 1)).isEmpty && old.isConnected)
        #expect(try old.subscribe("t", .exactlyOnce).isEmpty && old.isConnected)
        #expect(try old.subscribe("t", .atLeastOnce) == [.suback(Suback(packetID: 1, reasonCodes: [.grantedQoS1]))])
        let new = try connect(broker, as: "new", .v5).client
        #expect(try new.subscribe5("t", .exactlyOnce) == [.suback(Suback(packetID: 1, reasonCodes: [.grantedQoS1]))])
        let answer = try new.exchange(message5("t", "x", qos: .exactlyOnce, packetID: 1))
        #expect(answer.withoutReasonStrings == disconnected(.qosNotSupported))
        #expect(broker.dropped == ["qos_not_supported": 2])
    }

    @Test("a/# does not match a, while it does on a listener of the standard beside it, and both come and go")
    func parents() throws {
        let broker = SimulatedBroker(shards: 2)
        let aws = try connect(broker, as: "aws", .v311).client
        let aws2 = try connect(broker, as: "aws2", .v311).client
        let standard = try broker.client("standard", at: 1)
        for client in [aws, standard, aws2] { _ = try client.subscribe("a/#") }
        _ = try standard.subscribe("a/+/#", packetID: 2)
        let publisher = try broker.client("p")
        for topic in ["a", "a/b", "a/b/c"] { _ = try publisher.exchange(message(topic, "")) }
        #expect(try aws.read().messages == ["a/b=", "a/b/c="])
        #expect(try standard.read().messages == ["a=", "a/b=", "a/b/c="])
        _ = try aws.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: ["a/#"])))
        _ = try standard.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: ["a/+/#"])))
        _ = try aws2.read()
        for topic in ["a", "a/b"] { _ = try publisher.exchange(message(topic, "")) }
        #expect(try aws.read().isEmpty)
        #expect(try aws2.read().messages == ["a/b="])
        #expect(try standard.read().messages == ["a=", "a/b="])
        _ = try aws2.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: ["a/#"])))
        _ = try publisher.exchange(message("a/b", ""))
        #expect(try aws2.read().isEmpty)
    }

    @Test("A shared subscription to a/# does not match a either, and is another one than the standard's of the same name")
    func sharedParents() throws {
        let broker = SimulatedBroker(shards: 2)
        let (aws, aws2) = (try connect(broker, as: "aws", .v311).client, try connect(broker, as: "aws2", .v5).client)
        let standard = try broker.client("standard", at: 1)
        _ = try aws2.subscribe5("$share/g/a/#")
        for client in [aws, standard] { _ = try client.subscribe("$share/g/a/#") }
        let publisher = try broker.client("p")
        for topic in ["a", "a/1", "a/2"] { _ = try publisher.exchange(message(topic, "")) }
        #expect(try (aws.read() + aws2.read()).messages.sorted() == ["a/1=", "a/2="])
        #expect(try standard.read().messages == ["a=", "a/1=", "a/2="])
        _ = try aws.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: ["$share/g/a/#"])))
        for topic in ["a", "a/1"] { _ = try publisher.exchange(message(topic, "")) }
        #expect(try aws.read().isEmpty)
        #expect(try aws2.read().messages == ["a/1="])
        _ = try aws2.exchange(.unsubscribe(Unsubscribe(packetID: 3, filters: ["$share/g/a/#"])))
        _ = try publisher.exchange(message("a/1", ""))
        #expect(try aws2.read().isEmpty)
    }

    @Test(
        "A session is kept for an hour after MQTT 3.1.1, and after MQTT 5 as long as it asks for", arguments: [ProtocolVersion.v311, .v5])
    func sessionsExpire(_ version: ProtocolVersion) throws {
        let broker = SimulatedBroker(shards: 1)
        let first = try connect(broker, version, cleanStart: false) { $0.sessionExpiryInterval = 7_200 }.client
        first.lose()
        broker.advance(seconds: 3_500)
        let second = try connect(broker, version, cleanStart: false) { $0.sessionExpiryInterval = 7_200 }
        #expect(second.answer.connack?.sessionPresent == true)
        second.client.lose()
        broker.advance(seconds: 3_700)
        let third = try connect(broker, version, cleanStart: false) { $0.sessionExpiryInterval = 7_200 }
        #expect(third.answer.connack?.sessionPresent == (version == .v5))
    }

    @Test("Retained messages come for the very topic only, never through wildcards")
    func retained() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try connect(broker, .v311).client
        _ = try client.exchange(message("a/b", "x", retain: true))
        #expect(try client.subscribe("a/+").publishes.isEmpty)
        #expect(try client.subscribe("a/b").publishes.map(\.retain) == [true])
    }

    @Test("At IoT Core's quotas: 8 filters, 50 subscriptions, 8 levels, 256 bytes of topic, 128 of client identifier; one more is refused")
    func limits() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try connect(broker, .v5).client
        for packet in 0..<6 {
            let requests = (0..<8).map { Subscribe.Request(filter: "\(packet)/\($0)", qos: .atMostOnce) }
            #expect(try client.exchange(.subscribe(Subscribe(packetID: 1, requests: requests))).count == 1)
        }
        let last = ["x", "y", "z", "1/2/3/4/5/6/7/8/9"].map { Subscribe.Request(filter: $0, qos: .atMostOnce) }
        let codes: [ReasonCode] = [.success, .success, .quotaExceeded, .topicFilterInvalid]
        #expect(
            try client.exchange(.subscribe(Subscribe(packetID: 1, requests: last))) == [.suback(Suback(packetID: 1, reasonCodes: codes))])
        #expect(try client.exchange(message5(String(repeating: "t", count: 256), "")).isEmpty && client.isConnected)
        let tooLong = try client.exchange(message5(String(repeating: "t", count: 257), ""))
        #expect(tooLong.withoutReasonStrings == disconnected(.topicNameInvalid))
        let nine = (0..<9).map { Subscribe.Request(filter: "\($0)", qos: .atMostOnce) }
        let other = try connect(broker, .v5).client
        #expect(try other.exchange(.subscribe(Subscribe(packetID: 1, requests: nine))).withoutReasonStrings == disconnected(.quotaExceeded))
        for (count, code) in [(128, .success), (129, .clientIdentifierNotValid)] as [(Int, ReasonCode)] {
            #expect(try connect(broker, as: String(repeating: "c", count: count), .v5).answer.connack?.reasonCode == code)
        }
    }

    @Test("Reserved names, identifiers of subscriptions and AUTH are refused as IoT Core refuses them")
    func refusals() throws {
        let broker = SimulatedBroker(shards: 1)
        #expect(try connect(broker, as: "$a", .v5).answer.connack?.reasonCode == .clientIdentifierNotValid)
        #expect(try connect(broker, .v5) { $0.authenticationMethod = "X" }.answer.connack?.reasonCode == .badAuthenticationMethod)
        #expect(try connect(broker, .v5, will: will("w", "", qos: .exactlyOnce)).answer.connack?.reasonCode == .qosNotSupported)
        let client = try connect(broker, .v5).client
        let answer = try client.subscribe5("t", identifier: 1)
        #expect(answer.withoutReasonStrings == disconnected(.subscriptionIdentifiersNotSupported))
        let old = try connect(broker, .v311).client
        #expect(try old.exchange(message("$aws/things/x", "")).isEmpty && !old.isConnected)
    }

    @Test("A client that may not connect gets the return code 7 in MQTT 3.1.1")
    func returnCode7() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: Nobody())
        let client = SimulatedClient("s", of: broker)
        client.open(terms: ListenerTerms(dialect: .aws))
        client.send(.connect(Connect(clientID: "s")))
        broker.settle()
        #expect(client.takeBytes() == [0x20, 2, 0, 7])
        #expect(!client.isConnected)
    }

    @Test("A client may publish 100 messages a second; then it is read more slowly")
    func pace() throws {
        let broker = SimulatedBroker(shards: 1)
        let client = try connect(broker, .v311).client
        for _ in 0..<100 { client.send(message("t", "x")) }
        #expect(client.socket?.isRead == true)
        for _ in 0..<3 { client.send(message("t", "x")) }
        #expect(client.socket?.isRead == false)
        broker.advance(seconds: 1)
        #expect(client.socket?.isRead == true && client.isConnected)
    }
}
