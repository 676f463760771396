/// Reads integrations of HTTP APIs: calls of a service whose parameters come from the request.
struct HTTPIntegrationReader {
    let reader: OpenAPIReader
    /// The operation's, for messages.
    let name: String

    func read(_ integration: Node) throws(DocumentError) -> APIRoute.Integration {
        // `credentials` names a role and `timeoutInMillis` bounds a remote call: neither means anything for a call inside one process.
        _ = try integration.entries(
            "the integration of \(name)",
            known: [
                "type", "integrationSubtype", "credentials", "requestParameters", "payloadFormatVersion", "connectionType",
                "timeoutInMillis", "description",
            ]
        )
        try expect("1.0", for: "payloadFormatVersion", in: integration)
        try expect("INTERNET", for: "connectionType", in: integration)
        let subtype = try integration.required("integrationSubtype", in: "the integration of \(name)")
        let section = try integration.required("requestParameters", in: "the integration of \(name)")
        switch try reader.resolver.resolve(subtype).text("integrationSubtype") {
        case "EventBridge-PutEvents": return .event(try parameters(section, required: APIRoute.Parameter.required))
        case "SQS-SendMessage": return .message(try parameters(section, required: APIRoute.MessageParameter.required))
        case let other:
            throw DocumentError(
                "\(name): integrationSubtype `\(other)` is not supported; Crema has `EventBridge-PutEvents` and `SQS-SendMessage`",
                at: subtype.location)
        }
    }

    private func expect(_ only: String, for key: String, in integration: Node) throws(DocumentError) {
        guard let value = integration[key] else { return }
        let text = try reader.resolver.resolve(value).text(key)
        guard text == only else { throw DocumentError("\(name): \(key) `\(text)` is not supported, only `\(only)`", at: value.location) }
    }

    private func parameters<Parameter: RawRepresentable<String> & CaseIterable & Hashable>(
        _ section: Node, required: [Parameter]
    ) throws(DocumentError) -> [Parameter: ParameterValue] {
        var problems = ProblemCollector()
        var values: [Parameter: ParameterValue] = [:]
        for entry in try section.entries("requestParameters") {
            _ = problems.collect { () throws(DocumentError) in
                guard let parameter = Parameter(rawValue: entry.key) else {
                    let known = Parameter.allCases.map(\.rawValue)
                    let hint = suggestion(for: entry.key, among: known)
                    throw DocumentError("\(name): the request parameter `\(entry.key)` is not supported\(hint)", at: entry.keyLocation)
                }
                let text = try reader.resolver.resolve(entry.value).text(entry.key)
                values[parameter] = try ParameterValue(
                    parsing: text, pathParameters: reader.pathParameters, stageVariables: reader.stageVariables, at: entry.value.location)
            }
        }
        try problems.finish()
        for parameter in required where values[parameter] == nil {
            throw DocumentError("\(name): requestParameters lacks `\(parameter.rawValue)`", at: section.location)
        }
        return values
    }
}
