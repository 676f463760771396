import EventBus
import Gateway
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Rules
import Testing

@Suite struct EventRouteTests {
    @Test func aPostedDetailBecomesAnEvent() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.post("/order", body: #"{"detail":{"user":"u7","drink":"latte","price":1.50}}"#)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "application/json")
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["FailedEntryCount"]?.numberText == "0")
        #expect(answer["Entries"]?[element: 0]?["EventId"]?.stringValue?.utf8.count == 36)
        let payload = #"{"type":"OrderStarted","detail":{"user":"u7","drink":"latte","price":1.50}}"#
        #expect(fixture.broker.published == [.init(topic: "users/u7", payload: payload)])
    }

    @Test func aDetailThatIsAStringOfJSONIsTakenAsItsText() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.post("/order", body: #"{"detail":"{\"user\":\"u7\"}"}"#)
        #expect(response.status == .ok)
        #expect(fixture.broker.published.map(\.topic) == ["users/u7"])
    }

    @Test(
        "Requests that put no event",
        arguments: [
            ("", HTTPResponse.Status.badRequest),
            ("{", .badRequest),
            ("{}", .badRequest),
            (#"{"detail":null}"#, .badRequest),
            (#"{"detail":[]}"#, .badRequest),
            (#"{"detail":7}"#, .badRequest),
            (#"{"detail":"text"}"#, .badRequest),
            (#"{"order":{}}"#, .badRequest),
            ("null", .badRequest),
            (#"{"detail":{}} x"#, .badRequest),
        ])
    func refusedBody(body: String, status: HTTPResponse.Status) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.post("/order", body: body)
        #expect(response.status == status)
        let answer = try JSONDocument(parsing: Array(response.body.readableBytesView)).root
        #expect(answer["message"]?.stringValue?.isEmpty == false)
        #expect(answer["FailedEntryCount"] == nil)
        #expect(fixture.broker.published.isEmpty)
        #expect(fixture.engine.counters.eventsAccepted == 0)
    }

    @Test func aMissingDetailIsNamed() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.post("/order", body: "{}")
        #expect(response.text == #"{"message":"Detail: $request.body.detail has no value in this request"}"#)
    }

    @Test func aBodyThatIsNotUTF8IsRefused() async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.server.application.test(.router) { client in
            try await client.execute(uri: "/raw", method: .post, body: ByteBuffer(bytes: [0x7B, 0xFF, 0x7D]))
        }
        #expect(response.status == .badRequest)
        #expect(response.text.contains("UTF-8"))
    }

    @Test(arguments: [1 << 20, (1 << 20) + 1])
    func aBodyMayHaveHTTPBodyBytesMax(bytes: Int) async throws {
        let fixture = try GatewayFixture()
        let frame = #"{"detail":{"user":"u1"},"x":""}"#.utf8.count
        let body = #"{"detail":{"user":"u1"},"x":"\#(String(repeating: "x", count: bytes - frame))"}"#
        let response = try await fixture.post("/order", body: body)
        #expect(response.status == (bytes > 1 << 20 ? .contentTooLarge : .ok))
        if response.status != .ok { #expect(response.text.contains("httpBodyBytesMax")) }
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/order"), (.put, "/order"), (.post, "/order/"), (.post, "/orders"), (.post, "/"), (.get, "/"),
        (.post, "/users//orders"), (.post, "/users/a/b/orders"), (.options, "/order"),
    ])
    func whatIsNotRoutedIsNotFound(method: HTTPRequest.Method, uri: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.send(method, uri, body: #"{"detail":{"user":"u7"}}"#)
        #expect(response.status == .notFound)
        #expect(response.text == #"{"message":"Not Found"}"#)
    }

    @Test(arguments: ["/users/%/orders", "/users/%4/orders", "/users/%zz/orders", "/users/%ff/orders"])
    func aBrokenEscapeInThePathIsABadRequest(uri: String) async throws {
        let response = try await GatewayFixture().send(.post, uri)
        #expect(response.status == .badRequest)
    }

    @Test func pathQueryAndHeadersAreMapped() async throws {
        let fixture = try GatewayFixture()
        var headers = HTTPFields()
        headers.append(HTTPField(name: .init("X-Shop")!, value: "north"))
        headers.append(HTTPField(name: .init("x-shop")!, value: "east"))
        let response = try await fixture.post("/users/u%209/orders?drink=flat+white%21&kind=Started&kind=Twice", headers: headers)
        #expect(response.status == .ok)
        let payload = #"{"type":"OrderStarted,Twice","detail":{"user":"u 9","drink":"flat white!","shop":"north,east"}}"#
        #expect(fixture.broker.published == [.init(topic: "users/u 9", payload: payload)])
    }

    @Test func aMissingQueryParameterIsNamed() async throws {
        let fixture = try GatewayFixture()
        var headers = HTTPFields()
        headers[.init("X-Shop")!] = "north"
        let response = try await fixture.post("/users/u9/orders?drink=x", headers: headers)
        #expect(response.status == .badRequest)
        #expect(response.text.contains("$request.querystring.kind has no value"))
    }

    @Test(arguments: [
        ("2025-11-23T09:40:00Z", HTTPResponse.Status.ok), ("1763890800", .ok), ("1763890800.25", .ok), ("2025-11-23T09:40:00.5+01:00", .ok),
        ("yesterday", .badRequest), ("2025-13-01T00:00:00Z", .badRequest), ("2025-02-29T00:00:00Z", .badRequest), ("nan", .badRequest),
        ("inf", .badRequest), ("1e300", .badRequest), ("-5", .badRequest),
    ])
    func timesAreRFC3339OrSeconds(time: String, status: HTTPResponse.Status) async throws {
        let fixture = try GatewayFixture()
        var headers = HTTPFields()
        headers[.init("X-Type")!] = "t"
        headers[.init("X-Time")!] = time
        #expect(try await fixture.post("/raw", headers: headers, body: #"{"user":"a"}"#).status == status)
        #expect(fixture.broker.published.isEmpty == (status != .ok))
    }

    @Test func aListenerThatIsNotAnonymousRefusesRoutes() async throws {
        let fixture = try GatewayFixture(anonymous: false)
        let response = try await fixture.post("/order", body: #"{"detail":{"user":"u7"}}"#)
        #expect(response.status == .forbidden)
        #expect(response.text.hasPrefix(#"{"message":""#))
        #expect(fixture.broker.published.isEmpty)
    }
}
