import Documents

/// What a bus or a rule carries for people and for the API, and what changes nothing.
package struct ResourceDetails: Sendable, Equatable {
    package var description: String?
    /// Without a meaning where there are no roles.
    package var roleARN: String?
    package var tags: [String: String]

    package init(description: String? = nil, roleARN: String? = nil, tags: [String: String] = [:]) {
        self.description = description
        self.roleARN = roleARN
        self.tags = tags
    }

    /// Reads the properties `Description`, `RoleArn` and `Tags`, where they say something.
    init(_ properties: Node) throws(DocumentError) {
        let properties = properties.known
        description = try properties["Description"]?.text("Description")
        roleARN = try properties["RoleArn"]?.text("RoleArn")
        tags = try readTags(properties)
    }
}

/// The `Tags` of a resource, a list of `{Key: …, Value: …}`.
func readTags(_ properties: Node) throws(DocumentError) -> [String: String] {
    var tags: [String: String] = [:]
    for tag in try properties.known["Tags"]?.elements("Tags") ?? [] {
        tags[try tag.required("Key", in: "a tag").text("Key")] = try tag["Value"]?.text("Value") ?? ""
    }
    return tags
}

extension Node {
    /// The same without members that only a running account would know, such as the ARN of a role of the same template.
    var known: Node {
        switch content {
        case .scalar, .unresolved: self
        // The depth of a document is bounded, so recursion is safe here.
        case .sequence(let elements): Node(.sequence(elements.filter(\.isKnown).map(\.known)), at: location)
        case .mapping(let entries):
            Node(
                .mapping(
                    entries.filter(\.value.isKnown).map { Entry(key: $0.key, keyLocation: $0.keyLocation, value: $0.value.known) }),
                at: location)
        }
    }

    private var isKnown: Bool {
        if case .unresolved = content { false } else { true }
    }
}
