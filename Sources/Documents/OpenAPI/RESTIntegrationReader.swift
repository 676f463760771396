/// Reads integrations of REST APIs: `aws` and `mock`.
struct RESTIntegrationReader {
    let reader: OpenAPIReader
    /// The operation's, for messages.
    let name: String

    func read(_ integration: Node, _ validation: RequestValidation) throws(DocumentError) -> APIRoute.Integration {
        let isMock = try reader.resolver.resolve(integration.required("type", in: name)).plainText?.lowercased() == "mock"
        var action = MappedIntegration.Action.mock
        if !isMock {
            switch try self.action(integration) {
            case .unserved(let service): return .unserved(service)
            case .served(let found): action = found
            }
        }
        // `credentials` names a role and `timeoutInMillis` bounds a remote call: neither means anything for a call inside one process, and
        // nothing is cached.
        _ = try integration.entries(
            "the integration of \(name)",
            known: [
                "type", "uri", "httpMethod", "credentials", "requestParameters", "requestTemplates", "passthroughBehavior", "responses",
                "timeoutInMillis", "connectionType", "cacheNamespace", "cacheKeyParameters",
            ])
        try refuseCache(integration)
        return .mapped(
            MappedIntegration(
                action: action, requestParameters: try requestParameters(integration, action),
                requestTemplates: try templates(integration["requestTemplates"], "requestTemplates"),
                passthrough: try passthrough(integration), answers: try answers(integration), validation: validation))
    }

    private func refuseCache(_ integration: Node) throws(DocumentError) {
        if let keys = integration["cacheKeyParameters"], !(try keys.elements("cacheKeyParameters").isEmpty) {
            throw DocumentError("\(name): `cacheKeyParameters` is not supported: nothing is cached", at: keys.location)
        }
        guard let connection = integration["connectionType"] else { return }
        let text = try reader.resolver.resolve(connection).text("connectionType")
        guard text == "INTERNET" else {
            throw DocumentError("\(name): connectionType `\(text)` is not supported, only `INTERNET`", at: connection.location)
        }
    }

    private func passthrough(_ integration: Node) throws(DocumentError) -> MappedIntegration.Passthrough {
        guard let node = integration["passthroughBehavior"] else { return .whenNoMatch }
        let text = try reader.resolver.resolve(node).text("passthroughBehavior")
        guard let found = MappedIntegration.Passthrough(rawValue: text.lowercased()) else {
            let known = MappedIntegration.Passthrough.allCases.map(\.rawValue)
            throw DocumentError("\(name): no passthroughBehavior `\(text)`\(suggestion(for: text, among: known))", at: node.location)
        }
        return found
    }

    // MARK: The call

    private enum Found {
        case served(MappedIntegration.Action)
        case unserved(String)
    }

    /// What the URI names: `arn:aws:apigateway:REGION:SERVICE:action/NAME`, or `…:sqs:path/ACCOUNT/QUEUE`.
    private func action(_ integration: Node) throws(DocumentError) -> Found {
        let node = try integration.required("uri", in: "the integration of \(name)")
        let uri = try reader.resolver.resolve(node).text("uri")
        let parts = uri.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "apigateway" else {
            throw DocumentError("\(name): the URI `\(uri)` does not name an action of a service", at: node.location)
        }
        let service = "\(parts[4]):\(parts[5])"
        var action = MappedIntegration.Action.mock
        switch service {
        case "events:action/PutEvents": action = .putEvents
        case "sqs:action/SendMessage": action = .sendMessage(queue: nil)
        case let text where text.hasPrefix("sqs:path/"):
            let path = text.dropFirst("sqs:path/".count).split(separator: "/", omittingEmptySubsequences: false)
            guard path.count == 2, let queue = path.last, !queue.isEmpty, !text.contains("{") else {
                throw DocumentError("\(name): `\(service)` is not supported; write `sqs:path/ACCOUNT/QUEUE`", at: node.location)
            }
            action = .sendMessage(queue: String(queue))
        default: return .unserved(service)
        }
        let method = try integration.required("httpMethod", in: "the integration of \(name)")
        guard try reader.resolver.resolve(method).text("httpMethod").uppercased() == "POST" else {
            throw DocumentError("\(name): services take POST alone", at: method.location)
        }
        return .served(action)
    }

    private func requestParameters(
        _ integration: Node, _ action: MappedIntegration.Action
    ) throws(DocumentError) -> [(target: MappedIntegration.Target, source: ParameterValue.Part)] {
        var mappings: [(target: MappedIntegration.Target, source: ParameterValue.Part)] = []
        for entry in try integration["requestParameters"]?.entries("requestParameters") ?? [] {
            let target = try target(entry, action)
            let text = try reader.resolver.resolve(entry.value).text(entry.key)
            let source = try source(text, at: entry.value.location)
            try check(target, source, entry, action)
            mappings.append((target, source))
        }
        let isJSON = mappings.contains { $0.target == .header("content-type") && $0.source == .constant("application/x-amz-json-1.0") }
        if isJSON, action != .mock, let node = integration["requestParameters"] {
            let hasQuery = mappings.contains { if case .queryString = $0.target { true } else { false } }
            if hasQuery {
                throw DocumentError("\(name): a call in JSON has no query: write its members in a mapping template", at: node.location)
            }
        }
        return mappings
    }

    /// What a call of a service inside this process takes.
    private func target(_ entry: Node.Entry, _ action: MappedIntegration.Action) throws(DocumentError) -> MappedIntegration.Target {
        let key = entry.key
        if key.hasPrefix("integration.request.header.") {
            let name = key.dropFirst("integration.request.header.".count).lowercased()
            if action == .mock || ["content-type", "x-amz-target"].contains(name) { return .header(name) }
        }
        if key.hasPrefix("integration.request.querystring.") {
            let name = String(key.dropFirst("integration.request.querystring.".count))
            if case .sendMessage = action { return .queryString(name) }
            if action == .mock { return .queryString(name) }
        }
        throw DocumentError("\(name): the request parameter `\(key)` is not supported", at: entry.keyLocation)
    }

    private func check(
        _ target: MappedIntegration.Target, _ source: ParameterValue.Part, _ entry: Node.Entry, _ action: MappedIntegration.Action
    ) throws(DocumentError) {
        guard case .header(let header) = target, action != .mock else { return }
        var allowed: [String] = []
        switch (header, action) {
        case ("x-amz-target", .putEvents): allowed = ["AWSEvents.PutEvents"]
        case ("x-amz-target", _): allowed = ["AmazonSQS.SendMessage"]
        case (_, .putEvents): allowed = ["application/x-amz-json-1.1"]
        default: allowed = ["application/x-www-form-urlencoded", "application/x-amz-json-1.0"]
        }
        if case .constant(let text) = source, allowed.contains(text) { return }
        let list = allowed.map { "`'\($0)'`" }.joined(separator: " or ")
        throw DocumentError("\(name): `\(entry.key)` must be \(list)", at: entry.value.location)
    }

    private func source(_ text: String, at location: SourceLocation) throws(DocumentError) -> ParameterValue.Part {
        if let constant = Self.constant(text) { return .constant(constant) }
        let parser = SelectionParser(
            pathParameters: reader.pathParameters, stageVariables: reader.stageVariables, location: location)
        let selection = Substring(text)
        if let name = parser.after("method.request.header.", in: selection) { return .header(name.lowercased()) }
        if let name = parser.after("method.request.querystring.", in: selection) { return .queryString(name) }
        if let name = parser.after("method.request.path.", in: selection) { return try parser.pathParameter(name, in: text) }
        if let name = parser.after("context.", in: selection) { return .context(try parser.context(name, in: text)) }
        if let name = parser.after("stageVariables.", in: selection) { return .constant(try parser.stageVariable(name, in: text)) }
        if selection.hasPrefix("method.request.body") {
            return .body(try parser.steps(selection.dropFirst("method.request.body".count), in: text))
        }
        throw DocumentError("\(name): the mapping `\(text)` is not supported", at: location)
    }

    /// Text between single quotes.
    private static func constant(_ text: String) -> String? {
        guard text.count >= 2, text.first == "'", text.last == "'" else { return nil }
        return String(text.dropFirst().dropLast())
    }

    private func templates(_ node: Node?, _ key: String) throws(DocumentError) -> [MappedIntegration.Template] {
        var templates: [MappedIntegration.Template] = []
        for entry in try node?.entries(key) ?? [] {
            let text = try reader.resolver.resolve(entry.value).text("\(key) of \(name)")
            templates.append(.init(mediaType: entry.key.lowercased(), text: text, location: entry.value.location))
        }
        return templates
    }
}

// MARK: - Answers

extension RESTIntegrationReader {
    private func answers(_ integration: Node) throws(DocumentError) -> [MappedIntegration.Answer] {
        var answers: [MappedIntegration.Answer] = []
        var standard: MappedIntegration.Answer?
        for entry in try integration.required("responses", in: "the integration of \(name)").entries("responses") {
            let what = "the response `\(entry.key)` of \(name)"
            _ = try entry.value.entries(what, known: ["statusCode", "responseParameters", "responseTemplates"])
            let status = try reader.resolver.resolve(entry.value.required("statusCode", in: what)).integer("statusCode", in: 100...599)
            let answer = MappedIntegration.Answer(
                pattern: entry.key == "default" ? nil : entry.key, status: status, headers: try headers(entry.value),
                templates: try templates(entry.value["responseTemplates"], "responseTemplates"), location: entry.keyLocation)
            if entry.key == "default" { standard = answer } else { answers.append(answer) }
        }
        return answers + (standard.map { [$0] } ?? [])
    }

    private func headers(_ answer: Node) throws(DocumentError) -> [(name: String, source: MappedIntegration.Answer.Source)] {
        var headers: [(name: String, source: MappedIntegration.Answer.Source)] = []
        for entry in try answer["responseParameters"]?.entries("responseParameters") ?? [] {
            let prefix = "method.response.header."
            guard entry.key.hasPrefix(prefix), entry.key.count > prefix.count else {
                throw DocumentError("\(name): the response parameter `\(entry.key)` is not supported", at: entry.keyLocation)
            }
            let text = try reader.resolver.resolve(entry.value).text(entry.key)
            headers.append((String(entry.key.dropFirst(prefix.count)), try answerSource(text, at: entry.value.location)))
        }
        return headers
    }

    private func answerSource(_ text: String, at location: SourceLocation) throws(DocumentError) -> MappedIntegration.Answer.Source {
        if let constant = Self.constant(text) { return .constant(constant) }
        let parser = SelectionParser(pathParameters: [], stageVariables: reader.stageVariables, location: location)
        let selection = Substring(text)
        if let name = parser.after("integration.response.header.", in: selection) { return .header(name.lowercased()) }
        if let name = parser.after("context.", in: selection) { return .context(try parser.context(name, in: text)) }
        if let name = parser.after("stageVariables.", in: selection) { return .constant(try parser.stageVariable(name, in: text)) }
        if selection.hasPrefix("integration.response.body") {
            return .body(try parser.steps(selection.dropFirst("integration.response.body".count), in: text))
        }
        throw DocumentError("\(name): the mapping `\(text)` is not supported", at: location)
    }
}
