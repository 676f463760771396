import Documents
import Queues
import Rules
import Testing

@testable import EventBus

private func apiKey(named name: String) -> String {
    "AuthorizationType: API_KEY, AuthParameters: { ApiKeyAuthParameters: { ApiKeyName: \(name), ApiKeyValue: s3cret } }"
}

/// A connection, an API destination and a rule; each test says what differs.
private func template(
    authorization: String = apiKey(named: "X-Key"),
    destination: String = "InvocationEndpoint: 'https://shop.example/orders/*/items/*?v=1', HttpMethod: PUT",
    target: String = """
    HttpParameters:
      PathParameterValues: [$.detail.order, 'a b']
      HeaderParameters: { X-Drink: $.detail.drink, Content-Type: text/plain }
      QueryStringParameters: { size: $.detail.size }
    """
) -> String {
    let parameters = target.split(separator: "\n").map { "          \($0)" }.joined(separator: "\n")
    return """
        Resources:
          Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
          Login: { Type: AWS::Events::Connection, Properties: { Name: login, \(authorization) } }
          Shop: { Type: AWS::Events::ApiDestination, Properties: { ConnectionArn: !GetAtt Login.Arn, \(destination) } }
          R:
            Type: AWS::Events::Rule
            Properties:
              EventPattern: { source: [shop] }
              Targets:
                - Id: api
                  Arn: !GetAtt Shop.Arn
                  DeadLetterConfig: { Arn: !GetAtt Dead.Arn }
                  RetryPolicy: { MaximumRetryAttempts: 1 }
                  InputPath: $.detail
        \(parameters)
        """
}

@Suite struct APIDestinationTests {
    @Test func aCallHasWhatTheConnectionTheTargetAndTheEventSay() throws {
        let site = try CallSite(template())
        try site.put(#"{"order":"../7/é","drink":"latte","size":2}"#)
        let call = try #require(site.door.take().first)
        #expect(call.invocation.method == "PUT")
        #expect(call.invocation.url == "https://shop.example/orders/..%2F7%2F%C3%A9/items/a%20b?v=1&size=2")
        #expect(call.header["x-key"] == "s3cret")
        #expect(call.header["x-drink"] == "latte")
        #expect(call.header["content-type"] == "text/plain")
        #expect(call.body == #"{"order":"../7/é","drink":"latte","size":2}"#)
        #expect(site.engine.counters.deliveriesPending == 1)
        call.answer(.answered(status: 202))
        #expect(site.engine.counters.deliveries == 1)
        #expect(site.engine.counters.deliveriesPending == 0)
        #expect(site.isConserved)
    }

    /// A new address or secret in the templates is one for rules by API, too.
    @Test func aReloadGivesRulesByAPIWhatTheirDestinationsAreNow() throws {
        func text(_ host: String, _ key: String) -> String {
            template(
                authorization: apiKey(named: key), destination: "InvocationEndpoint: 'https://\(host)/x', HttpMethod: POST", target: "")
        }
        let fixture = try ControlFixture(text("old.example", "X-Old"))
        _ = try fixture.control.putRule(NewRule(name: "made", pattern: #"{"source":["made"]}"#))
        try fixture.putTarget(
            #"{"Id":"api","Arn":"arn:aws:events:us-east-1:000000000000:api-destination/Shop/0"}"#, to: "made")
        try fixture.control.replace(templates: try resources(text("new.example", "X-New")))
        let made = try #require(fixture.events.engine.rules.eventRules.first { $0.rule.name == "made" })
        guard case .call(let destination, let parameters) = made.rule.targets.first?.destination else {
            return #expect(Bool(false), "the target calls an API destination")
        }
        let call = try destination.invocation(Array("{}".utf8), parameters, JSONDocument(parsing: Array("{}".utf8)).root)
        #expect(call.url == "https://new.example/x")
        #expect(call.headers.contains { $0.name == "X-New" })
        // One that is gone is still called by the rule: the reload says so, and changes nothing.
        #expect(throws: (any Error).self) { try fixture.control.replace(templates: try resources("Resources: {}")) }
    }

    @Test(
        "What would never be called is refused at once",
        arguments: [
            ("http://shop.example/x", "shop.example is not called without TLS"),
            ("http://127.0.0.1/x", "127.0.0.1 has the loopback address"),
            ("https://shop.example/x", nil),
        ] as [(String, String?)])
    func plainHTTP(url: String, problem: String?) {
        let text = template(destination: "InvocationEndpoint: '\(url)', HttpMethod: POST", target: "")
        do {
            _ = try resources(text)
            #expect(problem == nil)
        } catch {
            #expect(problem.map { "\(error)".contains($0) } == true, "\(error)")
        }
    }

    @Test func theConnectionsParametersGoBeforeTheTargets() throws {
        let parameters = [
            "HeaderParameters: [{ Key: X-Drink, Value: tea }]", "QueryStringParameters: [{ Key: size, Value: '9', IsValueSecret: true }]",
            "BodyParameters: [{ Key: drink, Value: water }, { Key: shop, Value: nyc }]",
        ].joined(separator: ", ")
        let login = "BasicAuthParameters: { Username: ann, Password: 'p:w' }, InvocationHttpParameters: { \(parameters) }"
        let authorization = "AuthorizationType: BASIC, AuthParameters: { \(login) }"
        let site = try CallSite(template(authorization: authorization))
        try site.put(#"{"order":1,"drink":"latte","size":2}"#)
        let call = try #require(site.door.take().first)
        #expect(call.invocation.target == "/orders/1/items/a%20b?v=1&size=9")
        #expect(call.header["authorization"] == "Basic YW5uOnA6dw==")
        #expect(call.header["x-drink"] == "tea")
        #expect(call.body == #"{"order":1,"size":2,"drink":"water","shop":"nyc"}"#)
    }

    @Test(
        "What an event cannot fill in",
        arguments: [
            #"{"drink":"latte","size":2}"#, #"{"order":"..","drink":"latte","size":2}"#, #"{"order":"","drink":"latte","size":2}"#,
            #"{"order":"1","drink":"a\r\nX-Evil: 1","size":2}"#, #"{"order":{"a":1},"drink":"latte","size":2}"#,
        ])
    func missing(detail: String) throws {
        let site = try CallSite(template())
        try site.put(detail)
        #expect(site.door.take().isEmpty)
        #expect(site.engine.deadLetters(limit: 9).map(\.errorCode) == ["INVALID_INPUT"])
        #expect(try site.take("dead").count == 1)
        #expect(site.isConserved)
    }

    @Test func aCallIsTriedAgainAndEndsAsADeadLetterWithTheServicesAttributes() throws {
        let site = try CallSite(template())
        try site.put(#"{"order":1,"drink":"latte","size":2}"#)
        try #require(site.door.take().first).answer(.answered(status: 503, retryAfter: "30"))
        site.wait(milliseconds: 29_999)
        #expect(site.door.take().isEmpty)
        site.wait(milliseconds: 1)
        try #require(site.door.take().first).answer(.failed(.timedOut(seconds: 5)))
        let letter = try #require(try site.take("dead").first)
        #expect(letter.attributes["ERROR_CODE"] == .text("TIMEOUT"))
        #expect(letter.attributes["RETRY_ATTEMPTS"] == .number(1))
        #expect(letter.attributes["EXHAUSTED_RETRY_CONDITION"] == .text("MaximumRetryAttempts"))
        #expect(
            letter.attributes["TARGET_ARN"]
                == .text("arn:aws:events:us-east-1:000000000000:api-destination/Shop/00000000-0000-0000-0000-000000000000"))
        #expect(site.isConserved)
    }

    @Test func aRefusedCallIsADeadLetterAtOnce() throws {
        let site = try CallSite(template())
        try site.put(#"{"order":1,"drink":"latte","size":2}"#)
        try #require(site.door.take().first).answer(.answered(status: 404))
        #expect(site.engine.deadLetters(limit: 1).first?.errorMessage == "API destination Shop: HTTP status 404")
        #expect(site.engine.counters.deliveriesPending == 0)
    }

    @Test func noSecretIsInALogAnErrorOrADescription() throws {
        let site = try CallSite(template())
        try site.put(#"{"order":1,"drink":"latte","size":2}"#)
        let call = try #require(site.door.take().first)
        call.answer(.failed(.unreachable("refused")))
        site.wait(milliseconds: 2_000)
        for call in site.door.take() { call.answer(.answered(status: 400)) }
        var dumped = ""
        dump(call.invocation, to: &dumped)
        dump(site.engine.rules.eventRules.map(\.rule.targets), to: &dumped)
        let texts = site.log.all + ["\(call.invocation)", dumped, "\(site.engine.deadLetters(limit: 9))"]
        #expect(!texts.contains { $0.contains("s3cret") })
        let error = #expect(throws: DocumentError.self) {
            _ = try CallSite(template(authorization: apiKey(named: "Host")))
        }
        #expect("\(error.map(String.init(describing:)) ?? "s3cret")".contains("s3cret") == false)
    }

    @Test func aDestinationsPaceIsKept() throws {
        let site = try CallSite(
            template(
                destination: "InvocationEndpoint: 'https://shop.example', HttpMethod: POST, InvocationRateLimitPerSecond: 2", target: ""))
        for _ in 0..<3 { try site.put() }
        #expect(site.door.take().count == 1)
        site.wait(milliseconds: 499)
        #expect(site.door.take().isEmpty)
        site.wait(milliseconds: 1)
        #expect(site.door.take().count == 1)
        site.wait(milliseconds: 500)
        #expect(site.door.take().map(\.invocation.url) == ["https://shop.example/"])
    }
}

@Suite struct RefusedCallTests {
    private static let endpoint = "HttpMethod: POST, InvocationEndpoint: "

    @Test(
        "Threat 48: endpoints that are not called",
        arguments: [
            ("'https://127.0.0.1/x'", "the loopback address 127.0.0.1"), ("'https://10.1.2.3'", "private"),
            ("'https://169.254.169.254/latest'", "link-local"), ("'https://[::1]:8080/'", "loopback"),
            ("'https://[fd00::1]/'", "unique local"),
            ("'https://[::ffff:7f00:1]/'", "loopback"), ("'https://0.0.0.0/'", "unspecified"), ("'https://2130706433/'", "no IPv4 address"),
            ("'https://0x7f.1/'", "no IPv4 address"), ("'https://0x7f000001/'", "no IPv4 address"),
            ("'https://0177.0.0.1/'", "no IPv4 address"),
            ("'https://127.1/'", "no IPv4 address"), ("'https://100.64.0.1/'", "shared"), ("'https://[64:ff9b::7f00:1]/'", "translated"),
            ("'http://93.184.216.34/'", "is not called without TLS"), ("'https://a:b@shop.example/'", "must not name a user"),
            ("'https://shop.example/#a'", "fragment"), ("'ftp://shop.example/'", "must begin with https://"),
            ("'https://sh op/'", "printable ASCII"),
            ("'https://shop.example:0/'", "the port"), ("'https://sh*p.example/'", "not the name of a host"),
            ("'https:///x'", "not the name of a host"),
        ])
    func refusedEndpoint(url: String, reason: String) {
        let error = #expect(throws: DocumentError.self) {
            _ = try CallSite.resources(template(destination: Self.endpoint + url, target: ""))
        }
        #expect(error?.problems.first?.message.contains(reason) == true, "\(error.map(String.init(describing:)) ?? "")")
        #expect(error?.location.line == 4)
    }

    @Test(arguments: [("'http://127.0.0.1:9/x'", "127.0.0.0/8"), ("'https://[::1]/'", "::1"), ("'http://10.0.0.1/'", "10.0.0.1/32")])
    func theOperatorMayAllowThem(url: String, allowed: String) throws {
        _ = try CallSite.resources(template(destination: Self.endpoint + url, target: ""), allow: [allowed])
    }

    @Test(
        "What a template may not say of calls",
        arguments: [
            (
                "AuthorizationType: OAUTH_CLIENT_CREDENTIALS, AuthParameters: { OAuthParameters: {} }", nil, nil,
                "OAuthParameters are not supported"
            ),
            ("AuthorizationType: NONE, AuthParameters: {}", nil, nil, "AuthorizationType `NONE` is not supported"),
            ("AuthorizationType: BASIC, AuthParameters: {}", nil, nil, ": AuthParameters lacks `BasicAuthParameters`"),
            (nil, "InvocationEndpoint: 'https://a.example/*', HttpMethod: TRACE", nil, "HttpMethod `TRACE`"),
            (nil, "InvocationEndpoint: 'https://a.example', HttpMethod: GET, InvocationRateLimitPerSecond: 301", nil, "1 to 300"),
            (nil, "InvocationEndpoint: 'https://a.example/*', HttpMethod: GET", "", "has 1 `*`, but PathParameterValues has 0"),
            (nil, nil, "HttpParameters: { PathParameterValues: [a, b], HeaderParameters: { Host: x } }", "the header Host cannot be set"),
            (nil, nil, "HttpParameters: { PathParameterValues: [$.a.., b] }", "path '$.a..'"),
        ] as [(String?, String?, String?, String)])
    func refused(authorization: String?, destination: String?, target: String?, reason: String) {
        var yaml = template()
        if let authorization { yaml = template(authorization: authorization) }
        if let destination { yaml = template(destination: destination, target: target ?? "") }
        if destination == nil, let target { yaml = template(target: target) }
        let error = #expect(throws: DocumentError.self) { _ = try CallSite.resources(yaml) }
        #expect(error?.problems.contains { $0.message.contains(reason) } == true, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test func addressesAreJudgedAsTheyAreResolved() throws {
        let policy = OutboundPolicy()
        let (endpoint, _) = try HTTPEndpoint.parse("https://shop.example/")
        for text in ["127.0.0.1", "::", "::1", "fe80::1", "fdab::1", "192.168.1.1", "172.31.0.1", "224.0.0.1", "2002:7f00:1::"] {
            #expect(policy.refusal(of: try #require(InternetAddress(text)), for: endpoint) != nil, "\(text)")
        }
        for text in ["93.184.216.34", "172.32.0.1", "2606:2800:220:1::1"] {
            #expect(policy.refusal(of: try #require(InternetAddress(text)), for: endpoint) == nil, "\(text)")
        }
        let mapped = try #require(InternetAddress(bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1]))
        #expect(policy.refusal(of: mapped, for: endpoint)?.contains("loopback") == true)
        let named = try OutboundPolicy(allowing: [.init("shop.example", at: SourceLocation(file: "c"))])
        #expect(named.refusal(of: mapped, for: endpoint) == nil)
        #expect(throws: DocumentError.self) { _ = try OutboundPolicy(allowing: [.init("10.0.0.0/33", at: SourceLocation(file: "c"))]) }
    }
}
