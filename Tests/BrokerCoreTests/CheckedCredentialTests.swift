import CremaTesting
import MQTTCodec
import NIOCore
import Synchronization
import Testing

@testable import BrokerCore

/// Whoever has the password that is the user's name is that user, when somebody has looked.
private struct LateCheck: CredentialCheck {
    let userName: String
    let password: String

    func run() -> CheckedCredential {
        if password == "broken" { return .undecided(.serverUnavailable, "no memory") }
        guard password == userName else { return .refuted(.badUserNameOrPassword, "wrong") }
        return .proved(principal: userName, credential: CredentialFingerprint(Array(userName.utf8)))
    }
}

private final class LateAuthorizer: Authorizer {
    private let gone = Mutex<Set<String>>([])

    var isUnrestricted: Bool { true }
    func remove(_ principal: String) { gone.withLock { _ = $0.insert(principal) } }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        guard let userName = connect.userName, let password = connect.password else { return .accepted(principal: nil) }
        return .toBeChecked(LateCheck(userName: userName, password: String(buffer: password)))
    }
    func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String? {
        guard let principal, credential == CredentialFingerprint(Array(principal.utf8)) else { return "mixed up" }
        return gone.withLock { $0.contains(principal) } ? "\(principal) is gone" : nil
    }
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}

@Suite struct CheckedCredentialTests {
    private let authorizer = LateAuthorizer()

    private func broker(_ limits: BrokerLimits = BrokerLimits(), shards: Int = 2) -> SimulatedBroker {
        SimulatedBroker(shards: shards, limits: limits, authorizer: authorizer)
    }

    /// A client that has sent CONNECT, of which nobody has looked at the password.
    private func begin(
        _ name: String = "a", _ user: String = "ann", _ password: String = "ann", on broker: SimulatedBroker, at shard: Int = 0,
        version: ProtocolVersion = .v5, cleanStart: Bool = true, network: PeerNetwork? = nil
    ) -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        client.open(at: shard, network: network)
        var connect = Connect(
            clientID: name, cleanStart: cleanStart, keepAlive: 60, version: version, userName: user, password: ByteBuffer(string: password))
        if version == .v5 { connect.properties.sessionExpiryInterval = 100 }
        client.send(.connect(connect))
        broker.settle(checking: false)
        return client
    }

    private func checks(_ broker: SimulatedBroker) -> [String: UInt64] {
        var statistics = BrokerStatistics()
        broker.admission.count(into: &statistics)
        #expect(statistics.passwordChecksWaiting == broker.nodes.map(\.checks.count).reduce(0, +))
        return statistics.passwordChecks.filter { $0.value > 0 }
    }

    @Test("CONNACK waits for the check, and says what came of it", arguments: [ProtocolVersion.v311, .v5])
    func answers(version: ProtocolVersion) throws {
        for (password, code) in [("ann", ReasonCode.success), ("x", .badUserNameOrPassword), ("broken", .serverUnavailable)] {
            let broker = broker()
            let client = begin("a", "ann", password, on: broker, version: version)
            #expect(try client.read().isEmpty)
            #expect(client.isConnected && broker.clientSummaries().isEmpty)
            broker.settle()
            #expect(try client.read().connack?.reasonCode == code)
            #expect(client.isConnected == (code == .success))
            #expect(broker.clientSummaries().map(\.principal) == (code == .success ? ["ann"] : []))
            #expect(checks(broker) == ["answered": 1])
            var statistics = BrokerStatistics()
            broker.admission.count(into: &statistics)
            #expect(statistics.authenticationsFailed == (password == "x" ? 1 : 0))
        }
    }

    @Test(
        "What the client sends before CONNACK is done when it is let in, in order, wherever its session is [MQTT-3.1.4-5] [MQTT5-3.1.4-6]",
        arguments: [0, 1], [ProtocolVersion.v311, .v5])
    func packetsBeforeConnack(shard: Int, version: ProtocolVersion) throws {
        let broker = broker()
        begin(on: broker, version: version, cleanStart: false).lose()
        broker.settle()
        let first = begin(on: broker, version: version, cleanStart: false)
        broker.settle()
        first.lose()
        let client = begin(on: broker, at: shard, version: version, cleanStart: false)
        client.send(.subscribe(Subscribe(packetID: 1, requests: [Subscribe.Request(filter: "t", qos: .atMostOnce)])))
        let packets = [message("t", "1", qos: .atLeastOnce, packetID: 2), message("t", "2"), .pingreq]
        for packet in packets { client.send(packet) }
        broker.settle(checking: false)
        #expect(try client.read().isEmpty)
        broker.settle()
        let answer = try client.read()
        #expect(answer.connack?.reasonCode == .success && answer.connack?.sessionPresent == true)
        #expect(answer.messages == ["t=1", "t=2"])
        #expect(answer.count == 6)
        #expect(try client.exchange(.pingreq) == [.pingresp])
    }

    @Test("What a refused client sent is not looked at [MQTT-3.1.4-5] [MQTT5-3.1.4-6]", arguments: ["x", "broken"])
    func packetsOfRefused(password: String) throws {
        let broker = broker()
        let observer = try broker.client5("observer")
        _ = try observer.subscribe5("#")
        let client = begin("a", "ann", password, on: broker)
        client.send(message5("t", "x", qos: .atLeastOnce, packetID: 1))
        client.send(ByteBuffer(bytes: [0xFF, 0xFF, 0xFF]))
        broker.settle()
        #expect(try client.read().count == 1)
        #expect(!client.isConnected)
        #expect(try observer.read().isEmpty)
    }

    @Test("Of somebody whose password is being checked no more is read than there is always room for; then all is")
    func bytesBeforeConnack() throws {
        let broker = broker(shards: 1)
        let client = begin(on: broker)
        let socket = try #require(client.socket)
        for _ in 0..<511 { client.send(.pingreq) }
        #expect(socket.isRead)
        client.send(.pingreq)
        #expect(!socket.isRead)
        broker.settle()
        #expect(socket.isRead)
        let answer = try client.read()
        #expect(answer.connack?.reasonCode == .success && answer.count == 513)
    }

    @Test("A CONNECT that is being checked counts for what all strangers may have kept here")
    func strangersBytes() throws {
        var limits = BrokerLimits()
        limits.connectBytesInAllMax = 2_500
        let broker = broker(limits, shards: 1)
        let long = String(repeating: "u", count: 1_600)
        let (first, second) = (begin("a", long, long, on: broker), begin("b", long, "x", on: broker))
        #expect(first.isConnected && !second.isConnected)
        #expect(broker.closed == ["limit_exceeded": 1])
        #expect(checks(broker) == ["abandoned": 1])
        broker.settle()
        #expect(try first.read().connack?.reasonCode == .success)
        #expect(begin("c", long, long, on: broker).isConnected)
    }

    @Test(
        "Threat 58: beyond passwordChecksWaitingMax a client is refused as by a busy server, and counted",
        arguments: [ProtocolVersion.v311, .v5])
    func noRoom(version: ProtocolVersion) throws {
        var limits = BrokerLimits()
        limits.passwordChecksWaitingMax = 3
        let broker = broker(limits)
        let waiting = (0..<3).map { begin("w\($0)", "ann", $0 == 0 ? "x" : "ann", on: broker, at: $0 % 2) }
        let refused = begin("r", on: broker, version: version)
        #expect(
            try refused.read() == [.connack(Connack(sessionPresent: false, reasonCode: version == .v5 ? .serverBusy : .serverUnavailable))])
        #expect(!refused.isConnected && waiting.allSatisfy(\.isConnected))
        // Others are served meanwhile.
        let other = SimulatedClient("other", of: broker)
        other.open()
        other.send(.connect(Connect(clientID: "other")))
        other.send(.pingreq)
        broker.settle(checking: false)
        #expect(try other.read().last == .pingresp)
        #expect(broker.refusals == "refused: serverBusy")
        #expect(checks(broker) == ["refused": 1])
        _ = broker.answerCheck(of: 0)
        #expect(begin("r", on: broker).isConnected)
        broker.settle()
        #expect(checks(broker) == ["refused": 1, "answered": 4])
    }

    @Test("A client that leaves, or is cut off, makes room, and its check is not carried out")
    func abandoned() throws {
        var limits = BrokerLimits()
        limits.passwordChecksWaitingMax = 1
        let broker = broker(limits)
        for number in 1...5 {
            let client = begin(on: broker)
            #expect(client.isConnected)
            client.lose()
            #expect(broker.nodes[0].checks.isEmpty)
            #expect(checks(broker) == ["abandoned": UInt64(number)])
        }
        let last = begin(on: broker)
        for node in broker.nodes { node.core.closeAll(now: broker.now) }
        broker.settle()
        #expect(!last.isConnected && broker.nodes[0].checks.isEmpty)
        #expect(checks(broker) == ["abandoned": 6])
    }

    @Test("An answer that comes for a connection that has gone is nobody's, also when another one has its place")
    func lateAnswer() throws {
        let broker = broker(shards: 1)
        let gone = begin(on: broker)
        let (slot, id) = try #require(gone.socket.map { ($0.connection.slot, $0.connection.id) })
        gone.lose()
        let next = begin("b", "bob", "x", on: broker)
        #expect(next.socket?.connection.slot == slot)
        let proof = CheckedCredential.proved(principal: "ann", credential: CredentialFingerprint(Array("ann".utf8)))
        for slot in [slot, slot + 100] {
            broker.nodes[0].core.credentialChecked(proof, slot: slot, connectionID: id, now: broker.now)
        }
        #expect(broker.clientSummaries().isEmpty)
        broker.settle()
        #expect(try next.read().connack?.reasonCode == .badUserNameOrPassword)
        // And twice for one: the second says nothing any more.
        let twice = begin("c", "bob", "bob", on: broker)
        let place = try #require(twice.socket.map { ($0.connection.slot, $0.connection.id) })
        broker.settle()
        broker.nodes[0].core.credentialChecked(.refuted(.notAuthorized, "no"), slot: place.0, connectionID: place.1, now: broker.now)
        broker.settle()
        #expect(try twice.exchange(.pingreq).contains(.pingresp))
    }

    @Test(
        "The time for CONNECT goes on: a check that is not done by then is given up, and the client told to come back",
        arguments: [ProtocolVersion.v311, .v5])
    func deadline(version: ProtocolVersion) throws {
        let broker = broker()
        let client = begin(on: broker, version: version)
        broker.advance(seconds: 4.9)
        #expect(client.isConnected)
        broker.advance(seconds: 0.1)
        broker.settle()
        #expect(try client.read().connack?.reasonCode == (version == .v5 ? .serverBusy : .serverUnavailable))
        #expect(!client.isConnected && broker.nodes[0].checks.isEmpty)
        #expect(checks(broker) == ["abandoned": 1])
        // One that is let in at the last moment is not closed by it.
        let other = begin(on: broker)
        broker.advance(seconds: 4.9)
        broker.settle()
        broker.advance(seconds: 10)
        #expect(other.isConnected)
    }

    @Test("Failures count against their address; once it is blocked, no check of it lets anybody in, also one that had begun")
    func blocked() throws {
        let broker = broker()
        let network = try #require(PeerNetwork("192.0.2.1"))
        let good = begin("good", on: broker, network: network)
        for number in 0..<10 {
            let client = begin("bad\(number)", "ann", "x", on: broker, network: network)
            _ = broker.answerCheck(of: 0, at: 1)
            // It is told after a while, as everybody who fails.
            #expect(try client.read().isEmpty)
        }
        #expect(broker.admission.connected(network, now: broker.now) == "address_blocked")
        broker.settle()
        #expect(try good.read().connack?.reasonCode == .banned)
        let other = begin("good", on: broker, network: PeerNetwork("192.0.2.2"))
        broker.settle()
        #expect(try other.read().connack?.reasonCode == .success)
    }

    @Test("A credential that was taken back while it was checked lets nobody in; later it closes the connection", arguments: [0, 1])
    func takenBack(shard: Int) throws {
        let broker = broker()
        let (early, bob) = (begin("early", on: broker, at: shard), begin("bob", "bob", "bob", on: broker, at: shard))
        broker.settle()
        _ = (try early.read(), try bob.read())
        let late = begin("late", on: broker, at: shard)
        authorizer.remove("ann")
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(try early.read().withoutReasonStrings == disconnected(.notAuthorized))
        #expect(try late.read().connack?.reasonCode == .notAuthorized)
        #expect(!early.isConnected && !late.isConnected && bob.isConnected)
    }

    @Test("The later CONNECT has the session, in whichever order the passwords are checked", arguments: [0, 1], [false, true])
    func takeover(shard: Int, laterFirst: Bool) throws {
        let broker = broker()
        let first = begin(on: broker, cleanStart: false)
        broker.settle()
        #expect(try first.read().connack?.reasonCode == .success)
        // A stranger with the same identifier and a wrong password disturbs nobody.
        let stranger = begin("a", "ann", "x", on: broker, at: shard)
        #expect(try first.exchange(.pingreq) == [.pingresp])
        broker.settle()
        #expect(try stranger.read().connack?.reasonCode == .badUserNameOrPassword)
        #expect(try first.exchange(.pingreq) == [.pingresp])
        let (second, third) = (begin(on: broker, at: shard, cleanStart: false), begin(on: broker, at: shard, cleanStart: false))
        #expect(first.isConnected)
        if laterFirst {
            _ = broker.answerCheck(of: shard, at: 1)
            broker.settle(checking: false)
        }
        broker.settle()
        #expect(!first.isConnected && !second.isConnected)
        #expect(try third.exchange(.pingreq).contains(.pingresp))
        #expect(broker.clientSummaries().map(\.principal) == ["ann"])
    }

    @Test("The later CONNECT stays also where it was answered first, on another event loop, with a session of its own")
    func laterStays() throws {
        for cleanStart in [false, true] {
            let broker = broker()
            let early = begin(on: broker, at: 1, cleanStart: cleanStart)
            let late = begin(on: broker, at: 0, cleanStart: cleanStart)
            _ = broker.answerCheck(of: 0)
            broker.settle(checking: false)
            #expect(try late.read().connack?.reasonCode == .success)
            broker.settle()
            #expect(!early.isConnected)
            #expect(try early.read().isEmpty)
            #expect(try late.exchange(.pingreq) == [.pingresp])
        }
    }

    @Test("The password goes no further than to its check")
    func passwordIsDropped() throws {
        let broker = broker()
        begin(on: broker, cleanStart: false).lose()
        let owner = begin(on: broker, cleanStart: false)
        broker.settle()
        owner.lose()
        _ = begin(on: broker, at: 1, cleanStart: false)
        _ = broker.answerCheck(of: 1)
        broker.endTurn(of: 1)
        let adopted = broker.handOffs(to: 0).compactMap { if case .adopt(_, _, let accepted) = $0 { accepted } else { nil } }
        #expect(adopted.count == 1)
        #expect(adopted.allSatisfy { $0.connect.password == nil && $0.connect.userName == "ann" })
    }
}
