/// Reads the operations of one path.
struct OpenAPIReader {
    private let path: String
    private let pathLocation: SourceLocation
    private let segments: [APIRoute.Segment]
    private let item: Node
    let resolver: IntrinsicResolver
    let stageVariables: [String: String]
    private let validators: RequestValidators
    private let security: SecuritySchemes

    init(
        path: Node.Entry, resolver: IntrinsicResolver, stageVariables: [String: String], validators: RequestValidators,
        security: SecuritySchemes
    ) throws(DocumentError) {
        self.path = path.key
        pathLocation = path.keyLocation
        segments = try Self.segments(of: path)
        item = path.value
        self.resolver = resolver
        self.stageVariables = stageVariables
        self.validators = validators
        self.security = security
    }

    private static let anyMethod = "x-amazon-apigateway-any-method"
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", anyMethod]
    private static let integrationKey = "x-amazon-apigateway-integration"

    static func checkTop(_ root: Node) throws(DocumentError) {
        let version = root["openapi"]?.plainText ?? ""
        guard version.hasPrefix("3.") else {
            let given = root["swagger"].map { "Swagger \($0.plainText ?? "")" } ?? "openapi: \(version)"
            throw DocumentError("\(given) is not supported; write OpenAPI 3", at: root.location)
        }
        let known =
            [
                "openapi", "info", "servers", "paths", "components", "tags", "externalDocs", "security",
                "x-amazon-apigateway-importexport-version", "x-amazon-apigateway-cors",
            ] + RequestValidators.keys
        try checkExtensions(of: root, what: "the document", known: known)
    }

    func routes(of item: Node) throws(DocumentError) -> [APIRoute] {
        var problems = ProblemCollector()
        var routes: [APIRoute] = []
        for entry in try item.entries(path) {
            _ = problems.collect { () throws(DocumentError) in
                if Self.methods.contains(entry.key) {
                    routes.append(try route(entry))
                } else if !["summary", "description", "parameters", "servers"].contains(entry.key) {
                    try Self.refuse(entry, what: path, known: Self.methods)
                }
            }
        }
        try problems.finish()
        return routes
    }

    private func route(_ operation: Node.Entry) throws(DocumentError) -> APIRoute {
        let method = operation.key == Self.anyMethod ? nil : operation.key.uppercased()
        let name = "\(method ?? "ANY") \(path)"
        let known = [
            "tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody", "responses", "deprecated",
            "servers", "security", Self.integrationKey, RequestValidators.keys[1],
        ]
        try Self.checkExtensions(of: operation.value, what: name, known: known)
        guard let integration = operation.value[Self.integrationKey] else {
            throw DocumentError("\(name) has no \(Self.integrationKey)", at: operation.keyLocation)
        }
        let read = try self.integration(integration, operation.value, name)
        return APIRoute(
            method: method, path: path, segments: segments, integration: read, location: operation.keyLocation,
            stageVariables: stageVariables, authorizer: try authorizer(of: operation.value, read, name))
    }

    private func authorizer(
        of operation: Node, _ integration: APIRoute.Integration, _ name: String
    ) throws(DocumentError) -> RouteAuthorizer? {
        switch integration {
        // What is never carried out needs no leave.
        case .unserved: nil
        case .mapped: try security.authorizer(of: operation, isREST: true, name: name)
        case .event, .message: try security.authorizer(of: operation, isREST: false, name: name)
        }
    }

    private func integration(_ integration: Node, _ operation: Node, _ name: String) throws(DocumentError) -> APIRoute.Integration {
        let type = try integration.required("type", in: "the integration of \(name)")
        switch (resolver.resolve(type).plainText ?? "").lowercased() {
        case "aws_proxy" where integration["integrationSubtype"] != nil:
            if let entry = operation.entry(RequestValidators.keys[1]) {
                throw DocumentError("\(name): `\(entry.key)` belongs to REST APIs", at: entry.keyLocation)
            }
            return try HTTPIntegrationReader(reader: self, name: name).read(integration)
        case "aws", "mock":
            let validation = try validators.validation(of: operation, in: item, name: name)
            return try RESTIntegrationReader(reader: self, name: name).read(integration, validation)
        default:
            // The URI says more about an integration than its type does.
            let uri = integration["uri"].flatMap { resolver.resolve($0).plainText }.map { " (\($0))" } ?? ""
            throw DocumentError(
                "\(name): integration type `\(resolver.resolve(type).plainText ?? "")`\(uri) is not supported; Crema has `aws_proxy` with "
                    + "`integrationSubtype`, `aws` and `mock`",
                at: type.location
            )
        }
    }

    /// The names in braces that the path has.
    var pathParameters: [String] {
        segments.compactMap { segment -> String? in
            switch segment {
            case .literal: nil
            case .parameter(let name), .greedy(let name): name
            }
        }
    }
}

// MARK: - Paths, and what is refused

extension OpenAPIReader {
    private static func segments(of path: Node.Entry) throws(DocumentError) -> [APIRoute.Segment] {
        guard path.key.hasPrefix("/") else { throw DocumentError("the path `\(path.key)` must begin with `/`", at: path.keyLocation) }
        let parts = path.key.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if parts == [""] { return [] }
        var segments: [APIRoute.Segment] = []
        for (index, part) in parts.enumerated() {
            guard part.first == "{", part.last == "}" else {
                guard !part.isEmpty, !part.contains(where: { $0 == "{" || $0 == "}" }) else {
                    throw DocumentError("the path `\(path.key)`: `\(part)` is neither text nor one `{parameter}`", at: path.keyLocation)
                }
                segments.append(.literal(String(part)))
                continue
            }
            var name = part.dropFirst().dropLast()
            let isGreedy = name.last == "+"
            if isGreedy { name.removeLast() }
            guard !name.isEmpty, !isGreedy || index == parts.count - 1 else {
                throw DocumentError("the path `\(path.key)`: `\(part)` must have a name, and `{name+}` must be last", at: path.keyLocation)
            }
            segments.append(isGreedy ? .greedy(String(name)) : .parameter(String(name)))
        }
        return segments
    }

    /// Extensions of other tools do no harm; one of API Gateway's that is not carried out would.
    private static func checkExtensions(of node: Node, what: String, known: [String]) throws(DocumentError) {
        var problems = ProblemCollector()
        for entry in try node.entries(what) where !known.contains(entry.key) {
            if entry.key.hasPrefix("x-"), !entry.key.hasPrefix("x-amazon-") { continue }
            _ = problems.collect { () throws(DocumentError) in try refuse(entry, what: what, known: known) }
        }
        try problems.finish()
    }

    private static func refuse(_ entry: Node.Entry, what: String, known: [String]) throws(DocumentError) {
        if entry.key.hasPrefix("x-"), !entry.key.hasPrefix("x-amazon-") { return }
        let hint = nearestName(to: entry.key, among: known).map { "; did you mean `\($0)`?" } ?? ""
        throw DocumentError("\(what): `\(entry.key)` is not supported\(hint)", at: entry.keyLocation)
    }
}
