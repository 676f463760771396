import Documents
import Testing

/// Authorizers of routes in OpenAPI documents.
@Suite struct RouteAuthorizerTests {
    private static let api = """
        openapi: 3.0.1
        security: [{customers: []}]
        components:
          securitySchemes:
            customers:
              type: oauth2
              x-amazon-apigateway-authorizer:
                type: jwt
                identitySource: $request.header.Authorization
                jwtConfiguration: {issuer: "https://i.example", audience: [shop]}
            other: {type: apiKey}
        paths:
          /one:
            post:
              security: [{customers: [write]}]
              x-amazon-apigateway-integration:
                {type: aws_proxy, integrationSubtype: EventBridge-PutEvents,
                 requestParameters: {Detail: $request.body, DetailType: $context.authorizer.claims.sub, Source: s}}
          /two:
            post:
              x-amazon-apigateway-integration:
                {type: aws_proxy, integrationSubtype: EventBridge-PutEvents,
                 requestParameters: {Detail: $request.body, DetailType: $context.authorizer.jwt.claims.sub, Source: s}}
          /open:
            post:
              security: []
              x-amazon-apigateway-integration:
                {type: aws_proxy, integrationSubtype: EventBridge-PutEvents,
                 requestParameters: {Detail: $request.body, DetailType: t, Source: s}}
        """

    private func message(_ text: String) -> String {
        do throws(DocumentError) {
            _ = try OpenAPIDocument(file: "api.yaml", text: text, parameters: [:])
            return "no error"
        } catch { return error.description }
    }

    @Test func authorizersAreRead() throws {
        let routes = try OpenAPIDocument(file: "api.yaml", text: Self.api, parameters: [:]).routes
        let one = try #require(routes[0].authorizer)
        #expect(one.issuer == "https://i.example" && one.audiences == ["shop"] && one.scopes == ["write"])
        #expect(one.source == .header("authorization"))
        // The document's own, for a route that says nothing.
        #expect(routes[1].authorizer?.scopes == [])
        #expect(routes[2].authorizer == nil)
        #expect(routes[0].requestParameters[.detailType]?.parts == [.claim("sub")])
        #expect(routes[1].requestParameters[.detailType]?.parts == [.claim("sub")])
    }

    @Test(
        "What would leave a route open that is meant to be closed is refused",
        arguments: [
            ("[{customers: [write]}]", "[{customer: []}]", "there is no security scheme `customer`; did you mean `customers`?"),
            ("[{customers: [write]}]", "[{other: []}]", "security is not supported by the security scheme `other`"),
            ("[{customers: [write]}]", "[{}]", "a route has one authorizer"),
            ("[{customers: [write]}]", "[{customers: []}, {other: []}]", "a route has one authorizer"),
            ("[{customers: [write]}]", "[{customers: [], other: []}]", "a route has one authorizer"),
            ("type: jwt", "type: request", "Crema has authorizers of type `jwt` only"),
            ("$request.header.Authorization", "$request.cookie.x", "identitySource is `$request.cookie.x`"),
            ("$request.header.Authorization", "$request.header.A,$request.header.B", "and must be one"),
            ("audience: [shop]", "audience: []", "`audience` must name one or more"),
            (", audience: [shop]", "", "audience"), ("issuer: \"https://i.example\", ", "", "issuer"),
            ("identitySource:", "authorizerUri:", "authorizerUri"),
        ])
    func refused(old: String, new: String, expected: String) {
        let changed = Self.api.replacing(old, with: new)
        #expect(changed != Self.api)
        #expect(message(changed).contains(expected), "\(message(changed))")
    }
}
