import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Testing

/// Takes everybody by the proof that the user name describes: `seconds group`.
private struct ProvingAuthorizer: Authorizer {
    var isUnrestricted: Bool { false }

    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        let words = (connect.userName ?? "").split(separator: " ").map(String.init)
        let proof = Proof(seconds: words.first.flatMap { Int($0) }, attributes: words.count > 1 ? ["jwt:group": words[1]] : [:])
        return .accepted(principal: "ann", proof: proof)
    }

    /// A client connects with a group, and subscribes below it.
    func refusal(ofConnect client: Publisher) -> String? {
        client.notes?.attributes["jwt:group"] == "banned" ? "banned" : nil
    }

    func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? {
        filter.hasPrefix(subscriber.notes?.attributes["jwt:group"] ?? "-") ? nil : "another group's"
    }

    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

/// What a client proved, for how long it holds, and what it says beside the name.
@Suite struct ProofTests {
    private let broker = SimulatedBroker(shards: 2, authorizer: ProvingAuthorizer())

    private func connect(
        _ proof: String, version: ProtocolVersion = .v5, at shard: Int = 0, cleanStart: Bool = true
    ) throws -> (client: SimulatedClient, connack: Connack?) {
        let client = SimulatedClient("c", of: broker)
        client.open(at: shard)
        var connect = Connect(clientID: "c", cleanStart: cleanStart, keepAlive: 600, version: version, userName: proof)
        if version == .v5 { connect.properties.sessionExpiryInterval = 3_600 }
        let answer = try client.exchange(.connect(connect))
        guard case .connack(let connack)? = answer.first else { return (client, nil) }
        return (client, connack)
    }

    @Test("A connection ends with its proof, and MQTT 5 says so by 0xA0, on whatever loop the session is", arguments: [0, 1])
    func expiry(shard: Int) throws {
        let first = try connect("60")
        first.client.lose()
        let (client, connack) = try connect("30", at: shard, cleanStart: false)
        #expect(connack?.reasonCode == .success && connack?.sessionPresent == true)
        advance(29)
        #expect(try client.exchange(.pingreq) == [.pingresp])
        advance(2)
        #expect(try client.read() == [.disconnect(Disconnect(reasonCode: .maximumConnectTime))])
        #expect(!client.isConnected)
        #expect(broker.closed["proof_expired"] == 1)
    }

    @Test func aClientOfMQTT311IsClosed() throws {
        let (client, _) = try connect("5", version: .v311)
        advance(6)
        #expect(try client.read().isEmpty && !client.isConnected)
    }

    @Test func aProofWithoutAnEndHoldsAsLongAsTheConnection() throws {
        let (client, _) = try connect("-")
        advance(500)
        #expect(client.isConnected)
    }

    /// The deadline of the connection before is not the next one's.
    @Test func aNewConnectionHasItsOwnEnd() throws {
        let first = try connect("5")
        first.client.lose()
        let (client, _) = try connect("60", cleanStart: false)
        advance(10)
        #expect(client.isConnected)
        advance(51)
        #expect(!client.isConnected)
    }

    @Test func whatWasProvedIsAskedForBeforeThereIsASession() throws {
        #expect(try connect("60 banned").connack?.reasonCode == .notAuthorized)
        #expect(try connect("60 friends").connack?.reasonCode == .success)
    }

    @Test("Subscriptions that a claim granted end with it, also when the session was on another loop", arguments: [0, 1])
    func claimsThatChange(shard: Int) throws {
        let (first, _) = try connect("60 a")
        #expect(try subscribe(first, "a/1") == .success)
        #expect(try subscribe(first, "b/1") == .notAuthorized)
        first.lose()
        let (same, connack) = try connect("60 a", at: shard, cleanStart: false)
        #expect(connack?.sessionPresent == true)
        publish("a/1", from: same)
        #expect(try same.read().count == 1)
        same.lose()
        let (other, _) = try connect("60 b", at: shard, cleanStart: false)
        publish("a/1", from: other)
        #expect(try other.read().isEmpty, "its group is another one now")
        #expect(try subscribe(other, "b/1") == .success)
    }

    private func advance(_ seconds: Double) {
        broker.advance(seconds: seconds)
        broker.settle()
    }

    private func subscribe(_ client: SimulatedClient, _ filter: String) throws -> ReasonCode? {
        let answer = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: [.init(filter: filter, qos: .atMostOnce)])))
        guard case .suback(let suback)? = answer.first else { return nil }
        return suback.reasonCodes.first
    }

    private func publish(_ topic: String, from client: SimulatedClient) {
        client.send(message(topic, "x"))
        broker.settle()
    }
}
