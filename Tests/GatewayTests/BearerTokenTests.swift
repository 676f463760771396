import CremaTesting
import Documents
import EventBus
import Gateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Tokens

/// Tokens that callers of HTTP show: to the listener, and to authorizers of routes.
@Suite struct BearerTokenTests {
    private static let now = EventSource.system.nowMilliseconds() / 1_000

    private static func tokens(taken: Bool = true) throws -> GatewayTokens {
        let verifiers = [try TestToken.verifier(), try TestToken.verifier(issuer: "https://other.example", audiences: [])]
        return GatewayTokens(all: verifiers, taken: taken ? verifiers : [])
    }

    private static func headers(_ values: String...) -> HTTPFields {
        var headers = HTTPFields()
        for value in values { headers.append(HTTPField(name: .authorization, value: value)) }
        return headers
    }

    private static let good = "Bearer " + TestToken.of("ann", until: now + 60)
    private static let body = #"{"detail":{"user":"u7"}}"#

    @Test("A listener that names tokens takes whoever shows one", arguments: [false, true]) func taken(anonymous: Bool) async throws {
        let fixture = try GatewayFixture(anonymous: anonymous, tokens: Self.tokens())
        let response = try await fixture.post("/order", headers: Self.headers(Self.good), body: Self.body)
        #expect(response.status == .ok)
        #expect(fixture.broker.published.count == 1)
        var call = GatewayFixture.headers()
        call[.authorization] = Self.good
        #expect(try await fixture.post("/", headers: call, body: #"{"Entries":[\#(GatewayFixture.entry())]}"#).status == .ok)
    }

    @Test(
        "And nobody else: 401, with a challenge by RFC 6750 that says no more than it must",
        arguments: [
            ([], "Bearer"), (["Basic YTpi"], "Bearer"), (["AWS4-HMAC-SHA256 Credential=x"], "Bearer"),
            (["Bearer"], #"Bearer error="invalid_token", error_description="the token is malformed: it has not three parts""#),
            ([good + "x"], #"Bearer error="invalid_token", error_description="the token's signature is not by the issuer's key""#),
            (
                ["Bearer " + TestToken.of("ann", until: now - 61)],
                #"Bearer error="invalid_token", error_description="the token has expired""#
            ),
            ([good, good], #"Bearer error="invalid_token", error_description="the token is malformed: `Authorization` stands twice""#),
        ])
    func refused(values: [String], challenge: String) async throws {
        let fixture = try GatewayFixture(anonymous: false, tokens: Self.tokens())
        var headers = HTTPFields()
        for value in values { headers.append(HTTPField(name: .authorization, value: value)) }
        for path in ["/order", "/nothing"] {
            let response = try await fixture.post(path, headers: headers, body: Self.body)
            #expect(response.status == .unauthorized)
            #expect(response.text == #"{"message":"Unauthorized"}"#)
            #expect(response.headers[.wwwAuthenticate] == challenge)
        }
        #expect(fixture.broker.published.isEmpty)
    }

    @Test("Where anybody is taken, a wrong token is refused all the same, and none is needed") func anonymous() async throws {
        let fixture = try GatewayFixture(tokens: Self.tokens())
        #expect(try await fixture.post("/order", headers: Self.headers(Self.good + "x"), body: Self.body).status == .unauthorized)
        #expect(try await fixture.post("/order", body: Self.body).status == .ok)
    }

    // MARK: Authorizers

    private static func api(scopes: String = "[]", source: String = "$request.header.Authorization") -> String {
        """
        openapi: 3.0.1
        info: { title: shop, version: "1" }
        x-amazon-apigateway-cors: { allowOrigins: ["https://shop.example"], allowHeaders: [authorization], allowMethods: [POST] }
        components:
          securitySchemes:
            customers:
              type: oauth2
              x-amazon-apigateway-authorizer:
                type: jwt
                identitySource: \(source)
                jwtConfiguration: { issuer: "https://issuer.example", audience: [shop, app] }
        paths:
          /mine:
            post:
              security: [{ customers: \(scopes) }]
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters:
                  Detail: '{"user":"${context.authorizer.claims.sub}"}'
                  DetailType: OrderStarted
                  Source: shop.orders
                  EventBusName: shop
          /open:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters: { Detail: $request.body, DetailType: OrderStarted, Source: shop.orders, EventBusName: shop }
        """
    }

    private static func topics(_ fixture: GatewayFixture) -> [String] { fixture.broker.published.map(\.topic) }

    @Test("A route with an authorizer takes tokens of its issuer, and its claims go into the event", arguments: [false, true])
    func authorizer(anonymous: Bool) async throws {
        let fixture = try GatewayFixture(anonymous: anonymous, tokens: Self.tokens(taken: !anonymous), api: Self.api())
        for value in [Self.good, TestToken.of("ann", until: Self.now + 60)] {
            let response = try await fixture.post("/mine", headers: Self.headers(value), body: "{}")
            #expect(response.status == .ok, "\(response.text)")
        }
        #expect(Self.topics(fixture).allSatisfy { $0.contains("ann") } && Self.topics(fixture).count == 2)
        #expect(try await fixture.post("/open", body: #"{"user":"u"}"#).status == (anonymous ? .ok : .unauthorized))
    }

    @Test(
        "And no others, as API Gateway answers",
        arguments: [
            nil, "Bearer", "Bearer " + TestToken.of("ann", until: now - 61),
            "Bearer " + TestToken.of("ann", until: now + 60).dropLast(4) + "AAAA",
            "Bearer " + TestToken.signed(#"{"iss":"https://other.example","aud":"shop","sub":"ann","exp":\#(now + 60)}"#),
            "Bearer " + TestToken.signed(#"{"iss":"https://issuer.example","aud":"none","sub":"ann","exp":\#(now + 60)}"#),
            "Bearer " + TestToken.signed(#"{"iss":"https://issuer.example","aud":"shop","sub":"ann"}"#),
        ] as [String?])
    func otherTokens(value: String?) async throws {
        let fixture = try GatewayFixture(tokens: Self.tokens(taken: false), api: Self.api())
        let response = try await fixture.post("/mine", headers: value.map { Self.headers($0) } ?? [:], body: "{}")
        #expect(response.status == .unauthorized)
        #expect(response.text == #"{"message":"Unauthorized"}"#)
        #expect(response.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        #expect(fixture.broker.published.isEmpty)
    }

    @Test("A listener that neither takes anybody nor names the entry does not take the route's tokens") func otherListener() async throws {
        let fixture = try GatewayFixture(anonymous: false, tokens: Self.tokens(taken: false), api: Self.api())
        #expect(try await fixture.post("/mine", headers: Self.headers(Self.good), body: "{}").status == .forbidden)
    }

    @Test(
        "One of the route's scopes is enough, and one is needed",
        arguments: [
            (#","scope":"read write""#, HTTPResponse.Status.ok), (#","scp":["write"]"#, .ok), (#","scope":"writer""#, .forbidden),
            (#","scope":["write"]"#, .ok), ("", .forbidden), (#","scope":"read""#, .forbidden),
        ])
    func scopes(more: String, status: HTTPResponse.Status) async throws {
        let fixture = try GatewayFixture(tokens: Self.tokens(), api: Self.api(scopes: "[write, admin]"))
        let value = "Bearer " + TestToken.of("ann", until: Self.now + 60, more: more)
        let response = try await fixture.post("/mine", headers: Self.headers(value), body: "{}")
        #expect(response.status == status)
        if status == .forbidden {
            #expect(response.text == #"{"message":"Forbidden"}"#)
            #expect(response.headers[.wwwAuthenticate] == #"Bearer error="insufficient_scope", scope="write admin""#)
        }
    }

    @Test("The token may stand in another field, or in the query") func identitySources() async throws {
        let token = TestToken.of("ann", until: Self.now + 60)
        let query = try GatewayFixture(tokens: Self.tokens(), api: Self.api(source: "$request.querystring.token"))
        #expect(try await query.post("/mine?token=\(token)", body: "{}").status == .ok)
        #expect(try await query.post("/mine", headers: Self.headers(Self.good), body: "{}").status == .unauthorized)
        let header = try GatewayFixture(tokens: Self.tokens(), api: Self.api(source: "$request.header.X-Token"))
        var fields = HTTPFields()
        fields[.init("X-Token")!] = token
        #expect(try await header.post("/mine", headers: fields, body: "{}").status == .ok)
    }

    @Test("A page's question before its request needs no token") func preflight() async throws {
        let fixture = try GatewayFixture(anonymous: false, tokens: Self.tokens(), api: Self.api())
        var fields = HTTPFields()
        fields[.origin] = "https://shop.example"
        fields[.accessControlRequestMethod] = "POST"
        let response = try await fixture.send(.options, "/mine", headers: fields)
        #expect(response.status == .noContent)
        #expect(try await fixture.send(.options, "/mine").status == .unauthorized)
    }
}
