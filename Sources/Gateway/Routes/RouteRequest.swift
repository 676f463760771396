import Documents
import Hummingbird
import Rules

/// The parts of one request that an integration's parameters may select.
struct RouteRequest {
    let method: String
    /// Decoded from nothing: as it came, without the query.
    let path: String
    /// The route's path as in the document, for `$context.routeKey`.
    let routePath: String
    /// Of several values of a header or a parameter of the query a REST API takes the last one.
    let isREST: Bool
    /// What the caller calls this host.
    let authority: String
    let headers: HTTPFields
    /// The text after `?`, still encoded.
    let query: Substring?
    /// Values of the `{name}` segments, decoded.
    let pathParameters: [String: String]
    let body: String
    /// The root of the body, where a parameter selects a part of it.
    let json: JSONView?
    let requestID: String
    /// The peer's address; `nil` for a request that came over no socket.
    let sourceAddress: String?
    let timeMilliseconds: Int64
    /// Of the token by which the route's authorizer let the caller in.
    var claims: JSONView?

    /// The text of one part; `nil` when the request does not have it.
    ///
    /// JSON `null` counts as absent.
    func text(of part: ParameterValue.Part) -> String? {
        switch part {
        case .constant(let text): text
        case .header(let name): headerValue(name)
        case .queryString(let name): queryValue(name)
        case .pathParameter(let name): pathParameters[name]
        case .body(let steps): bodyValue(steps)
        case .context(let variable): contextValue(variable)
        case .claim(let name): claims.flatMap { Self.text(at: [.member(name)], in: $0) }
        }
    }

    /// The text of a value, whose parts must all be there.
    ///
    /// - Throws: naming the first part that the request does not have.
    func text(of value: ParameterValue, named name: String) throws(RouteError) -> String {
        var result = ""
        for part in value.parts {
            guard let text = text(of: part) else { throw .badRequest("\(name): \(part.name) has no value in this request") }
            result += text
        }
        return result
    }

    /// The text of a value that a call can do without; nil where the one part that it is has none in this request.
    ///
    /// - Throws: for a value of several parts one of which has none: no text is made of the rest.
    func optionalText(of value: ParameterValue, named name: String) throws(RouteError) -> String? {
        if value.parts.count == 1, let only = value.parts.first { return text(of: only) }
        return try text(of: value, named: name)
    }

    /// The text of one part for a mapping of a REST API, which reads the body only where one asks for it.
    func mapped(_ part: ParameterValue.Part) -> String? {
        guard case .body(let steps) = part, !steps.isEmpty else { return text(of: part) }
        let bytes = Array(body.utf8)
        return Self.text(at: steps, in: try? JSONDocument(parsing: bytes, limits: JSONLimits(bytesMax: bytes.count)).root)
    }

    /// The values of all fields of a name, joined by commas.
    private func headerValue(_ name: String) -> String? {
        let values = headers.headerValues(name)
        if isREST { return values.last }
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    /// All values of a query parameter, decoded and joined by commas.
    private func queryValue(_ name: String) -> String? {
        isREST ? queryValues[name]?.last : queryValues[name]?.joined(separator: ",")
    }

    /// The parameters of the query, decoded; what has a broken escape is left out.
    var queryValues: [String: [String]] {
        var values: [String: [String]] = [:]
        for (name, value) in queryPairs { values[name, default: []].append(value) }
        return values
    }

    private var queryPairs: [(name: String, value: String)] {
        (query ?? "").split(separator: "&").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first.flatMap({ PercentEncoding.decode($0, plusIsSpace: true) }),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { return nil }
            return (name, value)
        }
    }

    private func bodyValue(_ steps: [ParameterValue.Step]) -> String? {
        if steps.isEmpty { return body.isEmpty ? nil : body }
        return Self.text(at: steps, in: json)
    }

    private func contextValue(_ variable: ParameterValue.ContextVariable) -> String? {
        switch variable {
        case .accountID: TemplateScope.accountID
        case .apiID: Self.apiID
        case .domainName: domain
        case .domainPrefix: domain.split(separator: ".").first.map(String.init)
        case .protocol: "HTTP/1.1"
        case .stage: Self.stage(isREST: isREST)
        case .resourcePath: routePath
        case .requestTime: Timestamp.logged(timeMilliseconds)
        case .requestID, .extendedRequestID: requestID
        case .httpMethod: method
        case .path: path
        case .routeKey: "\(method) \(routePath)"
        case .sourceAddress: sourceAddress
        case .userAgent: headers[.userAgent]
        case .requestTimeEpoch: String(timeMilliseconds)
        }
    }

    /// What every API is called.
    static let apiID = "crema"
    static func stage(isREST: Bool) -> String { isREST ? "default" : "$default" }
    private var domain: String { String(authority.prefix { $0 != ":" }) }
}

// MARK: - What templates see

extension RouteRequest {
    /// In lower case, without parameters; JSON unless the request says otherwise.
    var mediaType: String {
        let type = headers[.contentType].map { $0.lowercased().prefix { $0 != ";" && $0 != " " } } ?? ""
        return type.isEmpty ? "application/json" : String(type)
    }

    /// `$input.params()`.
    var parameterDocument: AnswerDocument {
        var fields: [String: String] = [:]
        for field in headers { fields[field.name.rawName] = field.value }
        return .object([
            "path": .texts(pathParameters), "querystring": .texts(queryValues.compactMapValues(\.last)), "header": .texts(fields),
        ])
    }

    /// `$context`.
    var contextDocument: AnswerDocument {
        var members: [String: AnswerDocument] = [:]
        var identity: [String: String] = [:]
        for variable in ParameterValue.ContextVariable.allCases where variable != .routeKey {
            guard let value = contextValue(variable) else { continue }
            switch variable {
            case .sourceAddress: identity["sourceIp"] = value
            case .userAgent: identity["userAgent"] = value
            case .requestTimeEpoch: members[variable.rawValue] = .number(Int(timeMilliseconds))
            default: members[variable.rawValue] = .text(value)
            }
        }
        members["identity"] = .texts(identity)
        return .map(members)
    }
}

extension HTTPFields {
    /// The values of all fields of a name in lower case.
    func headerValues(_ name: String) -> [String] { compactMap { $0.name.canonicalName == name ? $0.value : nil } }
}
