import Documents
import MQTTCodec
import Rules

/// A compiled `AWS::IoT::TopicRule`: what to do with messages as devices publish them.
struct TopicRule: Sendable {
    enum Action: Sendable {
        case republish(topic: SubstitutionTemplate, qos: QoS)
        /// Crema's addition: the selected object becomes the detail of an event.
        case events(busName: SubstitutionTemplate, detailType: SubstitutionTemplate, source: SubstitutionTemplate)

        /// What statistics and dead letters call it.
        var name: String {
            switch self {
            case .republish: "republish"
            case .events: "events"
            }
        }
    }

    let name: String
    let isEnabled: Bool
    let statement: SQLStatement
    /// The statement as written.
    let sql: String
    let actions: [Action]
    let location: SourceLocation
}

/// Reads an `AWS::IoT::TopicRule`.
struct TopicRuleReader {
    static let actionsMax = 10

    private let resource: TemplateDocument.Resource
    private let busNames: [String]
    private let what: String

    init(resource: TemplateDocument.Resource, busNames: [String]) {
        self.resource = resource
        self.busNames = busNames
        what = "AWS::IoT::TopicRule `\(resource.logicalID)`"
    }

    func read() throws(DocumentError) -> TopicRule {
        var problems = ProblemCollector()
        _ = problems.collect { () throws(DocumentError) in
            try refuseUnknown(resource.properties, what: what, known: ["RuleName", "TopicRulePayload", "Tags"])
        }
        let name = problems.collect { () throws(DocumentError) in try ruleName() }
        let payload = problems.collect { () throws(DocumentError) in
            try resource.properties.required("TopicRulePayload", in: what)
        }
        guard let payload else {
            try problems.finish()
            throw DocumentError("\(what) cannot be read", at: resource.location)
        }
        let known = ["Sql", "Actions", "AwsIotSqlVersion", "RuleDisabled", "Description"]
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(payload, what: what, known: known) }
        _ = problems.collect { () throws(DocumentError) in try checkVersion(payload) }
        let isEnabled = problems.collect { () throws(DocumentError) in !(try payload["RuleDisabled"]?.boolean("RuleDisabled") ?? false) }
        let statement = problems.collect { () throws(DocumentError) in try self.statement(payload) }
        let actions = problems.collect { () throws(DocumentError) in
            try self.actions(payload, topicFilter: statement?.compiled.topicFilter)
        }
        try problems.finish()
        guard let name, let isEnabled, let statement, let actions else {
            throw DocumentError("\(what) cannot be read", at: resource.location)
        }
        return TopicRule(
            name: name, isEnabled: isEnabled, statement: statement.compiled, sql: statement.text, actions: actions,
            location: resource.location
        )
    }

    private func ruleName() throws(DocumentError) -> String {
        guard let value = resource.properties["RuleName"] else { return resource.logicalID }
        let name = try value.text("RuleName")
        let isValid = name.utf8.allSatisfy { isNameByte($0) && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") }
        guard (1...128).contains(name.utf8.count), isValid else {
            throw DocumentError("RuleName `\(name)` must be 1 to 128 letters, digits and `_`", at: value.location)
        }
        return name
    }

    private func checkVersion(_ payload: Node) throws(DocumentError) {
        let only = "2016-03-23"
        guard let value = payload["AwsIotSqlVersion"] else {
            // Without it AWS takes 2015-10-08, in which arrays and numbers mean something else.
            throw DocumentError(
                "\(what) needs `AwsIotSqlVersion: \(only)`; AWS's own default is a version that is not supported", at: payload.location)
        }
        let version = try value.text("AwsIotSqlVersion")
        guard version == only else {
            throw DocumentError("AwsIotSqlVersion `\(version)` is not supported, only `\(only)`", at: value.location)
        }
    }

    private func statement(_ payload: Node) throws(DocumentError) -> (compiled: SQLStatement, text: String) {
        let value = try payload.required("Sql", in: what)
        let text = try value.text("Sql")
        do throws(SQLError) {
            return (try SQLStatement(parsing: text), text)
        } catch {
            throw DocumentError("Sql: \(error)", at: value.location)
        }
    }

    private func actions(_ payload: Node, topicFilter: String?) throws(DocumentError) -> [TopicRule.Action] {
        let value = try payload.required("Actions", in: what)
        let elements = try value.elements("Actions")
        guard elements.count <= Self.actionsMax else {
            throw DocumentError("\(what) has \(elements.count) actions, but a rule has at most \(Self.actionsMax)", at: value.location)
        }
        var problems = ProblemCollector()
        var actions: [TopicRule.Action] = []
        for element in elements {
            if let action = problems.collect({ () throws(DocumentError) in try action(element, topicFilter: topicFilter) }) {
                actions.append(action)
            }
        }
        try problems.finish()
        return actions
    }

    private func action(_ node: Node, topicFilter: String?) throws(DocumentError) -> TopicRule.Action {
        let entries = try node.entries("an action")
        guard let only = entries.first, entries.count == 1 else {
            throw DocumentError("an action of \(what) must have exactly one key, such as `Republish`", at: node.location)
        }
        switch only.key {
        case "Republish", "republish": return try republish(only.value, topicFilter: topicFilter)
        case "Events", "events": return try events(only.value)
        default:
            throw DocumentError("\(what): the action \(only.key) is not supported; Republish and events are", at: only.keyLocation)
        }
    }

    /// AWS demands `RoleArn`; it has no meaning here, where there are no roles.
    private func republish(_ node: Node, topicFilter: String?) throws(DocumentError) -> TopicRule.Action {
        let fields = try ActionFields(node, known: ["RoleArn", "Topic", "Qos"], what: "\(what): Republish")
        let (topic, location, text) = try fields.template("Topic")
        // `$$` stands for a `$` that begins a topic.
        if text.hasPrefix("$"), !text.hasPrefix("${") {
            throw DocumentError("\(what): topics that begin with `$` belong to the broker", at: location)
        }
        if !text.contains("${") {
            guard !text.isEmpty, !text.contains(where: { $0 == "+" || $0 == "#" || $0 == "\0" }) else {
                throw DocumentError("\(what): `\(text)` is not the name of a topic", at: location)
            }
            if let topicFilter, Topics.matches(name: text, filter: topicFilter) {
                throw DocumentError(
                    "Republish topic cannot be within topic space of rule's topic pattern '\(topicFilter)'", at: location
                )
            }
        }
        return .republish(topic: topic, qos: try fields["Qos"].map(readQoS) ?? .atMostOnce)
    }

    private func events(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let fields = try ActionFields(node, known: ["BusName", "DetailType", "Source"], what: "\(what): events")
        let (busName, location, text) = try fields.template("BusName")
        if !text.contains("${"), !busNames.contains(EventBusReader.name(inReference: text)) {
            throw DocumentError("Event bus \(text) does not exist\(suggestion(for: text, among: busNames))", at: location)
        }
        return .events(
            busName: busName,
            detailType: try fields.template("DetailType").template,
            source: try fields.template("Source").template
        )
    }
}

/// The fields of an action, in CloudFormation's spelling (`BusName`) or the API's (`busName`).
private struct ActionFields {
    private let entries: [String: Node.Entry]
    private let what: String
    private let location: SourceLocation

    init(_ node: Node, known: [String], what: String) throws(DocumentError) {
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
        location = node.location
    }

    subscript(name: String) -> Node? { entries[name]?.value }

    /// A text in which `${…}` stands for values of the message.
    func template(_ name: String) throws(DocumentError) -> (template: SubstitutionTemplate, location: SourceLocation, text: String) {
        guard let value = self[name] else { throw DocumentError("\(what) lacks `\(name)`", at: location) }
        let text = try value.text(name)
        do throws(SQLError) {
            return (try SubstitutionTemplate(parsing: text), value.location, text)
        } catch {
            throw DocumentError("\(what): \(name): \(error)", at: value.location)
        }
    }
}
