import BrokerCore
import BrokerServer
import CremaTesting
import Documents
import MQTTCodec
import NIOCore
import Rights
import Synchronization
import Testing
import Tokens
import Trust

/// Tokens as passwords, with the broker's core behind.
@Suite struct TokenCheckTests {
    private final class Clock: Sendable {
        let seconds = Mutex<Int64>(1_000_000)
        var now: Int64 { seconds.withLock { $0 } }
    }

    private let clock = Clock()

    private func authorizer(_ verifiers: [TokenVerifier], policies: PolicyBook = PolicyBook()) -> SiteAuthorizer {
        SiteAuthorizer(tokens: ["simulated": verifiers], policies: policies, clock: { [clock] in clock.now })
    }

    private func connect(
        _ broker: SimulatedBroker, as name: String = "c", password: String?, userName: String? = "anybody", anonymous: Bool = false,
        principal: String? = nil
    ) throws -> (client: SimulatedClient, code: ReasonCode?) {
        let client = SimulatedClient(name, of: broker)
        client.open(principal: principal, allowsAnonymous: anonymous)
        let answer = try client.exchange(
            .connect(
                Connect(
                    clientID: name, keepAlive: 600, version: .v5, userName: userName, password: password.map { ByteBuffer(string: $0) })))
        guard case .connack(let connack)? = answer.first else { return (client, nil) }
        return (client, connack.reasonCode)
    }

    @Test("The token says who it is, whatever the user name", arguments: ["anybody", "ann", nil]) func names(userName: String?) throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
        #expect(try connect(broker, password: TestToken.of("ann", until: clock.now + 60), userName: userName).code == .success)
        #expect(broker.clientSummaries().map(\.principal) == ["ann"])
    }

    @Test(
        "Whoever shows no token, or one that is refused, is not let in, also not as nobody where anonymous clients are",
        arguments: [false, true])
    func refusals(anonymous: Bool) throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
        let good = TestToken.of("ann", until: clock.now + 60)
        let tokens = [
            "", "secret", good + "x", TestToken.of("ann", until: clock.now - 60), TestToken.signed("{}"),
            TestToken.signed(#"{"sub":"ann"}"#), good.replacing("eyJhbGciOiJIUzI1NiI", with: "eyJhbGciOiJub25lI"),
        ]
        for token in tokens {
            #expect(try connect(broker, as: "t", password: token, anonymous: anonymous).code == .badUserNameOrPassword, "\(token)")
        }
        #expect(
            try connect(broker, as: "n", password: nil, userName: nil, anonymous: anonymous).code == (anonymous ? .success : .notAuthorized)
        )
        #expect(try connect(broker, password: good, anonymous: anonymous).code == .success)
    }

    @Test("Where passwords are taken, too, what has the shape of a token is judged as one, and nothing else is") func passwords() throws {
        let authorizer = SiteAuthorizer(
            passwords: ["simulated": try PasswordFile(text: [])], tokens: ["simulated": [try TestToken.verifier()]],
            clock: { [clock] in clock.now })
        let info = ConnectionInfo(peer: "c:1", listener: "simulated", allowsAnonymous: false)
        func answer(_ password: String?) -> String {
            let connect = Connect(clientID: "c", userName: "ann", password: password.map { ByteBuffer(string: $0) })
            switch authorizer.authenticate(connect, on: info) {
            case .accepted: return "accepted"
            case .proved(let principal, _): return principal
            case .refused(_, let reason): return reason
            case .toBeChecked: return "password"
            }
        }
        let good = TestToken.of("bob", until: clock.now + 60)
        #expect(answer(good) == "bob")
        #expect(answer(String(good.dropLast(4)) + "AAAA") == "the token's signature is not by the issuer's key")
        // As the file of passwords, which has nobody, answers.
        #expect(!answer("secret").contains("token") && !answer(good + " ").contains("token"))
    }

    @Test("Only the entries that the listener names count") func entries() throws {
        let authorizer = SiteAuthorizer(tokens: ["other": [try TestToken.verifier()]], clock: { [clock] in clock.now })
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer)
        #expect(try connect(broker, password: TestToken.of("ann", until: clock.now + 60)).code == .notAuthorized)
    }

    @Test("A certificate names the client, and its password is not looked at") func certificates() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
        #expect(try connect(broker, password: "secret", principal: "grinder-7").code == .success)
        #expect(broker.clientSummaries().map(\.principal) == ["grinder-7"])
    }

    @Test("The connection ends with the token and the difference of clocks") func expiry() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
        let (client, _) = try connect(broker, password: TestToken.of("ann", until: clock.now + 30))
        broker.advance(seconds: 89)
        #expect(client.isConnected)
        broker.advance(seconds: 2)
        #expect(try client.read() == [.disconnect(Disconnect(reasonCode: .maximumConnectTime))])
    }

    @Test("Clients whose token's key is gone after a reload are closed, and nobody else") func reload() throws {
        let authorizer = authorizer([try TestToken.verifier()])
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer)
        let (client, _) = try connect(broker, password: TestToken.of("ann", until: clock.now + 600))
        authorizer.replace(credentials: [:], tokens: ["simulated": [try TestToken.verifier()]], policies: PolicyBook())
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(client.isConnected, "the same keys, read again")
        let other = try TestToken.verifier(secret: TestToken.secret + "!")
        authorizer.replace(credentials: [:], tokens: ["simulated": [other]], policies: PolicyBook())
        for node in broker.nodes { node.core.rightsChanged(now: broker.now) }
        broker.settle()
        #expect(!client.isConnected)
        #expect(try connect(broker, password: TestToken.of("ann", until: clock.now + 600)).code == .badUserNameOrPassword)
    }

    private static func policies() throws -> PolicyBook {
        let template = try TemplateDocument(
            file: "t.yaml",
            text: """
                Resources:
                  P:
                    Type: AWS::IoT::Policy
                    Properties:
                      PolicyName: Group
                      PolicyDocument:
                        Version: "2012-10-17"
                        Statement:
                          - { Effect: Allow, Action: iot:Connect, Resource: "*" }
                          - { Effect: Allow, Action: iot:Subscribe, Resource: "arn:aws:iot:eu:1:topicfilter/${jwt:group}/*" }
                          - { Effect: Allow, Action: iot:Receive, Resource: "*" }
                          - { Effect: Deny, Action: iot:Subscribe, Resource: "arn:aws:iot:eu:1:topicfilter/${jwt:barred}" }
                """ + "\n", parameters: [:])
        let place = SourceLocation(file: "crema.yaml")
        return try PolicyBook(templates: [template], attached: [.init(principal: "*", policies: [.init("Group", at: place)])])
    }

    @Test(
        "Claims stand in policies, and stand for nothing where they could stand for more",
        arguments: [
            (#","group":"kitchen""#, "kitchen/x", true), (#","group":"kitchen""#, "cellar/x", false), (#","group":7"#, "7/x", true),
            (#","group":"*""#, "kitchen/x", false), (#","group":"a/b""#, "a/b/x", false), (#","group":"+""#, "+/x", false),
            (#","group":["kitchen"]"#, "kitchen/x", false), (#","group":null"#, "null/x", false), ("", "/x", false),
            (#","group":"""#, "/x", false),
        ])
    func claims(more: String, filter: String, isAllowed: Bool) throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()], policies: try Self.policies()))
        // Without the claim, what it denies is denied whole: so every token has it.
        let token = TestToken.of("ann", until: clock.now + 60, more: more + #","barred":"secret""#)
        let (client, code) = try connect(broker, password: token)
        #expect(code == .success)
        let answer = try client.exchange(.subscribe(Subscribe(packetID: 1, requests: [.init(filter: filter, qos: .atMostOnce)])))
        #expect(answer == [.suback(Suback(packetID: 1, reasonCodes: [isAllowed ? .success : .notAuthorized]))])
    }

    // MARK: Enhanced authentication

    private func connect5(_ broker: SimulatedBroker, token: String, principal: String? = nil) throws -> (SimulatedClient, ReasonCode?) {
        let client = SimulatedClient("c", of: broker)
        client.open(principal: principal, allowsAnonymous: false)
        var connect = Connect(clientID: "c", keepAlive: 600, version: .v5)
        connect.properties.authenticationMethod = "OAUTH2-JWT"
        connect.properties.authenticationData = ByteBuffer(string: token)
        guard case .connack(let connack)? = try client.exchange(.connect(connect)).first else { return (client, nil) }
        return (client, connack.reasonCode)
    }

    private func renewing(_ token: String?, method: String = "OAUTH2-JWT") -> Packet {
        var auth = Auth(reasonCode: .reauthenticate)
        auth.properties.authenticationMethod = method
        auth.properties.authenticationData = token.map { ByteBuffer(string: $0) }
        return .auth(auth)
    }

    private func reason(_ packets: [Packet]) -> ReasonCode? {
        switch packets.first {
        case .auth(let auth): auth.reasonCode
        case .disconnect(let disconnect): disconnect.reasonCode
        default: nil
        }
    }

    @Test("A client that shows a new token in time stays, with its end and its claims") func renewal() throws {
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()], policies: try Self.policies()))
        func token(_ seconds: Int64, group: String) -> String {
            TestToken.of("ann", until: clock.now + seconds, more: #","group":"\#(group)","barred":"secret""#)
        }
        let (client, code) = try connect5(broker, token: token(30, group: "kitchen"))
        #expect(code == .success && broker.clientSummaries().map(\.principal) == ["ann"])
        let subscribe = Packet.subscribe(Subscribe(packetID: 1, requests: [.init(filter: "kitchen/x", qos: .atMostOnce)]))
        #expect(try client.exchange(subscribe) == [.suback(Suback(packetID: 1, reasonCodes: [.success]))])
        broker.advance(seconds: 60)
        #expect(reason(try client.exchange(renewing(token(600, group: "kitchen")))) == .success)
        broker.advance(seconds: 300)
        #expect(client.isConnected && broker.clientSummaries().first?.subscriptions == 1, "the first token has ended")
        #expect(reason(try client.exchange(renewing(token(600, group: "cellar")))) == .success)
        #expect(broker.clientSummaries().first?.subscriptions == 0, "what the claim granted is gone with it")
        broker.advance(seconds: 700)
        #expect(reason(try client.read()) == .maximumConnectTime)
    }

    @Test("Whom a token names who is somebody else, or nobody, is closed by it") func renewalByOthers() throws {
        let good = TestToken.of("ann", until: clock.now + 60)
        for other in [
            TestToken.of("bob", until: clock.now + 60), "x", TestToken.of("ann", until: clock.now - 120), String(good.dropLast(4)) + "AAAA",
        ] {
            let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
            let (client, code) = try connect5(broker, token: good)
            #expect(code == .success)
            #expect(reason(try client.exchange(renewing(other))) == .notAuthorized && !client.isConnected, "\(other)")
        }
    }

    @Test("A token that is refused as password is refused as authentication data") func refusedData() throws {
        let good = TestToken.of("ann", until: clock.now + 60)
        for token in ["", "x", String(good.dropLast(4)) + "AAAA", TestToken.of("ann", until: clock.now - 120)] {
            let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
            #expect(try connect5(broker, token: token).1 == .notAuthorized, "\(token)")
        }
    }

    @Test("The method is only there where tokens are, and for whom nothing else names") func noMethod() throws {
        let good = TestToken.of("ann", until: clock.now + 60)
        let without = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(clock: { [clock] in clock.now }))
        #expect(try connect5(without, token: good).1 == .badAuthenticationMethod)
        let broker = SimulatedBroker(shards: 1, authorizer: authorizer([try TestToken.verifier()]))
        #expect(try connect5(broker, token: good, principal: "grinder-7").1 == .badAuthenticationMethod)
        // Who came with the token as password has named no method [MQTT5-4.12.0-7].
        let (client, _) = try connect(broker, password: good)
        #expect(reason(try client.exchange(renewing(good))) == .protocolError && !client.isConnected)
    }
}
