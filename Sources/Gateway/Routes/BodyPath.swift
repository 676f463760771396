import Documents
import Rules

/// What the JSON path of a parameter selects in a body.
extension RouteRequest {
    /// The text of what lies in a body; nil where nothing does, and for null.
    ///
    /// A string stands for its characters, everything else for its JSON text. A path with wildcards or slices selects an array of all that
    /// it leads to, in order; it selects nothing where its part before the first of them leads nowhere.
    static func text(at steps: [ParameterValue.Step], in json: JSONView?) -> String? {
        guard let json else { return nil }
        let many = steps.firstIndex(where: \.isMany) ?? steps.endIndex
        var value = json
        for step in steps[..<many] {
            guard let next = values(at: step, in: value).first else { return nil }
            value = next
        }
        guard many < steps.endIndex else {
            return value.kind == .null ? nil : value.stringValue ?? String(decoding: value.rawJSON, as: UTF8.self)
        }
        var found = [value]
        // Each step goes down, so that no value is found twice and the array is no longer than the body.
        for step in steps[many...] { found = found.flatMap { values(at: step, in: $0) } }
        return "[" + found.map { String(decoding: $0.rawJSON, as: UTF8.self) }.joined(separator: ",") + "]"
    }

    private static func values(at step: ParameterValue.Step, in value: JSONView) -> [JSONView] {
        switch step {
        case .member(let name): return value[name].map { [$0] } ?? []
        case .element(let position) where position >= 0: return value[element: position].map { [$0] } ?? []
        case .element(let position):
            let elements = Array(value.elements)
            // The sum does not overflow: one number is below zero and the other is not.
            return elements.indices.contains(elements.count + position) ? [elements[elements.count + position]] : []
        case .all: return value.kind == .array ? Array(value.elements) : value.members.map(\.value)
        case .slice(let lower, let upper):
            let elements = Array(value.elements)
            return Array(elements[EventPath.positions(lower: lower, upper: upper, of: elements.count)])
        }
    }
}
