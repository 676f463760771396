import Documents
import Rules

/// A compiled `AWS::Events::ApiDestination` with its connection: what is called, and as whom.
///
/// It holds secrets; none of them is in a description of it.
struct APIDestination: Sendable, CustomStringConvertible, CustomReflectable {
    let name: String
    /// What ends the ARN of one that came by API; nil for one of a template.
    let id: String?
    let endpoint: HTTPEndpoint
    /// The path, taken apart at each `*`, and the query as the endpoint has it.
    let path: [String]
    let query: String
    let method: String
    let callsPerSecond: Int
    /// Why it cannot be called where it has none.
    var connection: Result<APIConnection, DestinationLack>

    /// Stands where there is none any more.
    static func missing(_ arn: CallARN) -> APIDestination {
        APIDestination(
            name: arn.name, id: arn.id ?? "", endpoint: HTTPEndpoint(isSecure: true, host: "missing.invalid", port: 443, address: nil),
            path: [""], query: "", method: "POST", callsPerSecond: 1, connection: .failure(.destination))
    }

    var description: String { "API destination \(name)" }
    var customMirror: Mirror { Mirror(self, children: []) }

    var pace: DeliveryTerms.Pace { DeliveryTerms.Pace(name: name, perSecond: callsPerSecond) }

    /// The call for one event.
    ///
    /// - Parameters:
    ///   - payload: what the target's input made of the event.
    ///   - parameters: the target's.
    ///   - event: the original event.
    /// - Returns: the call, with all its secrets.
    /// - Throws: what of it the event cannot fill in, and why it cannot be called now.
    func invocation(_ payload: [UInt8], _ parameters: HTTPParameters, _ event: JSONView) throws(DeliveryFailure) -> HTTPInvocation {
        let connection: APIConnection
        do throws(DestinationLack) { connection = try self.connection.get() } catch { throw .inactive(destination: name, error) }
        var target = path[0]
        for (value, rest) in zip(parameters.pathValues, path.dropFirst()) {
            let text = try value.text(in: event, "PathParameterValues")
            // Neither of these is a step of its own: the call would go to another path.
            guard !text.isEmpty, text != ".", text != ".." else { throw .noParameter("PathParameterValues") }
            target += HTTPText.percentEncoded(text) + rest
        }
        target += query
        var pairs: [(name: String, value: String)] = []
        for (name, value) in parameters.query { pairs.append((name, try value.text(in: event, name))) }
        HTTPText.appendQuery(pairs.filter { pair in !connection.query.contains { $0.name == pair.name } } + connection.query, to: &target)
        guard target.utf8.count <= HTTPText.targetBytesMax else { throw .noParameter("QueryStringParameters") }
        let hasBody = !["GET", "HEAD", "OPTIONS"].contains(method)
        return HTTPInvocation(
            kind: .http, method: method, endpoint: endpoint, target: target, headers: try headers(connection, parameters, event),
            body: hasBody ? try connection.body(payload) : [], isTrusted: false)
    }

    /// What the service sends with each call, and neither a connection nor a target can change (see ``HTTPText/refusal(ofHeader:)``).
    private static let fixedHeaders = [("User-Agent", "Amazon/EventBridge/ApiDestinations"), ("Range", "bytes=0-1048575")]

    /// The connection's headers go before the target's, and these before what is usual.
    private func headers(
        _ connection: APIConnection, _ parameters: HTTPParameters, _ event: JSONView
    ) throws(DeliveryFailure) -> [(name: String, value: String)] {
        var headers = connection.headers
        func add(_ name: String, _ value: String) {
            if !headers.contains(where: { $0.name.lowercased() == name.lowercased() }) { headers.append((name, value)) }
        }
        for (name, value) in parameters.headers {
            let text = try value.text(in: event, name)
            guard HTTPText.isHeaderValue(text) else { throw .noParameter(name) }
            add(name, text)
        }
        add("Content-Type", "application/json; charset=utf-8")
        for (name, value) in Self.fixedHeaders { add(name, value) }
        return headers
    }
}

/// A compiled `AWS::Events::Connection`: what every call through it has.
struct APIConnection: Sendable, CustomStringConvertible, CustomReflectable {
    let name: String
    /// Those of the authorization among them.
    let headers: [(name: String, value: String)]
    let query: [(name: String, value: String)]
    let bodyFields: [(name: String, value: String)]

    var description: String { "connection \(name)" }
    var bytes: Int { (headers + query + bodyFields).reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count } }
    var customMirror: Mirror { Mirror(self, children: []) }

    /// The payload with the connection's fields, which take the place of its own of the same names.
    func body(_ payload: [UInt8]) throws(DeliveryFailure) -> [UInt8] {
        guard !bodyFields.isEmpty else { return payload }
        guard let root = try? JSONDocument(parsing: payload, limits: JSONLimits(bytesMax: max(1, payload.count))).root,
            root.kind == .object
        else { throw .noParameter("BodyParameters") }
        var output: [UInt8] = [UInt8(ascii: "{")]
        func begin(_ name: String) {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            appendJSONString(name, to: &output)
            output.append(UInt8(ascii: ":"))
        }
        for member in root.members where !bodyFields.contains(where: { $0.name == member.name }) {
            begin(member.name)
            member.value.appendJSON(to: &output)
        }
        for field in bodyFields {
            begin(field.name)
            appendJSONString(field.value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
        return output
    }
}
