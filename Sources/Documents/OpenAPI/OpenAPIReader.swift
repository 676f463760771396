/// Reads the operations of one path.
struct OpenAPIReader {
    private let path: String
    private let pathLocation: SourceLocation
    private let segments: [APIRoute.Segment]
    private let resolver: IntrinsicResolver

    init(path: Node.Entry, resolver: IntrinsicResolver) throws(DocumentError) {
        self.path = path.key
        pathLocation = path.keyLocation
        segments = try Self.segments(of: path)
        self.resolver = resolver
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
        let known = [
            "openapi", "info", "servers", "paths", "components", "tags", "externalDocs", "security",
            "x-amazon-apigateway-importexport-version",
        ]
        try checkExtensions(of: root, what: "the document", known: known)
        try checkSecurity(of: root)
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
            "servers", "security", Self.integrationKey,
        ]
        try Self.checkExtensions(of: operation.value, what: name, known: known)
        try Self.checkSecurity(of: operation.value)
        guard let integration = operation.value[Self.integrationKey] else {
            throw DocumentError("\(name) has no \(Self.integrationKey)", at: operation.keyLocation)
        }
        try checkIntegration(integration, of: name)
        return APIRoute(
            method: method,
            path: path,
            segments: segments,
            requestParameters: try requestParameters(of: integration, name: name),
            location: operation.keyLocation
        )
    }

    private func checkIntegration(_ integration: Node, of name: String) throws(DocumentError) {
        let type = try integration.required("type", in: "the integration of \(name)")
        let typeName = resolver.resolve(type).plainText ?? ""
        guard typeName.lowercased() == "aws_proxy", let subtype = integration["integrationSubtype"] else {
            // The URI says more about an integration than its type does.
            let uri = integration["uri"].flatMap { resolver.resolve($0).plainText }.map { " (\($0))" } ?? ""
            throw DocumentError(
                "\(name): integration type `\(typeName)`\(uri) is not supported; Crema has `aws_proxy` with "
                    + "`integrationSubtype: EventBridge-PutEvents`",
                at: type.location
            )
        }
        let subtypeName = try resolver.resolve(subtype).text("integrationSubtype")
        guard subtypeName == "EventBridge-PutEvents" else {
            throw DocumentError(
                "\(name): integrationSubtype `\(subtypeName)` is not supported; Crema has `EventBridge-PutEvents`", at: subtype.location)
        }
        // `credentials` names a role and `timeoutInMillis` bounds a remote call: neither means anything for a call inside one process.
        _ = try integration.entries(
            "the integration of \(name)",
            known: [
                "type", "integrationSubtype", "credentials", "requestParameters", "payloadFormatVersion", "connectionType",
                "timeoutInMillis",
                "description",
            ]
        )
        try expect("1.0", for: "payloadFormatVersion", in: integration, name: name)
        try expect("INTERNET", for: "connectionType", in: integration, name: name)
    }

    private func expect(_ only: String, for key: String, in integration: Node, name: String) throws(DocumentError) {
        guard let value = integration[key] else { return }
        let text = try resolver.resolve(value).text(key)
        guard text == only else { throw DocumentError("\(name): \(key) `\(text)` is not supported, only `\(only)`", at: value.location) }
    }

    private func requestParameters(
        of integration: Node, name: String
    ) throws(DocumentError) -> [APIRoute.Parameter: ParameterValue] {
        let section = try integration.required("requestParameters", in: "the integration of \(name)")
        let names = segments.compactMap { segment -> String? in
            switch segment {
            case .literal: nil
            case .parameter(let name), .greedy(let name): name
            }
        }
        var problems = ProblemCollector()
        var values: [APIRoute.Parameter: ParameterValue] = [:]
        for entry in try section.entries("requestParameters") {
            _ = problems.collect { () throws(DocumentError) in
                guard let parameter = APIRoute.Parameter(rawValue: entry.key) else {
                    let known = APIRoute.Parameter.allCases.map(\.rawValue)
                    let hint = suggestion(for: entry.key, among: known)
                    throw DocumentError("\(name): the request parameter `\(entry.key)` is not supported\(hint)", at: entry.keyLocation)
                }
                let text = try resolver.resolve(entry.value).text(entry.key)
                values[parameter] = try ParameterValue(parsing: text, pathParameters: names, at: entry.value.location)
            }
        }
        try problems.finish()
        for parameter in APIRoute.Parameter.required where values[parameter] == nil {
            throw DocumentError("\(name): requestParameters lacks `\(parameter.rawValue)`", at: section.location)
        }
        return values
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

    /// An empty `security` says that there is none; any other would have to be enforced.
    private static func checkSecurity(of node: Node) throws(DocumentError) {
        guard let security = node.entry("security") else { return }
        if case .sequence(let schemes) = security.value.content, schemes.isEmpty { return }
        throw DocumentError("security is not supported: routes take no authorizers", at: security.keyLocation)
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
