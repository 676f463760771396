import Documents
import Rules

/// A target's `HttpParameters`: what of the call depends on the rule.
struct HTTPParameters: Sendable {
    /// A text, or what a path selects in the event, which is never the transformed input.
    enum Value: Sendable {
        case constant(String)
        case path(EventPath)

        func text(in event: JSONView, _ name: String) throws(DeliveryFailure) -> String {
            switch self {
            case .constant(let text): return text
            case .path(let path):
                guard let value = path.select(in: event)?.scalarText else { throw .noParameter(name) }
                return String(decoding: value, as: UTF8.self)
            }
        }
    }

    typealias Named = (name: String, value: Value)

    /// For the `*` of the endpoint, in order.
    private(set) var pathValues: [Value] = []
    private(set) var headers: [Named] = []
    private(set) var query: [Named] = []

    static let none = HTTPParameters()

    private init() {}

    init(_ node: Node, what: String) throws(DocumentError) {
        try refuseUnknown(node, what: what, known: ["PathParameterValues", "HeaderParameters", "QueryStringParameters"])
        for element in try node["PathParameterValues"]?.elements("PathParameterValues") ?? [] {
            pathValues.append(try Self.value(element, "\(what): PathParameterValues"))
        }
        for entry in try node["HeaderParameters"]?.entries("HeaderParameters") ?? [] {
            let value = try Self.value(entry.value, "\(what): HeaderParameters: \(entry.key)")
            try checkHeader(entry.key, value, what: what, at: entry.keyLocation)
            headers.append((entry.key, value))
        }
        for entry in try node["QueryStringParameters"]?.entries("QueryStringParameters") ?? [] {
            query.append((entry.key, try Self.value(entry.value, "\(what): QueryStringParameters: \(entry.key)")))
        }
    }

    private static func value(_ node: Node, _ what: String) throws(DocumentError) -> Value {
        let text = try node.text(what)
        guard text.utf8.starts(with: "$.".utf8) else { return .constant(text) }
        do throws(EventPathError) {
            return .path(try EventPath(parsing: text))
        } catch {
            throw DocumentError("\(what): \(error)", at: node.location)
        }
    }

    private func checkHeader(_ name: String, _ value: Value, what: String, at location: SourceLocation) throws(DocumentError) {
        if let refusal = HTTPText.refusal(ofHeader: name) { throw DocumentError("\(what): \(refusal)", at: location) }
        if case .constant(let text) = value, !HTTPText.isHeaderValue(text) {
            throw DocumentError("\(what): the value of \(name) is none that a header can have", at: location)
        }
    }
}
