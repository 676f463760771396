/// One route of an API, and what a request to it does.
package struct APIRoute: Sendable {
    /// One part of a route's path between slashes.
    package enum Segment: Sendable, Equatable {
        case literal(String)
        /// `{name}`: one part of a request's path.
        case parameter(String)
        /// `{name+}`: the rest of the path, at least one part.
        case greedy(String)
    }

    /// The parameters that `EventBridge-PutEvents` takes.
    package enum Parameter: String, Sendable, CaseIterable {
        case detail = "Detail"
        case detailType = "DetailType"
        case source = "Source"
        case eventBusName = "EventBusName"
        /// ISO 8601 or seconds since 1970.
        case time = "Time"
        /// A JSON array of text.
        case resources = "Resources"
        /// The place in a trace, as AWS X-Ray writes it.
        case traceHeader = "TraceHeader"

        package static let required: [Parameter] = [.detail, .detailType, .source]
    }

    /// The parameters that `SQS-SendMessage` takes.
    package enum MessageParameter: String, Sendable, CaseIterable {
        case queueURL = "QueueUrl"
        case body = "MessageBody"
        case delaySeconds = "DelaySeconds"
        /// An object as SendMessage has it.
        case attributes = "MessageAttributes"
        case groupID = "MessageGroupId"
        case deduplicationID = "MessageDeduplicationId"

        package static let required: [MessageParameter] = [.queueURL, .body]
    }

    package enum Integration: Sendable {
        /// An HTTP API puts one event; those in ``Parameter/required`` are always there.
        case event([Parameter: ParameterValue])
        /// An HTTP API sends one message.
        case message([MessageParameter: ParameterValue])
        /// A REST API maps.
        case mapped(MappedIntegration)
        /// A REST API would call a service that Crema does not have, such as `dynamodb:action/Query`.
        case unserved(String)
    }

    /// Upper case; `nil` for a route that takes any method.
    package let method: String?
    /// As written, such as `/orders/{id}`.
    package let path: String
    package let segments: [Segment]
    package let integration: Integration
    /// Of the method.
    package let location: SourceLocation
    /// Those of the document.
    package let stageVariables: [String: String]
    /// The document's, of an HTTP API.
    package internal(set) var crossOriginPolicy: CrossOriginPolicy?
    /// Who may call it, where the document says so.
    package let authorizer: RouteAuthorizer?

    package var requestParameters: [Parameter: ParameterValue] {
        if case .event(let parameters) = integration { parameters } else { [:] }
    }

    /// Whether the route belongs to a REST API, whose answers differ in places.
    package var isREST: Bool {
        switch integration {
        case .event, .message: false
        case .mapped, .unserved: true
        }
    }
}

/// An OpenAPI 3 document whose operations carry `x-amazon-apigateway-integration`.
///
/// Those of one document are all of an HTTP API (`aws_proxy` with a subtype: a request becomes one event or one message) or all of a REST
/// API (`aws` and `mock`). Every other one, and whatever would change who may call a route, is refused by name; routes of a REST API
/// to services that Crema does not have are kept, so that they can be listed and answer that they are not served.
package struct OpenAPIDocument: Sendable {
    /// The names under `parameters` that are stage variables begin with this.
    package static let stageVariablePrefix = "stageVariables."

    package let file: String
    /// In the order of the document.
    package let routes: [APIRoute]

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - file: what messages call the document.
    ///   - text: YAML or JSON.
    ///   - parameters: values for the names that it refers to.
    ///   - templates: whose resources it may refer to as well.
    /// - Throws: every mistake found, with file, line and column.
    package init(file: String, text: String, parameters: [String: String], templates: [TemplateDocument] = []) throws(DocumentError) {
        try self.init(file: file, root: Node.parse(file: file, text: text), parameters: parameters, templates: templates)
    }

    /// Reads a document that is already parsed, see ``init(file:text:parameters:templates:)``.
    package init(file: String, root: Node, parameters: [String: String], templates: [TemplateDocument] = []) throws(DocumentError) {
        self.file = file
        let resolver = IntrinsicResolver(scope: TemplateScope(parameters: parameters, templates: templates))
        var stageVariables: [String: String] = [:]
        for (name, value) in parameters where name.hasPrefix(Self.stageVariablePrefix) {
            stageVariables[String(name.dropFirst(Self.stageVariablePrefix.count))] = value
        }
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try OpenAPIReader.checkTop(root) }
        let validators = problems.collect { () throws(DocumentError) in try RequestValidators(root) } ?? RequestValidators()
        let security = SecuritySchemes(root, resolver: resolver)
        var routes: [APIRoute] = []
        let paths = problems.collect { () throws(DocumentError) in try root.required("paths", in: "the document").entries("paths") } ?? []
        for path in paths where !path.key.hasPrefix("x-") {
            _ = problems.collect { () throws(DocumentError) in
                let reader = try OpenAPIReader(
                    path: path, resolver: resolver, stageVariables: stageVariables, validators: validators, security: security)
                routes += try reader.routes(of: path.value)
            }
        }
        let policy =
            problems.collect { () throws(DocumentError) in
                try root["x-amazon-apigateway-cors"].map { node throws(DocumentError) in try CrossOriginPolicy(node, resolver: resolver) }
            } ?? nil
        Self.checkUnique(routes, &problems)
        Self.checkKind(routes, root, &problems)
        try problems.finish()
        for index in routes.indices { routes[index].crossOriginPolicy = policy }
        self.routes = routes
    }

    private static func checkUnique(_ routes: [APIRoute], _ problems: inout ProblemCollector) {
        var seen: [String: SourceLocation] = [:]
        for route in routes {
            let shape = route.segments.map { segment in
                switch segment {
                case .literal(let text): "=\(text)"
                case .parameter: "{}"
                case .greedy: "{+}"
                }
            }
            let key = "\(route.method ?? "ANY") \(shape.joined(separator: "/"))"
            if let first = seen.updateValue(route.location, forKey: key) {
                problems.add("\(route.method ?? "ANY") \(route.path) is the same route as the one at \(first)", at: route.location)
            }
        }
    }

    /// An API is either of the two kinds.
    private static func checkKind(_ routes: [APIRoute], _ root: Node, _ problems: inout ProblemCollector) {
        guard let rest = routes.first(where: \.isREST) else {
            for key in RequestValidators.keys {
                if let entry = root.entry(key) { problems.add("`\(key)` belongs to REST APIs", at: entry.keyLocation) }
            }
            return
        }
        if let other = routes.first(where: { !$0.isREST }) {
            problems.add(
                "\(other.method ?? "ANY") \(other.path) has an integration of HTTP APIs, and the route at \(rest.location) one of "
                    + "REST APIs; write two documents",
                at: other.location)
        }
        if let entry = root.entry("x-amazon-apigateway-cors") {
            problems.add("`x-amazon-apigateway-cors` belongs to HTTP APIs; a REST API has mock integrations", at: entry.keyLocation)
        }
    }
}
