import Documents
import HTTPTypes
import Rules

/// A route of a REST API: a template makes the call of a service, and another one the answer.
struct MappedRoute: Sendable {
    struct Template: Sendable {
        let mediaType: String
        let template: VTLTemplate
    }

    struct Answer: Sendable {
        /// `nil` for `default`.
        let pattern: TextPattern?
        let answer: MappedIntegration.Answer
        let templates: [Template]
    }

    let integration: MappedIntegration
    let requestTemplates: [Template]
    let answers: [Answer]
    let models: [(mediaType: String, schema: JSONSchema)]
    let stageVariables: JSONView

    /// - Throws: every mistake of the templates, patterns and models.
    init(_ integration: MappedIntegration, of route: APIRoute) throws(DocumentError) {
        self.integration = integration
        var problems = ProblemCollector()
        let names = Set(route.stageVariables.keys)
        requestTemplates = Self.compile(integration.requestTemplates, names, &problems)
        var answers: [Answer] = []
        for answer in integration.answers {
            let pattern = problems.collect { () throws(DocumentError) in try Self.pattern(of: answer) } ?? nil
            let templates = Self.compile(answer.templates, names, isOfResponse: true, &problems)
            answers.append(Answer(pattern: pattern, answer: answer, templates: templates))
        }
        self.answers = answers
        var models: [(mediaType: String, schema: JSONSchema)] = []
        for model in integration.validation.models {
            _ = problems.collect { () throws(DocumentError) in
                let schema = try SchemaReader.schema(model.schema, definitions: integration.validation.definitions)
                models.append((model.mediaType, schema))
            }
        }
        self.models = models
        try problems.finish()
        stageVariables = MappedRoute.view(AnswerDocument.texts(route.stageVariables))
    }

    private static func compile(
        _ templates: [MappedIntegration.Template], _ stageVariables: Set<String>, isOfResponse: Bool = false,
        _ problems: inout ProblemCollector
    ) -> [Template] {
        templates.compactMap { template in
            problems.collect { () throws(DocumentError) in
                do throws(VTLError) {
                    let compiled = try VTLTemplate(parsing: template.text, stageVariables: stageVariables, isOfResponse: isOfResponse)
                    return Template(mediaType: template.mediaType, template: compiled)
                } catch {
                    throw DocumentError("the template for \(template.mediaType): \(error)", at: template.location)
                }
            }
        }
    }

    private static func pattern(of answer: MappedIntegration.Answer) throws(DocumentError) -> TextPattern? {
        guard let text = answer.pattern else { return nil }
        do throws(TextPattern.Problem) { return try TextPattern(parsing: text, isWhole: true) } catch {
            throw DocumentError("the response `\(text)`: \(error.message)", at: answer.location)
        }
    }

    /// A document that Crema wrote, to be looked through.
    static func view(_ document: AnswerDocument) -> JSONView {
        guard let view = try? JSONDocument(parsing: document.json, limits: JSONLimits(bytesMax: .max)).root else {
            preconditionFailure("an answer that is no JSON")
        }
        return view
    }
}

// MARK: - The request

extension MappedRoute {
    /// What the service is to get.
    ///
    /// - Throws: for a request that does not keep to the route's model, and one that no template can read.
    func body(for request: RouteRequest) throws(RouteError) -> [UInt8] {
        try validate(request)
        let type = request.mediaType
        if let template = requestTemplates.first(where: { $0.mediaType == type }) {
            return try render(template.template, body: Array(request.body.utf8), request).text
        }
        switch integration.passthrough {
        case .whenNoMatch: return Array(request.body.utf8)
        case .whenNoTemplates where requestTemplates.isEmpty: return Array(request.body.utf8)
        case .whenNoTemplates, .never: throw .unsupportedMediaType
        }
    }

    private static func isBlank(_ text: some StringProtocol) -> Bool { text.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } }

    private func validate(_ request: RouteRequest) throws(RouteError) {
        let missing = integration.validation.parameters.filter { place, name in
            switch place {
            case .path: request.pathParameters[name] == nil
            // One that is there and blank is none.
            case .querystring: (request.queryValues[name] ?? []).allSatisfy { Self.isBlank($0) }
            case .header: request.headers.headerValues(name.lowercased()).allSatisfy { Self.isBlank($0) }
            }
        }
        guard missing.isEmpty else {
            let names = missing.map(\.name).joined(separator: ", ")
            throw .badRequest("Missing required request parameters: [\(names)]")
        }
        guard let model = models.first(where: { $0.mediaType == request.mediaType }) ?? models.first(where: { $0.mediaType == "$default" })
        else { return }
        // No body counts as an empty object.
        let bytes = request.body.isEmpty ? Array("{}".utf8) : Array(request.body.utf8)
        guard let body = try? JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: bytes.count)).root, model.schema.holds(body) else {
            throw .badRequest("Invalid request body")
        }
    }

    /// The body is the request's, or that of the service's answer.
    private func render(
        _ template: VTLTemplate, body: [UInt8], _ request: RouteRequest
    ) throws(RouteError) -> (text: [UInt8], overrides: VTLOverrides) {
        var input = VTLInput(body: body)
        if template.needs.contains(.json) {
            input.json = try Self.json(of: body)
        }
        if template.needs.contains(.parameters) { input.parameters = Self.view(request.parameterDocument) }
        if template.needs.contains(.context) { input.context = Self.view(request.contextDocument) }
        input.stageVariables = stageVariables
        do throws(VTLFailure) { return try template.rendering(input) } catch { throw .failed("a template has no result: \(error)") }
    }
}

extension MappedRoute {
    /// What templates read of a body: what is no JSON is a text, such as a form, unless it begins as an object or an array does.
    private static func json(of body: [UInt8]) throws(RouteError) -> JSONView {
        let bytes = body.isEmpty ? Array("{}".utf8) : body
        do throws(JSONError) { return try JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: bytes.count)).root } catch {
            let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            guard first != UInt8(ascii: "{"), first != UInt8(ascii: "["), let text = Self.text(bytes) else {
                throw .badRequest("Could not parse request body into json: \(error)")
            }
            return text
        }
    }

    /// Bytes that are no UTF-8 become U+FFFD, as in `$input.body`.
    private static func text(_ bytes: [UInt8]) -> JSONView? {
        var quoted: [UInt8] = []
        JSONText.appendString(String(decoding: bytes, as: UTF8.self).utf8, to: &quoted)
        return try? JSONDocument(parsing: quoted, limits: JSONLimits(bytesMax: quoted.count)).root
    }
}

// MARK: - The answer

extension MappedRoute {
    /// What a caller gets where the service answered.
    func answer(to request: RouteRequest, for result: ServiceResult) throws(RouteError) -> RouteAnswer {
        let status = "\(result.status)"
        guard let found = answers.first(where: { $0.pattern?.matches(status) ?? true }) else {
            throw .failed("no response of the integration is for status \(status), and there is no default")
        }
        var answer = RouteAnswer(status: found.answer.status, mediaType: "application/json", body: result.body)
        let accepted = request.headers[.accept]?.lowercased()
        let template =
            found.templates.first { $0.mediaType == accepted } ?? found.templates.first { $0.mediaType == "application/json" }
            ?? found.templates.first
        var overrides = VTLOverrides()
        if let template {
            (answer.body, overrides) = try render(template.template, body: result.body, request)
            answer.mediaType = template.mediaType
        }
        for (name, source) in found.answer.headers {
            guard let value = try value(of: source, result, request) else { continue }
            guard let field = HTTPField.Name(name) else { throw .failed("\(name) is no name of a header") }
            answer.headers[field] = value
        }
        try answer.replace(overrides)
        return answer
    }

    private func value(
        of source: MappedIntegration.Answer.Source, _ result: ServiceResult, _ request: RouteRequest
    ) throws(RouteError) -> String? {
        switch source {
        case .constant(let text): return text
        case .header(let name):
            switch name {
            case "content-type": return result.mediaType
            case "x-amzn-requestid": return request.requestID
            default: return nil
            }
        case .context(let variable): return request.text(of: .context(variable))
        case .body(let steps):
            if steps.isEmpty { return Self.headerText(String(decoding: result.body, as: UTF8.self)) }
            let body = try? JSONDocument(parsing: result.body, limits: JSONLimits(bytesMax: result.body.count)).root
            return RouteRequest.text(at: steps, in: body).map(Self.headerText)
        }
    }

    /// What a header may hold.
    static func headerText(_ text: String) -> String { String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) }) }
}

/// What a service answered to a route's call.
struct ServiceResult: Sendable {
    var status: Int
    var mediaType: String
    var body: [UInt8]
}

/// The answer of a route.
struct RouteAnswer: Sendable {
    var status: Int
    var mediaType: String
    var headers = HTTPFields()
    var body: [UInt8]

    /// Headers that say where a response ends and what becomes of the connection: no template's business.
    private static let framing: Set<String> = ["connection", "content-length", "keep-alive", "transfer-encoding", "trailer", "upgrade"]

    /// Puts what a template set in place of what was mapped.
    fileprivate mutating func replace(_ overrides: VTLOverrides) throws(RouteError) {
        status = overrides.status ?? status
        for (name, value) in overrides.headers {
            guard let field = HTTPField.Name(name), !Self.framing.contains(field.canonicalName) else {
                throw .failed("$context.responseOverride.header.\(name) is no header that a template may set")
            }
            let text = MappedRoute.headerText(value)
            if field == .contentType { mediaType = text } else { headers[field] = text }
        }
    }
}
