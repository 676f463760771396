package import Documents

/// The policies of a site, for whom each stands, and its ACL file.
package struct PolicyBook: Sendable {
    private struct Attachment: Sendable {
        /// Of the names that must be proved; `nil` for clients that proved nothing.
        var principal: ResourcePattern?
        var policies: [Policy]

        func isFor(_ subject: PolicySubject) -> Bool {
            guard let proved = subject.principal else { return principal == nil }
            return principal?.matches(Array(proved.utf8), isFilter: false) ?? false
        }
    }

    /// Whether rights are asked for at all.
    ///
    /// Not while no template declares a policy, the configuration attaches none, and there is no ACL file: then whoever is let in may do
    /// everything, and the broker does not start with rights that came by API.
    package private(set) var isEnforced: Bool
    /// Those of the templates.
    package let policies: [Policy]
    package let accessFile: AccessFile?
    /// Whether a statement depends on more of a client than its names.
    package private(set) var asksForAttributes: Bool
    private let attachments: [Attachment]
    private var registered = RegisteredRights()
    /// Those of the templates, and what came by API beside them.
    private var named: [String: Policy]

    /// No policies, nothing enforced.
    package init() { (isEnforced, policies, accessFile, asksForAttributes, attachments, named) = (false, [], nil, false, [], [:]) }

    /// Reads the policies of the templates and attaches them.
    ///
    /// - Parameters:
    ///   - templates: all of them; `AWS::IoT::Policy` and `AWS::IoT::PolicyPrincipalAttachment` are looked at.
    ///   - attached: what the configuration says under `policies`.
    ///   - accessFile: the ACL file, which grants beside the policies; what either denies is denied.
    /// - Throws: every mistake, with file, line and column.
    package init(
        templates: [TemplateDocument], attached: [Configuration.PolicyAttachment]?, accessFile: AccessFile? = nil
    ) throws(DocumentError) {
        var problems = ProblemCollector()
        let resources = templates.flatMap(\.resources)
        var policies: [String: Policy] = [:]
        for resource in resources where resource.type == "AWS::IoT::Policy" {
            guard let policy = problems.collect({ () throws(DocumentError) in try PolicyReader.read(resource) }) else { continue }
            if let first = policies.updateValue(policy, forKey: policy.name) {
                problems.add("the policy `\(policy.name)` is declared at \(first.location) already", at: policy.location)
            }
        }
        var wanted = attached ?? []
        for resource in resources where resource.type == "AWS::IoT::PolicyPrincipalAttachment" {
            let attachment = problems.collect { () throws(DocumentError) in try Self.attachment(resource) }
            if let attachment { wanted.append(attachment) }
        }
        var attachments: [Attachment] = []
        for attachment in wanted {
            let found = attachment.policies.compactMap { name -> Policy? in
                if let policy = policies[name.text] { return policy }
                let known = policies.keys.sorted()
                problems.add("there is no policy `\(name.text)`\(suggestion(for: name.text, among: known))", at: name.location)
                return nil
            }
            let principal = attachment.principal.map { ResourcePattern(wildcardsIn: $0) }
            attachments.append(Attachment(principal: principal, policies: found))
        }
        try problems.finish()
        self.attachments = attachments
        self.policies = policies.values.sorted { $0.name < $1.name }
        self.accessFile = accessFile
        named = policies
        asksForAttributes = policies.values.contains(where: \.asksForAttributes)
        isEnforced = attached != nil || !policies.isEmpty || accessFile != nil
    }

    /// The book with what came by API beside it; where both have a policy of one name, the template's stands.
    package func adding(_ registered: RegisteredRights) -> PolicyBook {
        var book = self
        book.registered = registered
        book.named = Dictionary(registered.policies.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
            .merging(policies.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        book.asksForAttributes = book.named.values.contains(where: \.asksForAttributes)
        return book
    }

    /// Of a certificate's ARN only the name behind `cert/` is looked at: here, the principal.
    private static func attachment(_ resource: TemplateDocument.Resource) throws(DocumentError) -> Configuration.PolicyAttachment {
        let what = "AWS::IoT::PolicyPrincipalAttachment `\(resource.logicalID)`"
        _ = try resource.properties.entries(what, known: ["PolicyName", "Principal"])
        let policy = try resource.properties.required("PolicyName", in: what)
        let principal = try resource.properties.required("Principal", in: what)
        let text = try principal.text("Principal")
        let name = text.split(separator: ":cert/", maxSplits: 1, omittingEmptySubsequences: false)
        guard !text.hasPrefix("arn:") || name.count == 2, let last = name.last, !last.isEmpty else {
            throw DocumentError("\(what): the Principal is a name, or the ARN of a certificate (…:cert/NAME)", at: principal.location)
        }
        return Configuration.PolicyAttachment(
            principal: String(last), policies: [.init(try policy.text("PolicyName"), at: policy.location)])
    }

    /// The policies that stand for a client.
    package func policies(of subject: PolicySubject) -> [Policy] {
        let certificates = registered.certificates(of: subject)
        return policies(of: subject, certificates, registered.thing(of: subject.clientID, among: certificates))
    }

    private func policies(
        of subject: PolicySubject, _ certificates: [RegisteredRights.Certificate], _ thing: RegisteredRights.Thing?
    ) -> [Policy] {
        var seen: Set<String> = []
        let byAPI = (certificates.flatMap(\.policies) + (thing?.policies ?? [])).compactMap { named[$0] }
        return (attachments.filter { $0.isFor(subject) }.flatMap(\.policies) + byAPI).filter { seen.insert($0.name).inserted }
    }

    /// What a client may do.
    package func grants(of subject: PolicySubject) -> Grants {
        let certificates = registered.certificates(of: subject)
        if let status = certificates.first(where: { !$0.isActive })?.status { return Grants(inactive: status) }
        let thing = registered.thing(of: subject.clientID, among: certificates)
        if let lost = thing?.lacks { return Grants(inactive: "of a thing in a group with the policy \(lost), which cannot be read") }
        var subject = subject
        if let thing {
            subject.attributes[PolicySubject.attachedThing] = subject.clientID
            subject.attributes.merge(ThingVariable.values(of: thing)) { $1 }
        }
        return Grants(policies(of: subject, certificates, thing), accessFile, for: subject)
    }
}
