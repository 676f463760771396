import EventBus
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

/// AWS IoT's API for topic rules, in the shapes of the service's model.
@Suite struct TopicRuleCallTests {
    private static let rule =
        #"{"sql":"SELECT * FROM 'shop/+'","awsIotSqlVersion":"2016-03-23","description":"d","actions":[{"republish":{"roleArn":"r","#
        + #""topic":"out"}}],"ruleDisabled":false}"#

    fileprivate static func signed(_ service: String = "iot") -> HTTPFields {
        var headers = HTTPFields()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/\(service)/aws4_request, Signature=0"
        return headers
    }

    @Test func aTopicRuleIsMadeReadListedAndDeleted() async throws {
        let fixture = try GatewayFixture()
        var headers = Self.signed()
        headers[.init("x-amz-tagging")!] = "team=bar&floor=1%202"
        let made = try await fixture.post("/rules/made", headers: headers, body: Self.rule)
        #expect(made.status == .ok)
        #expect(made.text.isEmpty)
        #expect(fixture.control.delivery.topicFilters == ["shop/+"])
        let read = try await fixture.rule("made")
        #expect(read["ruleArn"]?.stringValue == "arn:aws:iot:us-east-1:000000000000:rule/made")
        let rule = try #require(read["rule"])
        #expect(
            rule.members.map(\.name)
                == ["ruleName", "sql", "description", "createdAt", "actions", "ruleDisabled", "awsIotSqlVersion"])
        #expect(rule["createdAt"]?.numberText.flatMap(Double.init) ?? 0 > 1.7e9)
        #expect(rule["actions"].map { String(decoding: $0.rawJSON, as: UTF8.self) } == #"[{"republish":{"roleArn":"r","topic":"out"}}]"#)
        let tags = try await fixture.send(
            .get, "/tags?resourceArn=arn%3Aaws%3Aiot%3Aus-east-1%3A000000000000%3Arule%2Fmade", headers: Self.signed())
        #expect(tags.text == #"{"tags":[{"Key":"floor","Value":"1 2"},{"Key":"team","Value":"bar"}]}"#)
        #expect(try await fixture.post("/rules/made/disable", headers: Self.signed()).status == .ok)
        #expect(fixture.control.delivery.topicFilters == [])
        let disabled = try await fixture.send(.get, "/rules?ruleDisabled=true&topic=shop/1&maxResults=1", headers: Self.signed())
        #expect(disabled.text.contains(#""ruleName":"made","topicPattern":"shop/+","createdAt":"#))
        #expect(try await fixture.send(.get, "/rules?topic=other", headers: Self.signed()).text == #"{"rules":[]}"#)
        let other = Self.rule.replacing("shop/+", with: "other")
        #expect(try await fixture.send(.patch, "/rules/made", headers: Self.signed(), body: other).status == .ok)
        #expect(fixture.control.delivery.topicFilters == ["other"])
        #expect(try await fixture.send(.delete, "/rules/made", headers: Self.signed()).status == .ok)
        #expect(try await fixture.send(.get, "/rules/made", headers: Self.signed()).status == .unauthorized)
        #expect(fixture.counters.counts.contains { $0.handler == .topicRules && $0.status == 401 })
    }

    @Test func listsHavePages() async throws {
        let fixture = try GatewayFixture()
        for name in ["a", "b", "c"] { _ = try await fixture.post("/rules/\(name)", headers: Self.signed(), body: Self.rule) }
        let first = try await fixture.list("/rules?maxResults=2")
        let second = try await fixture.list("/rules?maxResults=2&nextToken=\(first["nextToken"]?.stringValue ?? "")")
        #expect([first, second].flatMap { $0["rules"]?.elements.map { $0["ruleName"]?.stringValue } ?? [] } == ["a", "b", "c"])
        #expect(second["nextToken"] == nil)
        let other = "/rules?ruleDisabled=false&nextToken=\(first["nextToken"]?.stringValue ?? "")"
        for uri in [other, "/rules?nextToken=b"] {
            let refused = try await fixture.send(.get, uri, headers: Self.signed())
            #expect(refused.text == #"{"__type":"InvalidRequestException","message":"Invalid nextToken"}"#)
        }
    }

    @Test(
        "Refusals have the codes and statuses of the service",
        arguments: [
            (.post, "/rules/a-b", rule, 400, "InvalidRequestException"), (.post, "/rules/r", "{", 400, "InvalidRequestException"),
            (.post, "/rules/r", #"{"sql":"SELECT","actions":[]}"#, 400, "SqlParseException"),
            (.post, "/rules/r", #"{"sql":"SELECT * FROM 'a'","actions":[{"s3":{}}]}"#, 400, "InvalidRequestException"),
            (.patch, "/rules/r", rule, 401, "UnauthorizedException"), (.delete, "/rules/r", nil, 401, "UnauthorizedException"),
            (.post, "/rules/r/enable", nil, 401, "UnauthorizedException"),
            (.get, "/rules?maxResults=0", nil, 400, "InvalidRequestException"),
            (.get, "/jobs", nil, 400, "UnknownOperationException"), (.put, "/rules/r", rule, 400, "UnknownOperationException"),
            (.get, "/tags?resourceArn=arn:aws:iot:us-east-1:000000000000:rule/r", nil, 404, "ResourceNotFoundException"),
            (.get, "/tags?resourceArn=r", nil, 400, "InvalidRequestException"),
            (.post, "/tags", #"{"resourceArn":"r","tags":[]}"#, 400, "InvalidRequestException"),
            (
                .post, "/rules/r", #"{"sql":"SELECT * FROM 'a'","actions":[{"republish":{"topic":"b"}}]}"#, 400,
                "InvalidRequestException"
            ),
        ] as [(HTTPRequest.Method, String, String?, Int, String)])
    func refused(method: HTTPRequest.Method, path: String, body: String?, status: Int, code: String) async throws {
        let response = try await GatewayFixture().send(method, path, headers: Self.signed(), body: body)
        #expect(response.status.code == status)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == code)
        #expect(response.text.contains(#""message":""#))
    }

    @Test func aRuleIsMadeOnce() async throws {
        let fixture = try GatewayFixture()
        #expect(try await fixture.post("/rules/made", headers: Self.signed(), body: Self.rule).status == .ok)
        let again = try await fixture.post("/rules/made", headers: Self.signed(), body: Self.rule)
        #expect(again.status == .conflict)
        #expect(again.headers[.init("x-amzn-ErrorType")!] == "ResourceAlreadyExistsException")
    }

    @Test("A request is AWS IoT's when its signature names AWS IoT, and a route's otherwise")
    func routesGoFirst() async throws {
        let api = GatewayFixture.api.replacing("  /raw:", with: "  /rules/{name}:")
        let fixture = try GatewayFixture(api: api)
        var headers = Self.signed("execute-api")
        headers[.init("X-Type")!] = "t"
        headers[.init("X-Time")!] = "2026-01-02T03:04:05Z"
        let event = try await fixture.post("/rules/made", headers: headers, body: #"{"user":"u"}"#)
        #expect(event.text.contains("EventId"))
        #expect(try await fixture.post("/rules/made", headers: Self.signed(), body: Self.rule).text.isEmpty)
        #expect(try await fixture.send(.get, "/rules/made").status == .notFound)
        var page = Self.signed()
        page[.init("Origin")!] = "https://page.example"
        #expect(try await fixture.send(.delete, "/rules/made", headers: page).status == .notFound)
        #expect(try await fixture.send(.delete, "/rules/made", headers: Self.signed("execute-api")).status == .notFound)
    }

    @Test func aListenerThatIsNotAnonymousRefuses() async throws {
        let fixture = try GatewayFixture(anonymous: false)
        #expect(try await fixture.send(.get, "/rules", headers: Self.signed()).status == .forbidden)
        #expect(try await fixture.send(.get, "/rules").status == .forbidden)
    }
}

extension GatewayFixture {
    fileprivate func rule(_ name: String) async throws -> JSONView { try await list("/rules/\(name)") }

    fileprivate func list(_ path: String) async throws -> JSONView {
        let response = try await send(.get, path, headers: TopicRuleCallTests.signed())
        #expect(response.status == .ok, "\(response.text)")
        return try JSONDocument(parsing: Array(response.body.readableBytesView)).root
    }
}
