import Documents
import Rules

/// A topic rule as it was given, in the spelling of AWS IoT's API: what its readers get back.
struct TopicRuleDefinition: Sendable {
    let description: String?
    let version: SQLVersion
    /// JSON of a list.
    let actions: [UInt8]
    /// JSON of an object; nil where there is none.
    let errorAction: [UInt8]?
    var tags: [String: String]
    /// Milliseconds since 1970; nil for a rule of a template.
    var createdMilliseconds: Int64?

    init(_ payload: Node, tags: [String: String], version: SQLVersion) throws(DocumentError) {
        let payload = payload.known
        description = try payload["Description"]?.text("Description")
        self.version = version
        actions = try payload.required("Actions", in: "a topic rule").spelledForAPI.json("Actions")
        errorAction = try payload["ErrorAction"].map { (node) throws(DocumentError) in try node.spelledForAPI.json("ErrorAction") }
        self.tags = tags
    }
}

extension Node {
    /// The same with every key beginning in lower case: CloudFormation's `RoleArn` is the API's `roleArn`.
    fileprivate var spelledForAPI: Node {
        switch content {
        case .scalar, .unresolved: self
        // The depth of a document is bounded, so recursion is safe here.
        case .sequence(let elements): Node(.sequence(elements.map(\.spelledForAPI)), at: location)
        case .mapping(let entries):
            Node(
                .mapping(
                    entries.map {
                        Entry(
                            key: $0.key.prefix(1).lowercased() + $0.key.dropFirst(), keyLocation: $0.keyLocation,
                            value: $0.value.spelledForAPI)
                    }), at: location)
        }
    }
}
