package import Documents

/// An AWS IoT policy: what its statements allow and deny.
package struct Policy: Sendable {
    package enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    package struct Statement: Sendable {
        package var effect: Effect
        package var actions: Set<PolicyAction>
        var resources: [ResourceText]
        /// All of which must hold.
        var conditions: [PolicyCondition] = []
        /// Of the policy that it stands in.
        package var policy: String
        /// `Sid`, or its place among the policy's statements, from 1.
        package var name: String
        package var location: SourceLocation
    }

    package var name: String
    package var statements: [Statement]
    /// Of the resource that declares it, or the call that it came by.
    package var location: SourceLocation
    /// What it was read from.
    package var document: Node

    /// Whether a statement depends on more of a client than its names.
    var asksForAttributes: Bool {
        statements.contains { statement in
            statement.resources.contains(where: \.asksForAttributes) || statement.conditions.contains(where: \.asksForAttributes)
        }
    }
}

extension Policy {
    /// Reads a policy that came by API.
    ///
    /// - Parameters:
    ///   - name: the policy's.
    ///   - document: with `Version` and `Statement`, and the call as its place.
    /// - Throws: every mistake in it.
    package init(name: String, document: Node) throws(DocumentError) {
        self = try PolicyReader.read(document, named: name, what: "the policy \(name)", at: document.location)
    }
}

/// Reads `AWS::IoT::Policy`.
enum PolicyReader {
    private static let properties = ["PolicyName", "PolicyDocument", "Tags"]
    private static let statementKeys = ["Sid", "Effect", "Action", "Resource", "Condition"]
    private static let version = "2012-10-17"

    static func read(_ resource: TemplateDocument.Resource) throws(DocumentError) -> Policy {
        let what = "AWS::IoT::Policy `\(resource.logicalID)`"
        _ = try resource.properties.entries(what, known: properties)
        let name = try resource.properties["PolicyName"]?.text("PolicyName") ?? resource.logicalID
        let document = try resource.properties.required("PolicyDocument", in: what)
        return try read(document, named: name, what: what, at: resource.location)
    }

    static func read(_ document: Node, named name: String, what: String, at location: SourceLocation) throws(DocumentError) -> Policy {
        _ = try document.entries("PolicyDocument", known: ["Version", "Id", "Statement"])
        let written = try document.required("Version", in: "PolicyDocument")
        guard try written.text("Version") == version else {
            throw DocumentError("\(what): the Version of a policy is \"\(version)\"", at: written.location)
        }
        let list = try document.required("Statement", in: "PolicyDocument")
        let nodes: [Node] = if case .sequence(let elements) = list.content { elements } else { [list] }
        var problems = ProblemCollector()
        var statements: [Policy.Statement] = []
        for (index, node) in nodes.enumerated() {
            let statement = problems.collect { () throws(DocumentError) in try Self.statement(node, place: index + 1, policy: name) }
            if let statement { statements.append(statement) }
        }
        try problems.finish()
        return Policy(name: name, statements: statements, location: location, document: document)
    }

    private static func statement(_ node: Node, place: Int, policy: String) throws(DocumentError) -> Policy.Statement {
        let what = "statement \(place) of the policy \(policy)"
        for entry in try node.entries(what) where !statementKeys.contains(entry.key) {
            throw DocumentError("\(what): \(entry.key) is not supported", at: entry.keyLocation)
        }
        let effectNode = try node.required("Effect", in: what)
        guard let effect = Policy.Effect(rawValue: try effectNode.text("Effect")) else {
            throw DocumentError("\(what): Effect is Allow or Deny", at: effectNode.location)
        }
        var actions: Set<PolicyAction> = []
        for action in try oneOrMore(node.required("Action", in: what)) {
            actions.formUnion(try Self.actions(try action.text("Action"), at: action.location))
        }
        var resources: [ResourceText] = []
        for resource in try oneOrMore(node.required("Resource", in: what)) {
            resources.append(try ResourceText(try resource.text("Resource"), at: resource.location))
        }
        let statement = Policy.Statement(
            effect: effect, actions: actions, resources: resources,
            conditions: try node["Condition"].map { (node) throws(DocumentError) in try PolicyCondition.all(in: node, what: what) } ?? [],
            policy: policy,
            name: try node["Sid"]?.text("Sid") ?? "\(place)", location: node.location)
        try refuseIdle(statement, what: what)
        return statement
    }

    private static func oneOrMore(_ node: Node) throws(DocumentError) -> [Node] {
        guard case .sequence(let elements) = node.content else { return [node] }
        guard !elements.isEmpty else { throw DocumentError("the list is empty", at: node.location) }
        return elements
    }

    /// The actions that a text with wildcards stands for; none for the actions of calls that Crema does not serve.
    private static func actions(_ text: String, at location: SourceLocation) throws(DocumentError) -> Set<PolicyAction> {
        let pattern = ResourcePattern(wildcardsIn: text.lowercased())
        func isMeant(_ name: String) -> Bool { pattern.matches(Array(name.lowercased().utf8), isFilter: false) }
        let meant = PolicyAction.allCases.filter { isMeant($0.rawValue) }
        if meant.isEmpty, !PolicyAction.ofOtherCalls.contains(where: isMeant) {
            let known = PolicyAction.allCases.map(\.rawValue)
            throw DocumentError("there is no action `\(text)`\(suggestion(for: text, among: known))", at: location)
        }
        return Set(meant)
    }

    /// A statement none of whose actions is ever asked for one of its resources is a mistake that would only show as a refusal.
    private static func refuseIdle(_ statement: Policy.Statement, what: String) throws(DocumentError) {
        let applies = statement.actions.contains { action in
            statement.resources.contains { $0.couldBe(for: action) }
        }
        guard !applies, let action = statement.actions.min(by: { $0.rawValue < $1.rawValue }) else { return }
        let kinds = action.resourceKinds.map { "\($0)/…" }
        let wanted = kinds.isEmpty ? "resources of \(action.service)" : kinds.joined(separator: " and ")
        throw DocumentError(
            "\(what): \(action.rawValue) is asked for \(wanted) only, and no resource of the statement is one", at: statement.location)
    }
}
