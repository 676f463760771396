/// One route of an HTTP API, and the EventBridge call that it makes.
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

        package static let required: [Parameter] = [.detail, .detailType, .source]
    }

    /// Upper case; `nil` for a route that takes any method.
    package let method: String?
    /// As written, such as `/orders/{id}`.
    package let path: String
    package let segments: [Segment]
    /// Those in ``Parameter/required`` are always there.
    package let requestParameters: [Parameter: ParameterValue]
    /// Of the method.
    package let location: SourceLocation
}

/// An OpenAPI 3 document whose operations carry `x-amazon-apigateway-integration`.
///
/// The only integration is `integrationSubtype: EventBridge-PutEvents`: a request becomes one event. Every other one, and whatever would
/// change who may call a route, is refused by name.
package struct OpenAPIDocument: Sendable {
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
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in try OpenAPIReader.checkTop(root) }
        var routes: [APIRoute] = []
        let paths = problems.collect { () throws(DocumentError) in try root.required("paths", in: "the document").entries("paths") } ?? []
        for path in paths where !path.key.hasPrefix("x-") {
            _ = problems.collect { () throws(DocumentError) in
                routes += try OpenAPIReader(path: path, resolver: resolver).routes(of: path.value)
            }
        }
        Self.checkUnique(routes, &problems)
        try problems.finish()
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
}
