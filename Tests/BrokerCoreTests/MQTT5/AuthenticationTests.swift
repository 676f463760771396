import BrokerCore
import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// Takes who answers each challenge with the challenge's number, twice.
private final class CountingExchange: AuthenticationExchange {
    private var number = 0

    func receive(_ data: ByteBuffer?) -> AuthenticationStep {
        let text = data.map { String(buffer: $0) } ?? ""
        if text == "bad" { return .refused(.badUserNameOrPassword, "bad") }
        if number > 0, text.first.map(String.init) != "\(number)" { return .refused(.notAuthorized, "wrong number") }
        number += 1
        if number == 3 {
            let principal = String(text.dropFirst())
            return .accepted(
                principal: principal, data: ByteBuffer(string: "done"), credential: CredentialFingerprint(Array("of \(principal)".utf8)))
        }
        return .challenge(ByteBuffer(string: "\(number)"))
    }
}

private final class CountingAuthorizer: Authorizer {
    private let gone = Mutex<Set<String>>([])

    var isUnrestricted: Bool { true }
    func remove(_ principal: String) { gone.withLock { _ = $0.insert(principal) } }
    func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String? {
        guard let principal, credential == CredentialFingerprint(Array("of \(principal)".utf8)) else { return "mixed up" }
        return gone.withLock { $0.contains(principal) } ? "\(principal) is gone" : nil
    }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        .refused(.badUserNameOrPassword, "only by numbers")
    }
    func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? {
        method == "COUNT" ? CountingExchange() : nil
    }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

@Suite struct AuthenticationTests {
    /// A CONNECT whose properties have 1,600 bytes.
    private func beginLarge(_ name: String, _ broker: SimulatedBroker) throws -> (client: SimulatedClient, answer: [Packet]) {
        let client = SimulatedClient(name, of: broker)
        let pairs = (1...16).map { _ in Property(.userProperty, .textPair("n", String(repeating: "v", count: 94))) }
        let answer = try client.connect5 {
            $0 = Properties(pairs)
            $0.authenticationMethod = "COUNT"
        }
        return (client, answer)
    }

    @Test("A CONNECT that waits for AUTH counts for what all strangers may have kept here, and so does what AUTH brings")
    func keptWhileAuthenticating() throws {
        var limits = BrokerLimits()
        limits.connectBytesInAllMax = 1_000
        let broker = SimulatedBroker(shards: 1, limits: limits, authorizer: CountingAuthorizer())
        let (first, challenge) = try beginLarge("a", broker)
        #expect(challenge == [auth(.continueAuthentication, "1")])
        let (second, _) = try beginLarge("b", broker)
        #expect(!second.isConnected && first.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
        // Who it is, is known now: there is room again.
        _ = try first.exchange(auth(.continueAuthentication, "1"))
        #expect(try first.exchange(auth(.continueAuthentication, "2ann")).connack?.reasonCode == .success)
        let (third, _) = try beginLarge("c", broker)
        #expect(third.isConnected)
        _ = try third.exchange(auth(.continueAuthentication, "1" + String(repeating: "x", count: 1_000)))
        #expect(!third.isConnected)
        #expect(broker.closed == ["limit_exceeded": 2])
    }

    private func auth(_ code: ReasonCode, _ data: String?, method: String = "COUNT") -> Packet {
        .auth(
            Auth(
                reasonCode: code,
                properties: properties {
                    $0.authenticationMethod = method
                    $0.authenticationData = data.map { ByteBuffer(string: $0) }
                }))
    }

    private func begin(
        _ broker: SimulatedBroker, as name: String = "a", at shard: Int = 0, cleanStart: Bool = true
    ) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        let answer = try client.connect5(at: shard, cleanStart: cleanStart) {
            $0.authenticationMethod = "COUNT"
            $0.sessionExpiryInterval = 100
        }
        #expect(answer == [auth(.continueAuthentication, "1")])
        return client
    }

    @Test(
        "An exchange of AUTH leads to CONNACK, and can be had again [MQTT5-4.12.0-2] [MQTT5-4.12.0-3] [MQTT5-4.12.0-5]", arguments: [0, 1])
    func exchange(shard: Int) throws {
        let broker = SimulatedBroker(shards: 2, authorizer: CountingAuthorizer())
        let first = try begin(broker)
        #expect(try first.exchange(auth(.continueAuthentication, "1")) == [auth(.continueAuthentication, "2")])
        #expect(try first.exchange(auth(.continueAuthentication, "2ann")).connack?.reasonCode == .success)
        first.lose()
        // The same session from the other shard: the proof is not asked for twice.
        let client = try begin(broker, at: shard, cleanStart: false)
        _ = try client.exchange(auth(.continueAuthentication, "1"))
        let connack = try #require(try client.exchange(auth(.continueAuthentication, "2ann")).connack)
        #expect(connack.reasonCode == .success && connack.sessionPresent)
        #expect(connack.properties.authenticationMethod == "COUNT")
        #expect(connack.properties.authenticationData == ByteBuffer(string: "done"))
        #expect(try client.exchange(auth(.reauthenticate, nil)) == [auth(.continueAuthentication, "1")])
        _ = try client.exchange(auth(.continueAuthentication, "1"))
        #expect(try client.exchange(auth(.continueAuthentication, "2ann")) == [auth(.success, "done")])
        #expect(try client.exchange(.pingreq) == [.pingresp])
    }

    @Test("Clients whose credential was taken back are closed, wherever their session is, and the others stay", arguments: [0, 1])
    func takenBack(shard: Int) throws {
        let authorizer = CountingAuthorizer()
        let broker = SimulatedBroker(shards: 2, authorizer: authorizer)
        let first = try begin(broker)
        for data in ["1", "2ann"] { _ = try first.exchange(auth(.continueAuthentication, data)) }
        first.lose()
        let ann = try begin(broker, at: shard, cleanStart: false)
        for data in ["1", "2ann"] { _ = try ann.exchange(auth(.continueAuthentication, data)) }
        let bob = try begin(broker, as: "b", at: shard)
        for data in ["1", "2bob"] { _ = try bob.exchange(auth(.continueAuthentication, data)) }
        authorizer.remove("ann")
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(try ann.read().withoutReasonStrings == disconnected(.notAuthorized))
        #expect(!ann.isConnected && bob.isConnected)
        #expect(broker.closed["not_permitted"] == 1)
        #expect(try bob.exchange(.pingreq) == [.pingresp])
    }

    @Test("A proof that began before the credential was taken back lets nobody in, on the way to another shard neither", arguments: [0, 1])
    func takenBackMeanwhile(shard: Int) throws {
        let authorizer = CountingAuthorizer()
        let broker = SimulatedBroker(shards: 2, authorizer: authorizer)
        let first = try begin(broker)
        for data in ["1", "2ann"] { _ = try first.exchange(auth(.continueAuthentication, data)) }
        first.lose()
        let (late, handedOver) = (try begin(broker, as: "b"), try begin(broker, at: shard, cleanStart: false))
        for client in [late, handedOver] { _ = try client.exchange(auth(.continueAuthentication, "1")) }
        if shard == 1 {  // its CONNECT is accepted, and waits for the shard with the session
            handedOver.send(auth(.continueAuthentication, "2ann"))
            broker.endTurn(of: shard)
        }
        authorizer.remove("ann")
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        if shard == 0 { handedOver.send(auth(.continueAuthentication, "2ann")) }
        late.send(auth(.continueAuthentication, "2ann"))
        broker.settle()
        for client in [late, handedOver] {
            #expect(try client.read().connack?.reasonCode == .notAuthorized)
            #expect(!client.isConnected)
        }
    }

    @Test("Authenticating again by a credential that was taken back meanwhile ends the connection")
    func takenBackMeanwhileAgain() throws {
        let authorizer = CountingAuthorizer()
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer)
        let client = try begin(broker)
        for data in ["1", "2ann"] { _ = try client.exchange(auth(.continueAuthentication, data)) }
        _ = try client.exchange(auth(.reauthenticate, nil))
        _ = try client.exchange(auth(.continueAuthentication, "1"))
        authorizer.remove("ann")
        #expect(try client.exchange(auth(.continueAuthentication, "2ann")).withoutReasonStrings == disconnected(.notAuthorized))
        #expect(!client.isConnected)
    }

    @Test("Once an address is blocked no proof of it is taken, also none that was begun before")
    func blockedAddress() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
        let clients = try (0..<11).map { (number) throws -> SimulatedClient in
            let client = SimulatedClient("a\(number)", of: broker)
            client.open(network: PeerNetwork("192.0.2.1"))
            let properties = properties { $0.authenticationMethod = "COUNT" }
            let connect = Connect(clientID: client.name, keepAlive: 60, version: .v5, properties: properties)
            #expect(try client.exchange(.connect(connect)) == [auth(.continueAuthentication, "1")])
            return client
        }
        for client in clients.dropLast() { _ = try client.exchange(auth(.continueAuthentication, "7")) }
        let last = try #require(clients.last)
        #expect(try last.exchange(auth(.continueAuthentication, "1")).connack?.reasonCode == .banned)
        #expect(!last.isConnected)
    }

    // [MQTT5-4.12.0-4] [MQTT5-4.12.1-2]
    @Test(
        "A wrong answer is refused; of another principal, or when it is done again, it ends the connection"
    )
    func wrongAnswers() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
        let wrong = try begin(broker)
        #expect(try wrong.exchange(auth(.continueAuthentication, "7")).connack?.reasonCode == .notAuthorized)
        #expect(!wrong.isConnected)
        for (user, last) in [("ann", "1wrong"), ("ann", "2bob"), ("\u{E9}", "2e\u{301}")] {  // names are bytes
            let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
            let client = try begin(broker)
            for data in ["1", "2\(user)"] { _ = try client.exchange(auth(.continueAuthentication, data)) }
            _ = try client.exchange(auth(.reauthenticate, nil))
            _ = try client.exchange(auth(.continueAuthentication, "1"))
            let answer = try client.exchange(auth(.continueAuthentication, last))
            #expect(answer.withoutReasonStrings == disconnected(.notAuthorized))
            #expect(!client.isConnected)
        }
    }

    @Test("What refuses authentication again is told by a code that DISCONNECT may carry [MQTT5-3.14.2-1]")
    func codesOfDisconnect() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
        let client = try begin(broker)
        for data in ["1", "2ann"] { _ = try client.exchange(auth(.continueAuthentication, data)) }
        _ = try client.exchange(auth(.reauthenticate, nil))
        let answer = try client.exchange(auth(.continueAuthentication, "bad"))  // 0x86, which is of CONNACK alone
        #expect(answer.withoutReasonStrings == disconnected(.notAuthorized))
    }

    @Test("Methods that are not known are refused, and without one there is no AUTH [MQTT5-4.12.0-1] [MQTT5-4.12.0-6] [MQTT5-4.12.0-7]")
    func methods() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
        let client = SimulatedClient("a", of: broker)
        #expect(try client.connect5 { $0.authenticationMethod = "X" }.connack?.reasonCode == .badAuthenticationMethod)
        let plain = SimulatedClient("b", of: SimulatedBroker(shards: 1))
        let connack = try #require(try plain.connect5().connack)
        #expect(connack.properties.authenticationMethod == nil && connack.properties.authenticationData == nil)
        #expect(try plain.exchange(auth(.reauthenticate, nil)).withoutReasonStrings == disconnected(.protocolError))
    }

    // [MQTT5-3.1.2-30] [MQTT5-3.14.0-1] [MQTT5-4.12.1-1]
    @Test("Before CONNACK only AUTH may come, with the same method and in time; what else ends the connection without DISCONNECT")
    func beforeConnack() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: CountingAuthorizer())
        for packet in [message5("t", "x"), .pingreq, auth(.continueAuthentication, "1", method: "Y"), auth(.reauthenticate, nil)] {
            let client = try begin(broker)
            #expect(try client.exchange(packet).isEmpty)
            #expect(!client.isConnected)
        }
        let slow = try begin(broker)
        broker.advance(seconds: 5.1)
        #expect(!slow.isConnected)
        #expect(broker.closed["connect_timeout"] == 1)
    }
}
