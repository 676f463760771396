import Documents
import Testing

@testable import Gateway

@Suite struct RouteTableTests {
    private static func table(_ paths: [(method: String, path: String)]) throws -> RouteTable {
        try RouteTable(paths.map { try Self.route($0.method, $0.path) })
    }

    private static func route(_ method: String, _ path: String) throws -> APIRoute {
        let text = """
            openapi: "3.0.1"
            info: { title: t, version: "1" }
            paths:
              \(path):
                \(method):
                  responses: { default: { description: d } }
                  x-amazon-apigateway-integration:
                    integrationSubtype: EventBridge-PutEvents
                    type: aws_proxy
                    payloadFormatVersion: "1.0"
                    requestParameters: { Detail: $request.body, DetailType: t, Source: s }
            """
        return try #require(try OpenAPIDocument(file: "api.yaml", text: text, parameters: [:]).routes.first)
    }

    private static func path(_ table: RouteTable, _ method: String, _ path: String) -> String? {
        guard case .route(let route, _) = table.match(method: method, path: path) else { return nil }
        return route.path
    }

    @Test(arguments: [
        ("GET", "/a/b", "/a/b"), ("GET", "/a/c", "/a/{x}"), ("GET", "/a/b/c", "/a/{rest+}"), ("GET", "/b", "/{any+}"), ("GET", "/", "/"),
    ])
    func theMostSpecificPathWinsWhateverTheOrder(method: String, path: String, expected: String) throws {
        let paths = ["/{any+}", "/a/{rest+}", "/a/{x}", "/a/b", "/"].map { (method: "get", path: $0) }
        for rotation in paths.indices {
            let table = try Self.table(Array(paths[rotation...] + paths[..<rotation]))
            #expect(Self.path(table, method, path) == expected)
        }
    }

    @Test func aRouteForEveryMethodYieldsToOneForThisMethod() throws {
        let table = try Self.table([("x-amazon-apigateway-any-method", "/a"), ("post", "/a")])
        #expect(Self.path(table, "DELETE", "/a") == "/a")
        guard case .route(let route, _) = table.match(method: "POST", path: "/a") else { return #expect(Bool(false), "no route") }
        #expect(route.path == "/a")
    }

    @Test func parametersAreDecodedAndAnEncodedSlashStaysInItsSegment() throws {
        let table = try Self.table([("get", "/a/{x}"), ("get", "/b/{rest+}")])
        guard case .route(_, let parameters) = table.match(method: "GET", path: "/a/1%2F2%20%C3%A9") else {
            return #expect(Bool(false), "no route")
        }
        #expect(parameters == ["x": "1/2 é"])
        guard case .route(_, let rest) = table.match(method: "GET", path: "/b/1/2") else { return #expect(Bool(false), "no route") }
        #expect(rest == ["rest": "1/2"])
    }

    /// A level of blanks is one, as it stands in the path.
    @Test func aParameterOfThePathIsNeverEmpty() throws {
        let table = try Self.table([("get", "/a/{x}"), ("get", "/a/{x}/b"), ("get", "/b/{rest+}")])
        for path in ["/a/", "/a//b", "/b/", "/a"] { #expect(Self.path(table, "GET", path) == nil, "\(path)") }
        guard case .route(_, let parameters) = table.match(method: "GET", path: "/a/%20") else { return #expect(Bool(false), "no route") }
        #expect(parameters == ["x": " "])
    }

    @Test func thePlaceOfARouteThatIsDeclaredTwiceIsNamed() throws {
        let first = try Self.route("get", "/a/{x}")
        let second = try Self.route("get", "/a/{y}")
        #expect(throws: DocumentError.self) { try RouteTable([first, second]) }
    }
}
