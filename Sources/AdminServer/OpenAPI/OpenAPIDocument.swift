import HTTPTypes

/// The admin API's description of itself, in OpenAPI 3.0, made from the calls that it answers.
struct OpenAPIDocument {
    let version: String
    /// Whether calls want a bearer.
    let authenticated: Bool
    let calls: [AdminCall]

    var node: JSONNode {
        var paths: [String: JSONNode] = [:]
        for call in calls {
            let path = AdminRoutes.prefix + call.path
            var operations: [String: JSONNode] = if case .object(let known)? = paths[path] { known } else { [:] }
            operations[call.method.rawValue.lowercased()] = operation(call)
            paths[path] = .object(operations)
        }
        var components: [String: JSONNode] = ["schemas": ["Error": JSONShape.object([.always("error", .text)]).schema()]]
        var document: [String: JSONNode] = [
            "openapi": "3.0.3",
            "info": [
                "title": "Crema's admin API", "version": .text(version),
                "description": "What a broker tells its operators, and what they may change while it runs.",
            ],
            "paths": .object(paths),
        ]
        if authenticated {
            components["securitySchemes"] = ["administrator": ["type": "http", "scheme": "bearer"]]
            document["security"] = .list([["administrator": .list([])]])
        }
        document["components"] = .object(components)
        return .object(document)
    }

    private func operation(_ call: AdminCall) -> JSONNode {
        var operation: [String: JSONNode] = [
            "summary": .text(call.summary),
            "operationId": .text("\(call.method.rawValue.lowercased()) \(call.path)"),
            "responses": responses(of: call),
        ]
        let parameters = call.path.split(separator: "/").filter { $0.hasPrefix("{") }.map(Self.segment) + call.parameters.map(Self.member)
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        if let body = call.body {
            operation["requestBody"] = ["required": .flag(true), "content": ["application/json": ["schema": body.schema(closed: true)]]]
        }
        return .object(operation)
    }

    private func responses(of call: AdminCall) -> JSONNode {
        var responses: [String: JSONNode] = [:]
        let content: JSONNode =
            switch call.answer {
            case .document(let shape), .outcome(let shape): ["application/json": ["schema": shape.schema()]]
            case .stream(let shape):
                // The schema is of one document of the stream.
                [
                    "application/x-ndjson": ["schema": ["type": "string"], "x-document": shape.schema()],
                    "text/event-stream": ["schema": ["type": "string"], "x-document": shape.schema()],
                ]
            }
        responses["200"] = ["description": "Done", "content": content]
        if case .outcome = call.answer { responses["422"] = ["description": "Could not be done; nothing has changed", "content": content] }
        var refusals: [Int: String] = [400: "A query or a path that this call does not take"]
        refusals[403] = "Another host, or a page elsewhere, or a listener without administrators"
        if authenticated { refusals[401] = "No bearer that is an administrator's" }
        if call.method != .get, call.method != .delete { refusals[415] = "A body that does not say it is JSON" }
        if call.body != nil { refusals[413] = "A body above adminBodyBytesMax" }
        if case .stream = call.answer { refusals[503] = "More streams than tailStreamsMax" }
        for status in call.refusals where refusals[status] == nil {
            refusals[status] = status == 404 ? "Nothing of that name" : "Refused, for the reason given"
        }
        for (status, description) in refusals {
            responses[String(status)] = [
                "description": .text(description), "content": ["application/json": ["schema": ["$ref": "#/components/schemas/Error"]]],
            ]
        }
        return .object(responses)
    }

    private static func segment(_ segment: Substring) -> JSONNode {
        [
            "name": .text(String(segment.dropFirst().dropLast())), "in": "path", "required": .flag(true),
            "schema": ["type": "string", "minLength": .integer(1)],
        ]
    }

    private static func member(_ parameter: CallParameter) -> JSONNode {
        let schema: JSONNode =
            switch parameter.kind {
            case .text: ["type": "string"]
            case .filter: ["type": "string", "pattern": .text(TopicPatterns.filter)]
            case .ordinaryFilter: ["type": "string", "pattern": .text(TopicPatterns.ordinaryFilter)]
            case .subscription: ["type": "string", "pattern": .text(TopicPatterns.subscription)]
            case .topic: ["type": "string", "pattern": .text(TopicPatterns.name)]
            case .integer(let range):
                ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
            case .flag: ["type": "boolean"]
            case .choice(let texts): ["type": "string", "enum": .list(texts.map { .text($0) })]
            }
        return [
            "name": .text(parameter.name), "in": "query", "required": .flag(parameter.required), "description": .text(parameter.summary),
            "schema": schema,
        ]
    }
}
