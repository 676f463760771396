import Foundation
import Testing

@testable import Documents

@Suite struct OpenAPIDocumentTests {
    /// The seed system's own documents; they are read where they are, and not part of this repository.
    static let seed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../shared/data/serverlesspresso").standardizedFileURL.path
    static let hasSeed = FileManager.default.fileExists(atPath: seed)

    private func document(_ text: String, _ parameters: [String: String] = [:]) throws(DocumentError) -> OpenAPIDocument {
        try OpenAPIDocument(file: "api.yaml", text: text, parameters: parameters)
    }

    private func message(_ text: String) -> String {
        do {
            _ = try document(text)
            return "no error"
        } catch {
            return error.description
        }
    }

    private func api(path: String = "/order", extra: String = "", parameters: String = "") -> String {
        """
        openapi: 3.0.1
        paths:
          \(path):
            post:
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: EventBridge-PutEvents
                requestParameters: {Detail: $request.body, DetailType: t, Source: s\(parameters)}
        \(extra)
        """
    }

    private func value(_ text: String, path: String = "/a/{id}") throws -> [ParameterValue.Part] {
        let text = api(path: path, parameters: ", EventBusName: '\(text)'")
        let route = try #require(try document(text, ["stageVariables.bus": "shop"]).routes.first)
        return try #require(route.requestParameters[.eventBusName]).parts
    }

    @Test(.enabled(if: hasSeed, "the seed system's documents are not here"))
    func theSeedSystemsOrderAPIIsServedAsItIs() throws {
        let file = "\(Self.seed)/4-order-processing/api.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let route = try #require(
            try OpenAPIDocument(file: file, text: text, parameters: ["CoreEventBusName": "Serverlesspresso"]).routes.first
        )
        #expect(route.method == "POST")
        #expect(route.segments == [.literal("order")])
        #expect(
            route.requestParameters.mapValues(\.parts) == [
                .detail: [.body([.member("detail")])],
                .detailType: [.constant("OrderProcessor.OrderStarted")],
                .source: [.constant("awsserverlessda.serverlesspresso")],
                .eventBusName: [.constant("Serverlesspresso")],
            ])
        #expect(throws: DocumentError.self) { try OpenAPIDocument(file: file, text: text, parameters: [:]) }
    }

    @Test(.enabled(if: hasSeed, "the seed system's documents are not here"))
    func theSeedSystemsRESTAPILoadsAndItsOtherServicesAreNamed() throws {
        let file = "\(Self.seed)/5-order-manager/RestAPIs/api.yaml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let document = try OpenAPIDocument(file: file, text: text, parameters: [:])
        let found = document.routes.map { route in
            switch route.integration {
            case .unserved(let service): "\(route.method ?? "ANY") \(route.path) \(service)"
            case .mapped(let integration): "\(route.method ?? "ANY") \(route.path) \(integration.action)"
            case .event, .message: "of an HTTP API"
            }
        }
        #expect(
            found == [
                "GET /orders dynamodb:action/Query", "OPTIONS /orders mock", "GET /orders/{id} dynamodb:action/GetItem",
                "PUT /orders/{id} states:action/StartExecution", "OPTIONS /orders/{id} mock", "GET /myOrders dynamodb:action/Query",
                "OPTIONS /myOrders mock",
            ])
    }

    @Test(
        "Selections are parsed when they are read",
        arguments: [
            ("$request.body", [.body([])]),
            ("$request.body.a.b[0]", [.body([.member("a"), .member("b"), .element(0)])]),
            ("$request.body[\"x y\"]", [.body([.member("x y")])]),
            ("$request.body.a[*].b.*", [.body([.member("a"), .all, .member("b"), .all])]),
            (
                "$request.body[-1][1:][:-2][0:3]",
                [
                    .body([
                        .element(-1), .slice(lower: 1, upper: nil), .slice(lower: nil, upper: -2), .slice(lower: 0, upper: 3),
                    ])
                ]
            ),
            ("$request.header.X-Shop", [.header("x-shop")]),
            ("$request.querystring.q", [.queryString("q")]),
            ("$request.path.id", [.pathParameter("id")]),
            ("$context.requestId", [.context(.requestID)]),
            (
                "bus-${request.path.id}-${context.identity.sourceIp}!",
                [
                    .constant("bus-"), .pathParameter("id"), .constant("-"), .context(.sourceAddress), .constant("!"),
                ]
            ),
            ("plain", [.constant("plain")]),
            ("$stageVariables.bus", [.constant("shop")]),
            ("a${stageVariables.bus}b${context.stage}", [.constant("a"), .constant("shop"), .constant("b"), .context(.stage)]),
        ] as [(String, [ParameterValue.Part])]
    )
    func selections(text: String, expected: [ParameterValue.Part]) throws {
        #expect(try value(text) == expected)
    }

    @Test(
        "A selection that Crema cannot evaluate is refused with its place",
        arguments: [
            ("$request.path.ib", "the route's path has no `{ib}`; did you mean `id`?"),
            ("$request.body..x", "`..` is not supported in a body path, as in API Gateway"),
            ("$request.body[?(@.x)]", "filters, `[?(@.x)]`, are not supported in a body path, as in API Gateway"),
            ("$request.body[:]", "`[:]` is not supported in a body path"), ("$request.body[1:2:3]", "`[1:2:3]` is not supported"),
            ("$request.body[a:2]", "`[a:2]` is not supported"), ("$request.body[0,1]", "`[0,1]` is not supported"),
            ("$stageVariables.x", "the stage variable `x` has no value; give `stageVariables.x` one under `parameters`"),
            ("$context.authorizer.claims", "context.authorizer.claims is not supported"),
            ("a ${request.body", "`${` without `}`"),
        ]
    )
    func refusedSelections(text: String, expected: String) {
        let found = message(api(path: "/a/{id}", parameters: ", EventBusName: '\(text)'"))
        #expect(found.hasPrefix("api.yaml:8:"))
        #expect(found.contains(expected))
    }

    @Test(
        "Everything that is not served is refused by name",
        arguments: [
            (
                "type: aws_proxy", "type: http_proxy\n        uri: https://x",
                "api.yaml:6:15: POST /order: integration type `http_proxy` (https://x) is not supported"
            ),
            (
                "EventBridge-PutEvents", "Kinesis-PutRecord",
                "api.yaml:7:29: POST /order: integrationSubtype `Kinesis-PutRecord` is not supported"
            ),
            (
                "type: aws_proxy", "type: aws_proxy\n        connectionType: VPC_LINK",
                "api.yaml:7:25: POST /order: connectionType `VPC_LINK` is not supported"
            ),
            (
                "type: aws_proxy", "type: aws_proxy\n        responseParameters: {}",
                "api.yaml:7:9: the integration of POST /order has no key `responseParameters`"
            ),
            ("Source: s", "Region: r", "api.yaml:8:67: POST /order: the request parameter `Region` is not supported"),
            (", Source: s", "", "api.yaml:8:28: POST /order: requestParameters lacks `Source`"),
            ("  /order:", "  /order:\n    get: {responses: {}}", "api.yaml:4:5: GET /order has no x-amazon-apigateway-integration"),
            ("    post:", "    post:\n      security: [{auth: []}]", "api.yaml:5:19: there is no security scheme `auth`"),
            (
                "    post:", "    post:\n      x-amazon-apigateway-auth: {type: NONE}",
                "api.yaml:5:7: POST /order: `x-amazon-apigateway-auth` is not supported"
            ),
            (
                "paths:", "x-amazon-apigateway-cors: {allowOrigin: ['*']}\npaths:",
                "x-amazon-apigateway-cors has no key `allowOrigin`; did you mean `allowOrigins`?"
            ),
            (
                "paths:", "x-amazon-apigateway-cors: {allowOrigins: ['*'], allowCredentials: true}\npaths:",
                "allowCredentials does not go with `*`"
            ),
            (
                "paths:", "x-amazon-apigateway-gateway-responses: {}\npaths:",
                "api.yaml:2:1: the document: `x-amazon-apigateway-gateway-responses` is not supported"
            ),
            (
                "paths:", "x-amazon-apigateway-request-validators: {}\npaths:",
                "api.yaml:2:1: `x-amazon-apigateway-request-validators` belongs to REST APIs"
            ),
            ("openapi: 3.0.1", "swagger: '2.0'", "api.yaml:1:1: Swagger 2.0 is not supported; write OpenAPI 3"),
            ("/order:", "/a{b}:", "the path `/a{b}`: `a{b}` is neither text nor one `{parameter}`"),
            ("/order:", "/{a+}/b:", "`{name+}` must be last"),
        ]
    )
    func refused(old: String, new: String, expected: String) {
        #expect(message(api().replacingOccurrences(of: old, with: new)).contains(expected))
    }

    @Test func twoRoutesOfOneShapeAreRefused() {
        let second = """
              /order/{b}:
                post:
                  x-amazon-apigateway-integration:
                    type: aws_proxy
                    integrationSubtype: EventBridge-PutEvents
                    requestParameters: {Detail: $request.body, DetailType: t, Source: s}
            """
        #expect(message(api(path: "/order/{a}", extra: second)).contains("POST /order/{b} is the same route as the one at api.yaml:4:5"))
    }

    @Test func anAPIMayReferToATemplatesResources() throws {
        let template = try TemplateDocument(
            file: "t.yaml", text: "Resources: {Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: shop}}}", parameters: [:]
        )
        let document = try OpenAPIDocument(
            file: "api.yaml", text: api(parameters: ", EventBusName: !Ref Bus"), parameters: [:], templates: [template]
        )
        #expect(document.routes[0].requestParameters[.eventBusName]?.parts == [.constant("shop")])
    }
}
