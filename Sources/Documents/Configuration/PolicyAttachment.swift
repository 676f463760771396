extension Configuration {
    /// Policies for some of the clients, as the configuration attaches them.
    package struct PolicyAttachment: Sendable {
        /// A policy's name, and where it is written.
        package struct Name: Sendable {
            package var text: String
            package var location: SourceLocation

            package init(_ text: String, at location: SourceLocation) { (self.text, self.location) = (text, location) }
        }

        /// The names that are meant, with `*` for any run of characters and `?` for one; `nil` for clients that prove nothing.
        package var principal: String?
        package var policies: [Name]

        package init(principal: String?, policies: [Name]) { (self.principal, self.policies) = (principal, policies) }

        private static let keys = ["principal", "group", "members", "anonymous", "attach"]

        static func all(in section: Node) throws(DocumentError) -> [PolicyAttachment] {
            try section.elements("policies").readEach(Self.read).flatMap(\.self)
        }

        /// One for each member, where the attachment is for a group.
        private static func read(_ node: Node) throws(DocumentError) -> [PolicyAttachment] {
            let what = "an attachment of policies"
            _ = try node.entries(what, known: Self.keys)
            let isAnonymous = try node["anonymous"]?.boolean("anonymous") ?? false
            let principal = try node["principal"]?.text("principal")
            let group = try node["group"]?.text("group")
            guard [principal != nil, group != nil, isAnonymous].filter(\.self).count == 1 else {
                throw DocumentError(
                    "\(what) is for a `principal`, for a `group` with `members`, or for clients that prove nothing: `anonymous: true`",
                    at: node.location)
            }
            let policies = try node.required("attach", in: what).elements("attach").readEach { (element) throws(DocumentError) in
                Name(try element.text("a policy"), at: element.location)
            }
            guard let group else {
                if let entry = node.entry("members") { throw DocumentError("`members` are those of a `group`", at: entry.keyLocation) }
                return [PolicyAttachment(principal: principal, policies: policies)]
            }
            let members = try node.required("members", in: "the group \(group)").elements("members")
            return try members.readEach { (member) throws(DocumentError) in
                PolicyAttachment(principal: try member.text("a member"), policies: policies)
            }
        }
    }
}
