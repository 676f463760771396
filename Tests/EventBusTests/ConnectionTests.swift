import Documents
import Rules
import Testing

@testable import EventBus

/// A control plane over a template with a connection and an API destination, whose calls a test answers.
final class ConnectionSite: Sendable {
    static let template = """
        Resources:
          Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
          Login:
            Type: AWS::Events::Connection
            Properties:
              Name: declared
              AuthorizationType: BASIC
              AuthParameters: { BasicAuthParameters: { Username: ann, Password: t0psecret } }
          Till:
            Type: AWS::Events::ApiDestination
            Properties:
              Name: till
              ConnectionArn: !GetAtt Login.Arn
              HttpMethod: POST
              InvocationEndpoint: 'https://till.example/x'
        """
    static let arn = "arn:aws:events:us-east-1:000000000000:"

    let site: CallSite
    let control: ControlPlane

    init(_ template: String = ConnectionSite.template) throws {
        site = try CallSite(template)
        control = ControlPlane(delivery: site.delivery, templates: try CallSite.resources(template))
    }

    static func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: Array(text.utf8)).root }

    static func key(_ value: String) -> String { #"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"\#(value)"}}"# }

    @discardableResult
    func connect(_ name: String, _ parameters: String = ConnectionSite.key("s3cret"), type: String = "API_KEY") throws -> String {
        try control.createConnection(
            ConnectionRequest(name: name, authorizationType: type, parameters: try Self.json(parameters))
        ).arn
    }

    @discardableResult
    func destination(_ name: String, _ connection: String, _ endpoint: String) throws -> String {
        try control.createDestination(
            APIDestinationRequest(name: name, connectionARN: connection, endpoint: endpoint, method: "POST")
        ).arn
    }

    /// Makes a rule for events of a source that is called as the rule.
    func rule(_ name: String, to arn: String, more: String = "") throws {
        _ = try control.putRule(NewRule(name: name, pattern: #"{"source":["\#(name)"]}"#))
        let target = #"{"Id":"t","Arn":"\#(arn)","InputPath":"$.detail"\#(more)}"#
        try control.putTargets([try Self.json(target)], toRule: name, onBus: "default")
    }

    func put(_ source: String, _ detail: String = "{}") throws { try site.put(detail, source: source) }
    func calls() -> [ScriptedDoor.Call] { site.door.take() }

    /// The calls that come within some turns of an API destination's pace.
    func callsInTurn() -> [ScriptedDoor.Call] {
        (0..<4).flatMap { _ in
            site.wait(milliseconds: 4)
            return site.door.take()
        }
    }

    func letters() -> [String] { site.engine.deadLetters(limit: 9).map(\.errorCode) }
}

private func refused(_ code: ControlError.Code, _ text: String, _ call: () throws -> Void) {
    let error = #expect(throws: ControlError.self, performing: call)
    #expect(error?.code == code)
    #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
}

@Suite struct ConnectionTests {
    @Test func aDestinationByAPIIsCalledWithWhatItsConnectionSays() throws {
        let fixture = try ConnectionSite()
        let arn = try fixture.destination("orders", try fixture.connect("login"), "https://shop.example/orders")
        try fixture.rule("orders", to: arn)
        try fixture.put("orders", #"{"n":1}"#)
        let call = try #require(fixture.calls().first)
        #expect(call.invocation.url == "https://shop.example/orders")
        #expect(call.header["x-key"] == "s3cret")
        #expect(call.body == #"{"n":1}"#)
        // One of a template may be called, too, and may lend its connection.
        let declared = try fixture.control.connection("declared").arn
        try fixture.rule("both", to: try fixture.destination("second", declared, "https://shop.example/second"))
        try fixture.rule("till", to: ConnectionSite.arn + "api-destination/till/any")
        for source in ["both", "till"] { try fixture.put(source) }
        #expect(fixture.calls().map { $0.header["authorization"] } == ["Basic YW5uOnQwcHNlY3JldA==", "Basic YW5uOnQwcHNlY3JldA=="])
    }

    @Test func nothingThatIsSecretIsTold() throws {
        let fixture = try ConnectionSite()
        try fixture.connect(
            "login",
            """
            {"BasicAuthParameters":{"Username":"ann","Password":"p4ss"},"InvocationHttpParameters":{
            "HeaderParameters":[{"Key":"X-Shop","Value":"nyc"},{"Key":"X-Pin","Value":"h1dden","IsValueSecret":true}],
            "BodyParameters":[{"Key":"pin","Value":"h1dden","IsValueSecret":true}]}}
            """, type: "BASIC")
        let connection = try fixture.control.connection("login")
        let told = String(decoding: connection.parameters ?? [], as: UTF8.self)
        #expect(
            try canonicalJSON(told)
                == canonicalJSON(
                    """
                    {"BasicAuthParameters":{"Username":"ann"},"InvocationHttpParameters":{
                    "HeaderParameters":[{"Key":"X-Shop","Value":"nyc","IsValueSecret":false},{"Key":"X-Pin","IsValueSecret":true}],
                    "BodyParameters":[{"Key":"pin","IsValueSecret":true}]}}
                    """))
        let declaration = try #require(fixture.site.engine.rules.connections.last)
        for text in ["\(declaration)", "\(String(reflecting: declaration))", "\(connection)", "\(fixture.site.log.all)"] {
            #expect(!text.contains("p4ss") && !text.contains("h1dden"), "\(text)")
        }
    }

    @Test func whatIsUsedAndGoesIsADeadLetterAtOnce() throws {
        let fixture = try ConnectionSite()
        let connection = try fixture.connect("login")
        try fixture.rule("orders", to: try fixture.destination("orders", connection, "https://shop.example/x"))
        #expect(try fixture.control.deauthorizeConnection("login").state == .deauthorized)
        #expect(try fixture.control.connection("login").parameters == nil)
        #expect(try !fixture.control.destination("orders").isActive)
        try fixture.put("orders")
        #expect(fixture.letters() == ["NO_PERMISSIONS"])
        _ = try fixture.control.updateConnection(ConnectionRequest(name: "login", description: "still without"))
        #expect(try fixture.control.connection("login").state == .deauthorized)
        _ = try fixture.control.updateConnection(
            ConnectionRequest(name: "login", parameters: try ConnectionSite.json(ConnectionSite.key("new"))))
        try fixture.put("orders")
        #expect(fixture.calls().map { $0.header["x-key"] } == ["new"])
        #expect(try fixture.control.deleteConnection("login").state == .deleting)
        try fixture.connect("login")
        try fixture.put("orders")
        #expect(fixture.letters() == ["NO_RESOURCE", "NO_PERMISSIONS"])
        // Another connection of the name is not the one that is gone; a destination may be given it.
        _ = try fixture.control.updateDestination(APIDestinationRequest(name: "orders", description: "no other connection"))
        #expect(try !fixture.control.destination("orders").isActive)
        let other = try fixture.control.connection("login").arn
        _ = try fixture.control.updateDestination(APIDestinationRequest(name: "orders", connectionARN: other))
        #expect(try fixture.control.destination("orders").isActive)
        try fixture.control.deleteDestination("orders")
        try fixture.destination("orders", other, "https://shop.example/other")
        try fixture.put("orders")
        #expect(fixture.letters().first == "NO_RESOURCE")
        #expect(fixture.calls().isEmpty)
        #expect(fixture.site.isConserved)
    }

    @Test func anUpdateChangesWhatItSays() throws {
        let fixture = try ConnectionSite()
        let common = #""InvocationHttpParameters":{"HeaderParameters":[{"Key":"X-Shop","Value":"nyc"}]}"#
        let arn = try fixture.connect("login", #"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"a"},\#(common)}"#)
        try fixture.rule("orders", to: try fixture.destination("orders", arn, "https://shop.example/x"))
        func update(_ parameters: String, type: String? = nil) throws {
            _ = try fixture.control.updateConnection(
                ConnectionRequest(name: "login", authorizationType: type, parameters: try ConnectionSite.json(parameters)))
        }
        try update(#"{"ApiKeyAuthParameters":{"ApiKeyValue":"b"}}"#)
        try fixture.put("orders")
        let before = fixture.callsInTurn()
        try update(#"{"BasicAuthParameters":{"Username":"ann","Password":"p"}}"#, type: "BASIC")
        try fixture.put("orders")
        let calls = before + fixture.callsInTurn()
        #expect(calls.map { $0.header["x-key"] } == ["b", nil])
        #expect(calls.map { $0.header["x-shop"] } == ["nyc", "nyc"])
        #expect(calls.map { $0.header["authorization"] } == [nil, "Basic YW5uOnA="])
        refused(.validation, "AuthParameters lacks `ApiKeyAuthParameters`") {
            try update(#"{"BasicAuthParameters":{"Username":"bob"}}"#, type: "API_KEY")
        }
        refused(.validation, "ApiKeyAuthParameters are not for BASIC") { try update(ConnectionSite.key("a")) }
        #expect(try fixture.control.connection("login").authorizationType == "BASIC")
    }

    @Test func whatATemplateDeclaresIsChangedOnlyThereAndAReloadSaysWhatDoesNotFit() throws {
        let fixture = try ConnectionSite()
        let control = fixture.control
        let request = ConnectionRequest(name: "declared", description: "d")
        refused(.validation, "Connection declared is declared at t.yaml:") { _ = try control.updateConnection(request) }
        refused(.validation, "is declared at") { _ = try control.deleteConnection("declared") }
        refused(.validation, "is declared at") { _ = try control.deauthorizeConnection("declared") }
        refused(.validation, "is declared at") { try control.deleteDestination("till") }
        refused(.resourceAlreadyExists, "Connection declared already exists.") { try fixture.connect("declared") }
        try fixture.destination("mine", try control.connection("declared").arn, "https://shop.example/x")
        try fixture.connect("other")
        for (template, problem) in [
            (
                ConnectionSite.template.replacing("Name: till", with: "Name: mine"),
                "the API destination `mine` exists already, by CreateApi"
            ),
            (
                ConnectionSite.template.replacing("Name: declared", with: "Name: other"),
                "the connection `other` exists already, by CreateCon"
            ),
            (
                ConnectionSite.template.replacing("Name: declared", with: "Name: new"),
                "no template declares the connection `declared` of the API destination `mine` any more"
            ),
        ] {
            let error = #expect(throws: DocumentError.self) { try control.replace(templates: try CallSite.resources(template)) }
            #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
        }
        #expect(try control.destinations(withPrefix: "").map(\.name) == ["mine", "till"])
        try control.replace(templates: try CallSite.resources(ConnectionSite.template.replacing("t0psecret", with: "new")))
        try fixture.rule("mine", to: try control.destination("mine").arn)
        try fixture.put("mine")
        #expect(fixture.calls().map { $0.header["authorization"] } == ["Basic YW5uOm5ldw=="])
    }

    @Test(
        "What cannot be called, or sent, is refused with a reason and without its secret",
        arguments: [
            (#"{"ApiKeyAuthParameters":{"ApiKeyName":"X Key","ApiKeyValue":"s3cret"}}"#, "`X Key` is not the name of a header"),
            (#"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"s3cret\n"}}"#, "is none that a header can have"),
            (#"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key"}}"#, "lacks `ApiKeyValue`"),
            (#"{"OAuthParameters":{"ClientParameters":{"ClientSecret":"s3cret"}}}"#, "OAuthParameters are not supported"),
            (#"{"ConnectivityParameters":{},"ApiKeyAuthParameters":{}}"#, "the property ConnectivityParameters is not supported"),
        ])
    func parameters(json: String, text: String) throws {
        let fixture = try ConnectionSite()
        let error = #expect(throws: ControlError.self) { try fixture.connect("login", json) }
        #expect(error?.message.contains(text) == true && error?.message.contains("s3cret") == false, "\(error?.message ?? "")")
        let connection = try fixture.connect("login")
        for (endpoint, text) in [
            ("http://shop.example/x", "shop.example is not called without TLS"), ("https://127.0.0.1/x", "has the loopback address"),
            ("ftp://shop.example", "the URL must begin with https://"),
        ] {
            refused(.validation, text) { try fixture.destination("x", connection, endpoint) }
        }
        #expect(try fixture.control.destinations(withPrefix: "").count == 1)
    }

    @Test func aSecretIsAsLongAsTheServiceKeepsIt() throws {
        let fixture = try ConnectionSite()
        let long = String(repeating: "x", count: 700)
        let fields = (0..<100).map { #"{"Key":"k\#($0)","Value":"\#(long)"}"# }.joined(separator: ",")
        let body = #","InvocationHttpParameters":{"BodyParameters":[\#(fields)]}"#
        refused(.validation, "longer than 65536 bytes") {
            try fixture.connect("login", #"{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"a"}\#(body)}"#)
        }
        refused(.validation, "must have 1 to 512 characters") { try fixture.connect("login", ConnectionSite.key(long)) }
    }
}

@Suite struct BusPolicyTests {
    @Test func aPolicyIsKeptAsLongAsItsBus() throws {
        let fixture = try ControlFixture()
        let permission = BusPermission(id: "a", action: "events:PutEvents", principal: "111122223333")
        try fixture.control.putPermission(permission, onBus: "shop")
        try fixture.control.putPermission(BusPermission(id: "b", action: "events:PutEvents", principal: "*"), onBus: "shop")
        // Said again, it is said once.
        try fixture.control.putPermission(permission, onBus: "shop")
        let policy = String(decoding: try fixture.control.bus("shop").policy ?? [], as: UTF8.self)
        #expect(
            policy == """
                {"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},\
                "Action":"events:PutEvents","Resource":"arn:aws:events:us-east-1:000000000000:event-bus/shop"},\
                {"Sid":"b","Effect":"Allow","Principal":"*","Action":"events:PutEvents",\
                "Resource":"arn:aws:events:us-east-1:000000000000:event-bus/shop"}]}
                """)
        #expect(fixture.events.log.all.contains { $0.hasPrefix("bus policy kept, not enforced") })
        try fixture.control.replace(templates: try resources(ControlFixture.template))
        #expect(try fixture.control.bus("shop").policy != nil)
        try fixture.control.removePermission("a", fromBus: "shop")
        try fixture.control.removePermission("b", fromBus: "shop")
        #expect(try fixture.control.bus("shop").policy == nil)
    }

    @Test(
        "What would have to be enforced is refused, and what is no policy",
        arguments: [
            (
                #"{"Statement":[{"Sid":"s","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#,
                "Effect Deny of statement s is not"
            ),
            (#"{"Statement":[{"Effect":"Perhaps","Principal":"*","Action":"*","Resource":"*"}]}"#, "must be Allow or Deny"),
            (#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#, "a statement lacks Principal"),
            (#"{"Statement":[]}"#, "Statement is empty"), ("[]", "it is not a JSON object"), ("{", "it is not a JSON object"),
            (#"{"Statements":[]}"#, "`Statements` is no member of a policy"), ("{}", "it lacks Statement"),
        ])
    func refusedPolicy(text: String, reason: String) throws {
        let fixture = try ControlFixture()
        refused(.validation, reason) { try fixture.control.putPolicy(text, onBus: "default") }
        #expect(try fixture.control.bus("default").policy == nil)
    }
}
