import Documents
import EventBus
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Queues
import Rules
import Testing

@testable import Gateway

/// Routes of REST APIs, from a request to its event or message and back.
@Suite struct RESTRouteTests {
    static let api = #"""
        openapi: "3.0.1"
        info: { title: shop, version: "1" }
        x-amazon-apigateway-request-validators:
          all: { validateRequestBody: true, validateRequestParameters: true }
        components:
          schemas:
            Item:
              type: object
              required: [sku]
              properties: { sku: { type: string, pattern: "^[a-z]+$" }, more: { $ref: "#/components/schemas/Item" } }
            Order:
              type: object
              required: [user, items]
              additionalProperties: false
              properties:
                user: { type: string, minLength: 2, maxLength: 4 }
                size: { type: string, enum: [small, large] }
                count: { type: integer, minimum: 1, maximum: 9 }
                items: { type: array, minItems: 1, items: { $ref: "#/components/schemas/Item" } }
                pair: { type: array, items: [{ type: integer }, { type: string }], additionalItems: false }
                pairs: { type: array, items: [{ type: integer }], additionalItems: { type: string } }
                all: { type: array, items: { type: integer }, additionalItems: false }
                parts:
                  type: array
                  uniqueItems: true
                  items:
                    oneOf:
                      - { type: integer, multipleOf: 2, not: { enum: [4] } }
                      - { type: string, format: date-time }
                      - type: object
                        minProperties: 1
                        maxProperties: 2
                        patternProperties: { "^x-": { type: integer } }
                        additionalProperties: false
                        dependencies: { x-c: [x-a], x-d: { required: [x-e] } }
                        allOf: [{ required: [x-a] }, { anyOf: [{ required: [x-b] }, { properties: { x-a: { maximum: 5 } } }] }]
        paths:
          /orders/{user}:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:events:action/PutEvents
                passthroughBehavior: when_no_templates
                requestParameters:
                  integration.request.header.X-Amz-Target: "'AWSEvents.PutEvents'"
                  integration.request.header.Content-Type: "'application/x-amz-json-1.1'"
                requestTemplates:
                  application/json: |
                    #set($detail = $util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'"))
                    #set($bus = $stageVariables.bus)
                    {"Entries": [{"Source": "$input.params('source')", "DetailType": "Order$input.path('$.kind')",
                      "Detail": "{\"user\":\"$input.params('user')\",\"order\":$detail}", "EventBusName": "$bus"}]}
                responses:
                  default:
                    statusCode: 201
                    responseParameters:
                      method.response.header.Access-Control-Allow-Origin: "'*'"
                      method.response.header.X-Id: context.requestId
                    responseTemplates:
                      application/json: '{"failed": $input.json("$.FailedEntryCount"), "path": "$context.resourcePath"}'
                      text/plain: failed $input.path('$.FailedEntryCount')
                  '4\d\d':
                    statusCode: 422
                    responseTemplates: { application/json: '{"reason": $input.json("$.__type")}' }
            options:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: mock
                requestTemplates: { application/json: '{"statusCode": 200}' }
                responses:
                  default:
                    statusCode: 200
                    responseParameters:
                      method.response.header.Access-Control-Allow-Origin: "'*'"
                      method.response.header.Access-Control-Allow-Methods: "'POST,OPTIONS'"
                    responseTemplates: { application/json: "{}\n" }
          /checked:
            post:
              x-amazon-apigateway-request-validator: all
              parameters: [{ name: shop, in: query, required: true }, { name: X-Key, in: header, required: true }]
              requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: mock
                requestTemplates: { application/json: '{"statusCode": 204}' }
                responses: { "204": { statusCode: 200 } }
          /overridden:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: mock
                requestTemplates: { application/json: '{"statusCode": 200}' }
                responses:
                  default:
                    statusCode: 200
                    responseParameters: { method.response.header.X-Id: "'mapped'" }
                    responseTemplates:
                      application/json: |
                        #if($input.params('status') != '')#set($context.responseOverride.status = $input.params('status'))#end
                        #if($input.params('name') != '')
                        #set($context.responseOverride.header[$input.params('name')] = $input.params('value'))
                        #end
                        #if($input.params('again') != '')#set($context.responseOverride.header.X-ONCE = 'again')#end
                        #if($input.params('twice') != '')#set($context.responseOverride.status = 404)#end
                        done
          /queue:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:path/000000000000/shop-orders
                requestParameters: { integration.request.header.Content-Type: "'application/x-www-form-urlencoded'" }
                requestTemplates: { application/json: "Action=SendMessage&MessageBody=$util.urlEncode($input.body)\n" }
                responses: { default: { statusCode: 200 } }
          /queue-json:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:action/SendMessage
                requestTemplates:
                  application/json: '{"QueueUrl": "shop-orders", "MessageBody": "$util.escapeJavaScript($input.path("$.text"))"}'
                responses: { "200": { statusCode: 200 }, default: { statusCode: 500 } }
          /queue-query:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:action/SendMessage
                requestParameters:
                  integration.request.querystring.QueueUrl: "'shop-orders'"
                  integration.request.querystring.MessageBody: method.request.body.text
                responses: { default: { statusCode: 200 } }
          /queue-path-json:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:path/000000000000/shop-orders
                requestParameters: { integration.request.header.Content-Type: "'application/x-amz-json-1.0'" }
                responses: { "200": { statusCode: 200 }, default: { statusCode: 500 } }
          /queue-text:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:path/000000000000/shop-orders
                requestTemplates: { application/json: "Action=SendMessage&MessageBody=$util.urlEncode($input.path('$'))" }
                responses: { "200": { statusCode: 200 }, default: { statusCode: 500 } }
          /queue-form:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:sqs:path/000000000000/shop-orders
                requestParameters: { integration.request.header.Content-Type: "'application/x-www-form-urlencoded'" }
                requestTemplates: { application/json: "$input.path('$.form')" }
                responses: { "200": { statusCode: 200 }, default: { statusCode: 500 } }
          /slow:
            post:
              responses: { "200": { description: ok } }
              x-amazon-apigateway-integration:
                type: mock
                passthroughBehavior: never
                requestTemplates:
                  application/json: "#foreach($i in $input.path('$'))#foreach($j in [1..1000])x#end#end"
                responses: { default: { statusCode: 200 } }
          /other:
            get:
              responses: { "200": { description: ok } }
              security: [{ auth: [] }]
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:dynamodb:action/Query
                responses: { default: { statusCode: 200 } }
        """#

    private func fixture() throws -> GatewayFixture { try GatewayFixture(api: Self.api, parameters: ["stageVariables.bus": "shop"]) }

    private func received(_ fixture: GatewayFixture) throws -> [String] {
        let request = ReceiveRequest(queue: "shop-orders", messagesMax: 10, visibilityTimeout: 0, waitTimeSeconds: 0)
        guard
            case .messages(let messages) = try fixture.queues.receive(request, now: EventSource.system.nowMilliseconds(), answer: { _ in })
        else { return [] }
        return messages.map(\.body)
    }

    @Test func aTemplateMakesTheEventAndAnotherOneTheAnswer() async throws {
        let fixture = try fixture()
        let response = try await fixture.post("/orders/u7?source=shop.orders", body: #"{"kind":"Placed","note":"it's \"hot\""}"#)
        #expect(response.status == .created)
        #expect(response.text == #"{"failed": 0, "path": "/orders/{user}"}"#)
        #expect(response.headers[.accessControlAllowOrigin] == "*")
        #expect(response.headers[.contentType] == "application/json")
        #expect(response.headers[HTTPField.Name("X-Id")!]?.utf8.count == 36)
        let payload = #"{"type":"OrderPlaced","detail":{"user":"u7","order":{"kind":"Placed","note":"it's \"hot\""}}}"#
        #expect(fixture.broker.published == [.init(topic: "users/u7", payload: payload)])
    }

    @Test func theCallersAcceptChoosesTheTemplateOfTheAnswer() async throws {
        let response = try await fixture().post(
            "/orders/u7?source=shop.orders", headers: [.accept: "text/plain"], body: #"{"kind":"Placed"}"#)
        #expect(response.text == "failed 0")
        #expect(response.headers[.contentType] == "text/plain")
    }

    @Test func anErrorOfTheServiceIsMappedByItsStatus() async throws {
        let fixture = try fixture()
        // The text breaks the template's JSON.
        let response = try await fixture.post("/orders/u7?source=%22", body: #"{"kind":"Placed"}"#)
        #expect(response.status == .unprocessableContent)
        #expect(response.text == #"{"reason": "SerializationException"}"#)
        #expect(fixture.broker.published.isEmpty)
    }

    @Test(
        "What no template can read",
        arguments: [
            ("{", "application/json", 400, "Could not parse request body into json: "),
            ("{}", "text/plain", 415, "Unsupported Media Type"),
            ("{}", "application/json; charset=utf-8", 201, "failed"),
        ])
    func unreadable(body: String, type: String, status: Int, message: String) async throws {
        let response = try await fixture().post("/orders/u7?source=s", headers: [.contentType: type], body: body)
        #expect(response.status.code == status)
        #expect(response.text.contains(message))
    }

    @Test func aMockAnswersPreflights() async throws {
        let fixture = try fixture()
        let response = try await fixture.send(.options, "/orders/u7", headers: [.origin: "https://shop.example"])
        #expect(response.status == .ok)
        #expect(response.text == "{}\n")
        #expect(response.headers[.accessControlAllowMethods] == "POST,OPTIONS")
    }

    @Test func whatIsNoRouteIsAnsweredAsRESTAPIsDo() async throws {
        for (method, path) in [(HTTPRequest.Method.get, "/nowhere"), (.get, "/queue")] {
            let response = try await fixture().send(method, path)
            #expect(response.status == .forbidden)
            #expect(response.text == #"{"message":"Missing Authentication Token"}"#)
        }
    }

    @Test func aServiceThatIsNotThereIsNamed() async throws {
        let response = try await fixture().send(.get, "/other")
        #expect(response.status == .notImplemented)
        #expect(response.text == #"{"message":"The integration dynamodb:action/Query is not supported by Crema"}"#)
    }

    @Test func aTemplateThatTakesTooMuchIsAnInternalError() async throws {
        let body = "[" + Array(repeating: "1", count: 1_000).joined(separator: ",") + "]"
        let response = try await fixture().post("/slow", body: body)
        #expect(response.status == .internalServerError)
        #expect(response.text == #"{"message":"Internal server error"}"#)
    }

    @Test(
        "A request is held to its model and its parameters",
        arguments: [
            (#"{"user":"ann","items":[{"sku":"a"}]}"#, "?shop=1", "k", ""),
            (#"{"user":"ann","items":[{"sku":"a","more":{"sku":"b"}}],"size":"small","count":9}"#, "?shop=1", "k", ""),
            (#"{"user":"ann","items":[{"sku":"a"}]}"#, "", "k", "Missing required request parameters: [shop]"),
            (#"{"user":"ann","items":[{"sku":"a"}]}"#, "", nil, "Missing required request parameters: [shop, X-Key]"),
            (#"{"user":"ann","items":[{"sku":"a"}]}"#, "?shop=", " ", "Missing required request parameters: [shop, X-Key]"),
            ("", "?shop=1", "k", "Invalid request body"),
            ("{", "?shop=1", "k", "Invalid request body"),
            ("[]", "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann"}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"a","items":[{"sku":"a"}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"annie","items":[{"sku":"a"}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":5,"items":[{"sku":"a"}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"A"}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a","more":{}}]}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a"}],"size":"huge"}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a"}],"count":0}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a"}],"count":10}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a"}],"count":1.5}"#, "?shop=1", "k", "Invalid request body"),
            (#"{"user":"ann","items":[{"sku":"a"}],"else":1}"#, "?shop=1", "k", "Invalid request body"),
        ] as [(String, String, String?, String)])
    func validation(body: String, query: String, key: String?, message: String) async throws {
        var headers = HTTPFields()
        if let key { headers[HTTPField.Name("x-key")!] = key }
        let response = try await fixture().post("/checked" + query, headers: headers, body: body)
        #expect(response.status == (message.isEmpty ? .ok : .badRequest))
        #expect(response.text == (message.isEmpty ? "" : #"{"message":"\#(message)"}"#))
    }

    @Test(
        "Words of a schema that combine others hold in a model",
        arguments: [
            ("2", true), ("3", false), ("4", false), (#""2020-01-01T00:00:00Z""#, true), (#""yesterday""#, false), ("2, 2.0", false),
            ("2, 6", true),
            (#"{"x-a":1}"#, true), (#"{"x-a":6}"#, false), (#"{"x-a":6,"x-b":1}"#, true), (#"{"x-b":1}"#, false), (#"{"x-a":"1"}"#, false),
            (#"{"x-a":1,"y":1}"#, false), (#"{"x-a":1,"x-b":1,"x-c":1}"#, false), (#"{"x-a":1,"x-c":1}"#, true),
            (#"{"x-a":1,"x-d":1}"#, false), ("{}", false),
        ])
    func combinedSchemas(parts: String, holds: Bool) async throws {
        let body = #"{"user":"ann","items":[{"sku":"a"}],"parts":[\#(parts)]}"#
        let response = try await fixture().post("/checked?shop=1", headers: [HTTPField.Name("x-key")!: "k"], body: body)
        #expect(response.status == (holds ? .ok : .badRequest))
    }

    @Test(
        "A list of schemas is for the first elements, each for its own",
        arguments: [
            ("\"pair\":[1,\"x\"]", true), ("\"pair\":[1,\"x\",2]", false), ("\"pair\":[\"x\"]", false), ("\"pairs\":[1,\"x\",\"y\"]", true),
            ("\"pairs\":[1,2]", false), ("\"all\":[1,2,3]", true), ("\"all\":[1,\"x\"]", false),
        ])
    func firstElements(member: String, holds: Bool) async throws {
        let body = #"{"user":"ann","items":[{"sku":"a"}],\#(member)}"#
        let response = try await fixture().post("/checked?shop=1", headers: [HTTPField.Name("x-key")!: "k"], body: body)
        #expect(response.status == (holds ? .ok : .badRequest))
    }

    @Test(
        "A template of a response sets its status and headers, once each",
        arguments: [
            ("status=404&name=X-Why&value=a%0Ab", 404, ["X-Why": "a b", "X-Id": "mapped", "Content-Type": "application/json"]),
            ("status=201", 201, ["X-Id": "mapped"]), ("", 200, ["X-Id": "mapped"]), ("name=x-id&value=other", 200, ["X-Id": "other"]),
            ("name=content-type&value=text/x", 200, ["Content-Type": "text/x"]), ("status=99", 500, [:]), ("status=many", 500, [:]),
            ("name=Content-Length&value=0", 500, [:]), ("name=transfer-encoding&value=chunked", 500, [:]), ("name=a+b&value=1", 500, [:]),
            ("name=x-once&value=1&again=1", 500, [:]), ("again=1", 200, ["X-Once": "again"]), ("status=404&twice=1", 500, [:]),
        ] as [(String, Int, [String: String])])
    func overrides(query: String, status: Int, headers: [String: String]) async throws {
        let response = try await fixture().post("/overridden?" + query, body: "{}")
        #expect(response.status.code == status)
        for (name, value) in headers { #expect(response.headers[HTTPField.Name(name)!] == value, "\(name)") }
        if status < 500 { #expect(response.text == "done\n") }
    }

    @Test(
        "A message is sent as a form, in JSON, and by the query",
        arguments: [
            ("/queue", #"{"text":"a & b"}"#, #"{"text":"a & b"}"#), ("/queue-json", #"{"text":"a & b"}"#, "a & b"),
            ("/queue-query", #"{"text":"a & b"}"#, "a & b"), ("/queue-path-json", #"{"MessageBody":"a & b"}"#, "a & b"),
            ("/queue-path-json", #"{"MessageBody":"a","QueueUrl":"http://q/000000000000/shop-orders"}"#, "a"),
            ("/queue-form", #"{"form":"Action=SendMessage&MessageBody=a"}"#, "a"), ("/queue-text", "a=1&b=é", "a=1&b=é"),
        ])
    func messages(path: String, body: String, expected: String) async throws {
        let fixture = try fixture()
        let response = try await fixture.post(path, body: body)
        #expect(response.status == .ok)
        #expect(response.text.contains("MessageId"))
        #expect(response.text.hasPrefix(#"{"SendMessageResponse":"#) == !path.hasSuffix("-json"))
        #expect(try received(fixture) == [expected])
    }

    @Test(
        "Whoever calls a route has no say in the queue that it names",
        arguments: [
            ("/queue-path-json", #"{"MessageBody":"a","QueueUrl":"other"}"#),
            ("/queue-path-json", #"{"MessageBody":"a","QueueUrl":"other","QueueUrl":"shop-orders"}"#),
            ("/queue-path-json", #"{"MessageBody":"a","QueueUrl":null}"#), ("/queue-path-json", "[]"),
            ("/queue-form", #"{"form":"Action=SendMessage&MessageBody=a&QueueUrl=other"}"#),
        ])
    func queuesOfRoutes(path: String, body: String) async throws {
        let fixture = try fixture()
        #expect(try await fixture.post(path, body: body).status == .internalServerError)
        #expect(try received(fixture).isEmpty)
    }

    @Test(arguments: [
        (
            "integration.request.querystring.QueueUrl: \"'shop-orders'\"",
            "integration.request.header.Content-Type: \"'application/x-amz-json-1.0'\"", "a call in JSON has no query"
        ),
        ("{\"statusCode\": 200}'", "{\"statusCode\": 200} #macro(x)#end'", "#macro is not supported"),
        ("$stageVariables.bus", "$stageVariables.buz", "$stageVariables.buz has no value"),
        ("\"^[a-z]+$\"", "\"(?=a)\"", "the pattern `(?=a)`"),
        ("minLength: 2", "format: email", "the format `email` is not supported in the schema of a model"),
        ("enum: [small, large]", "oneOf: []", "oneOf must have a schema in it"),
        ("enum: [small, large]", "discriminator: {}", "`discriminator` is not supported in the schema of a model"),
        ("enum: [small, large]", "not: { multipleOf: 0 }", "multipleOf must be a number above zero"),
        ("enum: [small, large]", "patternProperties: { '(': {} }", "the pattern `(`"),
        ("required: [sku]", "anyOf: [{ $ref: \"#/components/schemas/Item\" }]", "the schema leads to itself without a step into the value"),
        ("#set($bus = ", "#set($context.responseOverride.status = 404)#set($bus = ", "#set of $context is not supported"),
        ("'4\\d\\d':", "'4(':", "the response `4(`"),
    ])
    func isRefusedWithItsPlace(old: String, new: String, expected: String) throws {
        let text = Self.api.replacing(old, with: new)
        #expect(text != Self.api)
        let error = #expect(throws: DocumentError.self) {
            try RouteTable(OpenAPIDocument(file: "api.yaml", text: text, parameters: ["stageVariables.bus": "shop"]).routes)
        }
        #expect(error?.description.hasPrefix("api.yaml:") == true)
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    private static let seed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../shared/data/serverlesspresso/5-order-manager/RestAPIs/api.yaml").standardizedFileURL.path

    @Test(.enabled(if: FileManager.default.fileExists(atPath: seed), "the seed system's documents are not here"))
    func theSeedSystemsPreflightsAreAnswered() async throws {
        let fixture = try GatewayFixture(api: try String(contentsOfFile: Self.seed, encoding: .utf8))
        for (path, methods) in [("/orders", "GET,OPTIONS"), ("/orders/7", "GET,OPTIONS,PUT"), ("/myOrders", "GET,OPTIONS")] {
            let response = try await fixture.send(.options, path)
            #expect(response.status == .ok)
            #expect(response.text == "{}\n")
            #expect(response.headers[.accessControlAllowMethods] == methods)
            #expect(response.headers[.accessControlAllowOrigin] == "*")
        }
        let other = try await fixture.send(.put, "/orders/7")
        #expect(other.status == .notImplemented)
        #expect(other.text.contains("states:action/StartExecution"))
    }
}
