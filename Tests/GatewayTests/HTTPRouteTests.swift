import EventBus
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Queues
import Testing

@testable import Gateway

/// What routes of HTTP APIs have besides events: messages, stage variables, variables of the context, pages of other origins.
@Suite struct HTTPRouteTests {
    private static let api = #"""
        openapi: "3.0.1"
        info: { title: shop, version: "1" }
        x-amazon-apigateway-cors:
          allowOrigins: [https://shop.example, "http://*"]
          allowMethods: [post]
          allowHeaders: [content-type]
          exposeHeaders: [x-id]
          maxAge: 60
        paths:
          /message:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: SQS-SendMessage
                type: aws_proxy
                payloadFormatVersion: "1.0"
                requestParameters:
                  QueueUrl: shop-orders
                  MessageBody: $request.body.order
                  DelaySeconds: $request.querystring.delay
                  MessageAttributes: $request.body.attributes
          /optional:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                requestParameters:
                  Detail: $request.body.detail
                  DetailType: OrderStarted
                  Source: shop.orders
                  EventBusName: $request.header.bus
                  Time: $request.body.time
                  Resources: $request.body.orders[*].arn
                  TraceHeader: $request.header.x-amzn-trace-id
          /partly:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                requestParameters: { Detail: $request.body, DetailType: d, Source: s, EventBusName: 'sh${request.header.rest}' }
          /event:
            post:
              responses: { default: { description: answer } }
              x-amazon-apigateway-integration:
                integrationSubtype: EventBridge-PutEvents
                type: aws_proxy
                requestParameters:
                  Detail: '{"user":"u","tags":"${request.header.X-Tag}","stage":"${context.stage}/${context.accountId}"}'
                  DetailType: $request.body.a.b[0]
                  Source: ${stageVariables.source}.${stageVariables.part}
                  EventBusName: $stageVariables.bus
        """#

    private func fixture() throws -> GatewayFixture {
        let parameters = ["stageVariables.bus": "shop", "stageVariables.source": "shop", "stageVariables.part": "orders"]
        return try GatewayFixture(api: Self.api, parameters: parameters)
    }

    @Test func aPartOfTheBodyBecomesAMessage() async throws {
        let fixture = try fixture()
        let body = #"{"order":{"id":1},"attributes":{"kind":{"DataType":"String","StringValue":"x"}}}"#
        let response = try await fixture.post("/message?delay=0", body: body)
        #expect(response.status == .ok)
        #expect(response.text.contains("MD5OfMessageAttributes"))
        let request = ReceiveRequest(queue: "shop-orders", messagesMax: 10, visibilityTimeout: 0, waitTimeSeconds: 0)
        guard
            case .messages(let messages) = try fixture.queues.receive(request, now: EventSource.system.nowMilliseconds(), answer: { _ in })
        else {
            return #expect(Bool(false), "no message")
        }
        #expect(messages.map(\.body) == [#"{"id":1}"#])
    }

    @Test(arguments: [
        (#"{"attributes":{}}"#, "?delay=0", "MessageBody: $request.body.order has no value in this request"),
        (#"{"order":1,"attributes":[]}"#, "?delay=0", "MessageAttributes is not a JSON object"),
        (#"{"order":1,"attributes":{}}"#, "?delay=soon", "DelaySeconds"),
    ])
    func isNotSent(body: String, query: String, message: String) async throws {
        let response = try await fixture().post("/message" + query, body: body)
        #expect(response.status == .badRequest)
        #expect(response.text.contains(message))
    }

    @Test("What an event can do without is left out where the request does not have it")
    func optionalParts() async throws {
        let fixture = try fixture()
        let detail = #""detail":{"user":"u"}"#
        // To the default bus, where no rule is.
        #expect(try await fixture.post("/optional", body: "{\(detail)}").status == .ok)
        #expect(fixture.engine.counters.eventsAccepted == 1 && fixture.broker.published.isEmpty)
        let bus: HTTPFields = [HTTPField.Name("bus")!: "shop"]
        #expect(try await fixture.post("/optional", headers: bus, body: #"{\#(detail),"orders":[{"arn":"a"},{}],"time":0}"#).status == .ok)
        #expect(fixture.broker.published.map(\.topic) == ["users/u"])
        let missing = try await fixture.post("/optional", headers: bus, body: "{}")
        #expect(missing.text == #"{"message":"Detail: $request.body.detail has no value in this request"}"#)
        let wrong = try await fixture.post("/optional", headers: bus, body: "{\(detail),\"time\":\"now\"}")
        #expect(wrong.status == .badRequest)
    }

    @Test func ofATextOfSeveralPartsNoneMayBeMissing() async throws {
        let response = try await fixture().post("/partly", body: #"{"user":"u"}"#)
        #expect(response.text == #"{"message":"EventBusName: $request.header.rest has no value in this request"}"#)
    }

    @Test(arguments: [0, 1, 500, 501])
    func aTraceHeaderHasTheServicesLength(characters: Int) async throws {
        let headers: HTTPFields = [HTTPField.Name("x-amzn-trace-id")!: String(repeating: "a", count: characters)]
        let response = try await fixture().post("/optional", headers: headers, body: #"{"detail":{}}"#)
        #expect(response.status == ((1...500).contains(characters) ? .ok : .badRequest))
    }

    @Test func aMessageDoesWithoutWhatItNeedsNot() async throws {
        #expect(try await fixture().post("/message", body: #"{"order":1}"#).status == .ok)
    }

    @Test func stageVariablesAndTheContextAreValues() async throws {
        let fixture = try fixture()
        var headers = HTTPFields()
        headers.append(HTTPField(name: HTTPField.Name("X-Tag")!, value: "a"))
        headers.append(HTTPField(name: HTTPField.Name("x-tag")!, value: "b"))
        let response = try await fixture.post("/event", headers: headers, body: #"{"a":{"b":["Made"]}}"#)
        #expect(response.status == .ok)
        let detail = #"{"user":"u","tags":"a,b","stage":"$default/000000000000"}"#
        #expect(fixture.broker.published == [.init(topic: "users/u", payload: #"{"type":"Made","detail":\#(detail)}"#)])
    }

    @Test(
        arguments: [
            ("https://shop.example", "https://shop.example"), ("http://localhost:3000", "http://localhost:3000"),
            ("https://else.example", nil),
        ] as [(String, String?)])
    func aBrowserMayAskBeforehand(origin: String, allowed: String?) async throws {
        let fixture = try fixture()
        let response = try await fixture.send(
            .options, "/message", headers: [.origin: origin, .accessControlRequestMethod: "POST"])
        #expect(response.status == .noContent)
        #expect(response.headers[.accessControlAllowOrigin] == allowed)
        #expect(response.headers[.accessControlAllowMethods] == allowed.map { _ in "POST" })
        #expect(response.headers[.accessControlMaxAge] == allowed.map { _ in "60" })
        let answer = try await fixture.post("/message", headers: [.origin: origin], body: "{")
        #expect(answer.status == .badRequest)
        #expect(answer.headers[.accessControlAllowOrigin] == allowed)
        #expect(answer.headers[.accessControlExposeHeaders] == allowed.map { _ in "x-id" })
        #expect(try await fixture.send(.options, "/message", headers: [.origin: origin]).status == .notFound)
        #expect(
            try await fixture.send(.options, "/no", headers: [.origin: origin, .accessControlRequestMethod: "POST"]).status == .notFound)
    }

    @Test(
        arguments: [
            (0, "01/Jan/1970:00:00:00 +0000"), (951_782_400_000, "29/Feb/2000:00:00:00 +0000"),
            (1_700_000_000_000, "14/Nov/2023:22:13:20 +0000"),
        ] as [(Int64, String)])
    func timesAreWrittenAsInLogs(milliseconds: Int64, expected: String) {
        #expect(Timestamp.logged(milliseconds) == expected)
    }
}
