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
        #expect(try connect(broker, as: "n", password: nil, anonymous: anonymous).code == (anonymous ? .success : .notAuthorized))
        #expect(try connect(broker, password: good, anonymous: anonymous).code == .success)
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
}
