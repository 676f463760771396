import Documents
import Rules

/// The `http` action of a topic rule: POSTs what the statement selected.
struct HTTPAction: Sendable, CustomReflectable {
    private typealias Header = (name: String, value: SubstitutionTemplate)

    private let url: SubstitutionTemplate
    private let headers: [Header]
    /// The template as written, without its query, which may hold a secret.
    let urlText: String

    var customMirror: Mirror { Mirror(self, children: []) }

    init(_ node: Node, what: String, scope: TemplatePlaces, policy: OutboundPolicy) throws(DocumentError) {
        for (name, reason) in [
            ("ConfirmationUrl", "no endpoint has to confirm anything here"), ("Auth", "calls are not signed; `Headers` may hold a key"),
            ("EnableBatching", "each message is a call"), ("BatchConfig", "each message is a call"),
        ] {
            guard let entry = node.entry(name) ?? node.entry(name.prefix(1).lowercased() + name.dropFirst()) else { continue }
            throw DocumentError("\(what): \(name) is not supported: \(reason)", at: entry.keyLocation)
        }
        let fields = try ActionFields(node, known: ["Url", "Headers"], what: what, scope: scope)
        let (url, location, text) = try fields.template("Url")
        if let constant = url.constant {
            do throws(HTTPEndpointError) {
                let endpoint = try HTTPEndpoint.parse(constant).endpoint
                if let refusal = policy.refusal(of: endpoint) { throw HTTPEndpointError(refusal) }
            } catch {
                throw DocumentError("\(what): Url: \(error)", at: location)
            }
        }
        self.url = url
        urlText = String(text.prefix { $0 != "?" })
        var headers: [Header] = []
        for element in try fields["Headers"]?.elements("Headers") ?? [] {
            let pair = try ActionFields(element, known: ["Key", "Value"], what: "\(what): Headers", scope: scope)
            let name = try pair.template("Key")
            if let refusal = HTTPText.refusal(ofHeader: name.template.constant ?? name.text) {
                throw DocumentError("\(what): Headers: \(refusal)", at: name.location)
            }
            headers.append((name.text, try pair.template("Value").template))
        }
        self.headers = headers
    }

    /// The call for one message.
    func invocation(_ payload: [UInt8], _ input: SQLInput, _ match: SQLMatch?) throws(DeliveryFailure) -> HTTPInvocation {
        guard let url = url.render(input, match), !url.isEmpty else { throw .undefined(field: "Url") }
        let (endpoint, rest): (HTTPEndpoint, String)
        do throws(HTTPEndpointError) { (endpoint, rest) = try HTTPEndpoint.parse(url) } catch { throw .invalidURL("\(error)") }
        guard rest.utf8.count <= HTTPText.targetBytesMax else {
            throw .invalidURL("the path is longer than \(HTTPText.targetBytesMax) bytes")
        }
        var headers: [(name: String, value: String)] = []
        for (name, template) in self.headers {
            guard let value = template.render(input, match), HTTPText.isHeaderValue(value) else { throw .undefined(field: name) }
            headers.append((name, value))
        }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) { headers.append(("Content-Type", "application/json")) }
        return HTTPInvocation(
            kind: .http, method: "POST", endpoint: endpoint, target: rest.hasPrefix("/") ? rest : "/\(rest)", headers: headers,
            body: payload, isTrusted: false)
    }
}
