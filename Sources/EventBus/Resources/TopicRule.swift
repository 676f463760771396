import Documents
import MQTTCodec
import Rules

/// A compiled `AWS::IoT::TopicRule`: what to do with messages as devices publish them.
struct TopicRule: Sendable {
    enum Action: Sendable {
        case republish(RepublishAction)
        /// Crema's addition: the selected object becomes the detail of an event.
        case events(EventsAction)
        /// `cloudwatchLogs`, which is a line of Crema's own log.
        case log(group: SubstitutionTemplate)
        case queue(QueueAction)
        /// `http`.
        case call(HTTPAction)
        /// `lambda`, with the function's ARN as the template has it.
        case function(LambdaFunction, arn: String)

        /// What statistics and dead letters call it.
        var name: String {
            switch self {
            case .republish: "republish"
            case .events: "events"
            case .log: "cloudwatchLogs"
            case .queue: "sqs"
            case .call: "http"
            case .function: "lambda"
            }
        }

        /// What the document of an error action calls it.
        var documentedName: String {
            switch self {
            case .republish: "RepublishAction"
            case .events: "EventsAction"
            case .log: "CloudwatchLogsAction"
            case .queue: "SqsAction"
            case .call: "HttpAction"
            case .function: "LambdaAction"
            }
        }

        /// Where it was to deliver to, as the template says.
        var resource: String {
            switch self {
            case .republish(let republish): republish.topicText
            case .events(let events): events.busText
            case .log: "log"
            case .queue(let action): action.queueText
            case .call(let action): action.urlText
            case .function(_, let arn): arn
            }
        }
    }

    let name: String
    var isEnabled: Bool
    let statement: SQLStatement
    /// The statement as written.
    let sql: String
    let actions: [Action]
    /// Gets one document for each message of which an action, or the statement, failed.
    let errorAction: Action?
    var definition: TopicRuleDefinition
    let location: SourceLocation
}

extension SQLStatement {
    /// The filter by which messages find the rule.
    ///
    /// AWS IoT's `#` stands for one level or more, so that `a/#` is not for `a`.
    var matchedFilter: String? { topicFilter.map(Topics.withoutParent) }

    func isFor(topic: String) -> Bool { matchedFilter.map { Topics.matches(name: topic, filter: $0) } ?? false }
}

/// Reads an `AWS::IoT::TopicRule`.
struct TopicRuleReader {
    private let resource: TemplateDocument.Resource
    private let declared: DeclaredNames
    private let host: SQLHost
    private let what: String

    /// Messages call the rule `what`; as a template does unless given.
    init(resource: TemplateDocument.Resource, declared: DeclaredNames, host: SQLHost, what: String? = nil) {
        self.resource = resource
        self.declared = declared
        self.host = host
        self.what = what ?? "AWS::IoT::TopicRule `\(resource.logicalID)`"
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
        let known = ["Sql", "Actions", "AwsIotSqlVersion", "RuleDisabled", "Description", "ErrorAction"]
        _ = problems.collect { () throws(DocumentError) in try refuseUnknown(payload, what: what, known: known) }
        let version = problems.collect { () throws(DocumentError) in try self.version(payload) }
        let isEnabled = problems.collect { () throws(DocumentError) in !(try payload["RuleDisabled"]?.boolean("RuleDisabled") ?? false) }
        let statement = problems.collect { () throws(DocumentError) in try self.statement(payload, version ?? .v2016) }
        let reader = TopicRuleActionReader(
            what: what, declared: declared, scope: TemplatePlaces(statement: statement?.compiled, host: host))
        let actions = problems.collect { () throws(DocumentError) in try reader.actions(payload) }
        let errorAction = problems.collect { () throws(DocumentError) in try reader.errorAction(payload) }
        // Without actions it has been refused already.
        let definition =
            payload["Actions"] == nil
            ? nil
            : problems.collect { () throws(DocumentError) in
                try TopicRuleDefinition(payload, tags: readTags(resource.properties), version: version ?? .v2015)
            }
        try problems.finish()
        guard let name, let isEnabled, let statement, let actions, let errorAction, let definition else {
            throw DocumentError("\(what) cannot be read", at: resource.location)
        }
        return TopicRule(
            name: name, isEnabled: isEnabled, statement: statement.compiled, sql: statement.text, actions: actions,
            errorAction: errorAction, definition: definition, location: resource.location
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

    /// AWS's own default is the older one.
    func version(_ payload: Node) throws(DocumentError) -> SQLVersion {
        guard let value = payload["AwsIotSqlVersion"] else { return .v2015 }
        let text = try value.text("AwsIotSqlVersion")
        guard let version = SQLVersion(rawValue: text) else {
            let known = SQLVersion.allCases.map { "`\($0.rawValue)`" }.joined(separator: " and ")
            throw DocumentError("AwsIotSqlVersion `\(text)` is not supported; \(known) are", at: value.location)
        }
        return version
    }

    func statement(_ payload: Node, _ version: SQLVersion) throws(DocumentError) -> (compiled: SQLStatement, text: String) {
        let value = try payload.required("Sql", in: what)
        let text = try value.text("Sql")
        let statement: SQLStatement
        do throws(SQLError) {
            statement = try SQLStatement(parsing: text, version: version, host: host)
        } catch {
            throw DocumentError("Sql: \(error)", at: value.location)
        }
        if let filter = statement.topicFilter, filter == "$share" || filter.utf8.starts(with: "$share/".utf8) {
            throw DocumentError("Sql: a rule has no share of a subscription; FROM names the filter without $share", at: value.location)
        }
        return (statement, text)
    }
}
