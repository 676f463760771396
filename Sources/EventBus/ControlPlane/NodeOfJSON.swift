package import Documents
package import Rules

extension Node {
    /// A value of a request, for the readers of templates.
    ///
    /// Members that are null count as absent. The location is the call that it came by: a request has no lines.
    package init(_ value: JSONView, at location: SourceLocation) {
        let text = value.scalarText.map { String(decoding: $0, as: UTF8.self) } ?? ""
        switch value.kind {
        case .string: self.init(.scalar(Scalar(text)), at: location)
        case .number: self.init(.scalar(Scalar(text, kind: .number)), at: location)
        case .true, .false: self.init(.scalar(Scalar(text, kind: .boolean)), at: location)
        case .null: self.init(.scalar(Scalar(text, kind: .null)), at: location)
        // The depth of parsed JSON is bounded, so recursion is safe here.
        case .array: self.init(.sequence(value.elements.map { Node($0, at: location) }), at: location)
        case .object:
            self.init(
                .mapping(
                    value.members.filter { $0.value.kind != .null }.map {
                        Entry(key: $0.name, keyLocation: location, value: Node($0.value, at: location))
                    }), at: location)
        }
    }
}
