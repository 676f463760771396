import BrokerCore
import BrokerServer
import CremaTesting
import Documents
import MQTTCodec
import Rights
import Testing

/// What the site's policies let clients do, with the broker's core behind them.
@Suite struct SiteRightsTests {
    /// Everybody has the topics below `u/` and their own name.
    private static func policies(denying topic: String? = nil) throws -> PolicyBook {
        let denied = topic.map { "\n          - { Effect: Deny, Action: iot:Receive, Resource: \"arn:aws:iot:eu:1:topic/\($0)\" }" } ?? ""
        let template = try TemplateDocument(
            file: "t.yaml",
            text: """
                Resources:
                  P:
                    Type: AWS::IoT::Policy
                    Properties:
                      PolicyName: Own
                      PolicyDocument:
                        Version: "2012-10-17"
                        Statement:
                          - { Effect: Allow, Action: iot:Connect, Resource: "arn:aws:iot:eu:1:client/*" }
                          - { Effect: Allow, Action: [iot:Publish, iot:Receive], Resource: "arn:aws:iot:eu:1:topic/u/${iot:ClientId}/*" }
                          - { Effect: Allow, Action: iot:Subscribe, Resource: "arn:aws:iot:eu:1:topicfilter/u/${iot:ClientId}/*" }
                """ + denied + "\n", parameters: [:])
        let place = SourceLocation(file: "crema.yaml")
        return try PolicyBook(templates: [template], attached: [.init(principal: nil, policies: [.init("Own", at: place)])])
    }

    private func connect(_ name: String, to broker: SimulatedBroker) throws -> SimulatedClient {
        let client = SimulatedClient(name, of: broker)
        client.open()
        #expect(
            try client.exchange(.connect(Connect(clientID: name, cleanStart: true, keepAlive: 60)))
                == [.connack(Connack(sessionPresent: false, reasonCode: .success))])
        return client
    }

    private func maySubscribe(_ client: SimulatedClient, to filter: String) throws -> Bool {
        try client.exchange(.subscribe(Subscribe(packetID: 1, requests: [.init(filter: filter, qos: .atMostOnce)])))
            == [.suback(Suback(packetID: 1, reasonCodes: [.success]))]
    }

    @Test(
        "Names that Unicode takes for equivalent have each their own rights, whoever comes first",
        arguments: [("KITCHEN", "\u{212A}ITCHEN"), ("caf\u{E9}", "cafe\u{301}")], [false, true])
    func equivalentNames(_ names: (String, String), isReversed: Bool) throws {
        let (first, second) = isReversed ? (names.1, names.0) : names
        let broker = SimulatedBroker(shards: 1, authorizer: SiteAuthorizer(policies: try Self.policies()))
        let one = try connect(first, to: broker)
        #expect(try maySubscribe(one, to: "u/\(first)/#"))
        let other = try connect(second, to: broker)
        #expect(try !maySubscribe(other, to: "u/\(first)/#"))
        #expect(try maySubscribe(other, to: "u/\(second)/#"))
        #expect(try !maySubscribe(one, to: "u/\(second)/#"))
    }

    @Test("What the policies mean for a client is worked out once, however many clients there are, and anew after a reload")
    func keptGrants() throws {
        let authorizer = SiteAuthorizer(policies: try Self.policies())
        let clients = (0..<20_001).map { Publisher(clientID: "c\($0)", principal: nil, notes: AuthorizerNotes()) }
        for _ in 0..<2 {
            #expect(clients.allSatisfy { authorizer.allowsDelivery(of: "u/\($0.clientID ?? "")/x", to: $0) })
        }
        #expect(authorizer.grantsWorkedOut == 20_001)
        authorizer.replace(credentials: [:], policies: try Self.policies(denying: "u/c1/x"))
        #expect(clients.filter { !authorizer.allowsDelivery(of: "u/\($0.clientID ?? "")/x", to: $0) } == [clients[1]])
        #expect(authorizer.grantsWorkedOut == 40_002)
    }
}
