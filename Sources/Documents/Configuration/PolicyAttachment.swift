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

        private static let keys = ["principal", "anonymous", "attach"]

        static func all(in section: Node) throws(DocumentError) -> [PolicyAttachment] {
            try section.elements("policies").map { (element) throws(DocumentError) in try PolicyAttachment(element) }
        }

        private init(_ node: Node) throws(DocumentError) {
            let what = "an attachment of policies"
            _ = try node.entries(what, known: Self.keys)
            let isAnonymous = try node["anonymous"]?.boolean("anonymous") ?? false
            principal = try node["principal"]?.text("principal")
            guard (principal == nil) == isAnonymous else {
                throw DocumentError("\(what) is for a `principal`, or for clients that prove nothing: `anonymous: true`", at: node.location)
            }
            policies = try node.required("attach", in: what).elements("attach").map { (element) throws(DocumentError) in
                Name(try element.text("a policy"), at: element.location)
            }
        }
    }
}
