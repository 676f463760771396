import Testing

@testable import Documents

/// Documents of REST APIs: what is read of them, and what is refused by name and place.
@Suite struct RESTDocumentTests {
    private static let api = """
        openapi: 3.0.1
        paths:
          /order/{id}:
            post:
              x-amazon-apigateway-integration:
                type: aws
                httpMethod: POST
                uri: arn:aws:apigateway:us-east-1:events:action/PutEvents
                requestParameters: {integration.request.header.X-Amz-Target: "'AWSEvents.PutEvents'"}
                requestTemplates: {application/json: "$input.body"}
                passthroughBehavior: never
                responses:
                  '4\\d\\d': {statusCode: 400}
                  default: {statusCode: "200", responseParameters: {method.response.header.X: "'a'"}}
                  5..: {statusCode: 502}
        """

    private func message(_ text: String) -> String {
        do {
            _ = try OpenAPIDocument(file: "api.yaml", text: text, parameters: [:])
            return "no error"
        } catch {
            return error.description
        }
    }

    @Test func anIntegrationIsRead() throws {
        let route = try #require(try OpenAPIDocument(file: "api.yaml", text: Self.api, parameters: [:]).routes.first)
        guard case .mapped(let integration) = route.integration else { return #expect(Bool(false), "not mapped") }
        #expect(route.isREST)
        #expect(integration.action == .putEvents)
        #expect(integration.passthrough == .never)
        #expect(integration.requestTemplates.map(\.text) == ["$input.body"])
        // The standard answer is the last one, wherever it is written.
        #expect(integration.answers.map(\.status) == [400, 502, 200])
        #expect(integration.answers.last?.headers.map(\.name) == ["X"])
    }

    @Test(
        "Everything that is not served is refused by name",
        arguments: [
            ("type: aws\n", "type: http\n", "api.yaml:6:15: POST /order/{id}: integration type `http`"),
            ("type: aws\n", "type: aws_proxy\n", "api.yaml:6:15: POST /order/{id}: integration type `aws_proxy`"),
            ("httpMethod: POST", "httpMethod: GET", "api.yaml:7:21: POST /order/{id}: services take POST alone"),
            ("events:action/PutEvents", "sqs:path/a/b/c", "write `sqs:path/ACCOUNT/QUEUE`"),
            ("arn:aws:apigateway:us-east-1:events:action/PutEvents", "https://x", "the URI `https://x` does not name an action"),
            ("never", "sometimes", "api.yaml:11:30: POST /order/{id}: no passthroughBehavior `sometimes`"),
            ("AWSEvents.PutEvents", "AWSEvents.PutRule", "must be `'AWSEvents.PutEvents'`"),
            ("header.X-Amz-Target", "header.X-Else", "`integration.request.header.X-Else` is not supported"),
            ("header.X-Amz-Target", "querystring.x", "`integration.request.querystring.x` is not supported"),
            ("\"'AWSEvents.PutEvents'\"", "method.request.path.ib", "the route's path has no `{ib}`; did you mean `id`?"),
            ("\"'AWSEvents.PutEvents'\"", "method.request.cookie.x", "the mapping `method.request.cookie.x` is not supported"),
            ("statusCode: 400", "statusCode: 4", "statusCode is `4`"),
            ("{statusCode: 400}", "{statusCode: 400, contentHandling: CONVERT_TO_TEXT}", "has no key `contentHandling`"),
            ("method.response.header.X", "method.response.body", "`method.response.body` is not supported"),
            ("\"'a'\"", "integration.response.cookie.x", "the mapping `integration.response.cookie.x` is not supported"),
            ("passthroughBehavior: never", "tlsConfig: {}", "has no key `tlsConfig`"),
            ("passthroughBehavior: never", "cacheKeyParameters: [a]", "nothing is cached"),
            ("    post:\n", "    post:\n      security: [{a: []}]\n", "api.yaml:5:7: security is not supported"),
            ("    post:\n", "    post:\n      x-amazon-apigateway-request-validator: v\n", "there is no request validator `v`"),
            ("paths:\n", "x-amazon-apigateway-cors: {}\npaths:\n", "belongs to HTTP APIs"),
            (
                "  /order/{id}:\n", Self.http + "  /order/{id}:\n",
                "POST /http has an integration of HTTP APIs, and the route at api.yaml:9:5 one of REST APIs"
            ),
        ])
    func refused(old: String, new: String, expected: String) {
        let changed = Self.api.replacing(old, with: new)
        #expect(changed != Self.api)
        #expect(message(changed).contains(expected), "\(message(changed))")
    }

    private static let http = """
          /http:
            post:
              x-amazon-apigateway-integration:
                {type: aws_proxy, integrationSubtype: EventBridge-PutEvents,
                 requestParameters: {Detail: $request.body, DetailType: t, Source: s}}

        """
}
