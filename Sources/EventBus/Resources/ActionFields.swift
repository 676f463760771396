import Documents
import Rules

/// What holds for the `${…}` places of a rule's actions: the version and the variables of its statement.
struct TemplatePlaces {
    /// Nil where the rule's statement is refused, so that its actions can still be looked at.
    let statement: SQLStatement?
    let host: SQLHost

    func template(_ text: String) throws(SQLError) -> SubstitutionTemplate {
        try SubstitutionTemplate(
            parsing: text, version: statement?.version ?? .v2016, variables: statement?.variables ?? [], host: host)
    }
}

/// The fields of an action, in CloudFormation's spelling (`BusName`) or the API's (`busName`).
struct ActionFields {
    private let entries: [String: Node.Entry]
    private let what: String
    private let location: SourceLocation
    private let scope: TemplatePlaces

    /// Takes an action apart; the version and the variables of the rule's statement hold for its templates, too.
    init(_ node: Node, known: [String], what: String, scope: TemplatePlaces) throws(DocumentError) {
        let spellings = known.map { ($0.prefix(1).lowercased() + $0.dropFirst(), $0) }
        try refuseUnknown(node, what: what, known: known + spellings.map(\.0))
        var entries: [String: Node.Entry] = [:]
        for entry in try node.entries(what) {
            let name = spellings.first { $0.0 == entry.key }?.1 ?? entry.key
            if let first = entries.updateValue(entry, forKey: name) {
                throw DocumentError("\(what): `\(entry.key)` says again what `\(first.key)` says", at: entry.keyLocation)
            }
        }
        self.entries = entries
        self.what = what
        self.scope = scope
        location = node.location
    }

    /// AWS IoT demands a role of the action; who it is means nothing here, where there are no roles.
    func requireRole() throws(DocumentError) {
        guard let role = self["RoleArn"] else {
            throw DocumentError("\(what) lacks `RoleArn`, which AWS IoT demands; here any ARN will do", at: location)
        }
        // Of a reference to what Crema does not know, only that it is there can be said.
        if case .unresolved = role.content { return }
        guard try !role.text("RoleArn").isEmpty else { throw DocumentError("\(what): `RoleArn` is empty", at: role.location) }
    }

    subscript(name: String) -> Node? { entries[name]?.value }

    /// A text in which `${…}` stands for values of the message.
    func template(_ name: String) throws(DocumentError) -> (template: SubstitutionTemplate, location: SourceLocation, text: String) {
        guard let value = self[name] else { throw DocumentError("\(what) lacks `\(name)`", at: location) }
        return try template(value, name)
    }

    /// The same of a field that may be missing.
    func optionalTemplate(_ name: String) throws(DocumentError) -> (template: SubstitutionTemplate, location: SourceLocation)? {
        guard let value = self[name] else { return nil }
        let (template, location, _) = try template(value, name)
        return (template, location)
    }

    private func template(
        _ value: Node, _ name: String
    ) throws(DocumentError) -> (template: SubstitutionTemplate, location: SourceLocation, text: String) {
        let text = try value.text(name)
        do throws(SQLError) {
            return (try scope.template(text), value.location, text)
        } catch {
            throw DocumentError("\(what): \(name): \(error)", at: value.location)
        }
    }
}
