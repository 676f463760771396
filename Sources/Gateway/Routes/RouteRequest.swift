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
        }
    }

    /// The values of all fields of a name, joined by commas.
    private func headerValue(_ name: String) -> String? {
        let values = headers.compactMap { $0.name.canonicalName == name ? $0.value : nil }
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    /// All values of a query parameter, decoded and joined by commas.
    private func queryValue(_ name: String) -> String? {
        guard let query else { return nil }
        var values: [String] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = parts.first, PercentEncoding.decode(key, plusIsSpace: true) == name else { continue }
            guard let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true) else { continue }
            values.append(value)
        }
        return values.isEmpty ? nil : values.joined(separator: ",")
    }

    private func bodyValue(_ steps: [ParameterValue.Step]) -> String? {
        if steps.isEmpty { return body.isEmpty ? nil : body }
        var value = json
        for step in steps {
            value =
                switch step {
                case .member(let name): value?[name]
                case .element(let position): value?[element: position]
                }
        }
        guard let value, value.kind != .null else { return nil }
        // A string stands for its characters, everything else for its JSON text.
        return value.stringValue ?? String(decoding: value.rawJSON, as: UTF8.self)
    }

    private func contextValue(_ variable: ParameterValue.ContextVariable) -> String? {
        switch variable {
        case .requestID: requestID
        case .httpMethod: method
        case .path: path
        case .routeKey: "\(method) \(routePath)"
        case .sourceAddress: sourceAddress
        case .userAgent: headers[.userAgent]
        case .requestTimeEpoch: String(timeMilliseconds)
        }
    }
}
