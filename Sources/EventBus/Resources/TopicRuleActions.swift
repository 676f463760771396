import Documents
import MQTTCodec
import Queues
import Rules

/// Publishes what the statement selected on another topic.
struct RepublishAction: Sendable {
    let topic: SubstitutionTemplate
    /// The template as written.
    let topicText: String
    let topicLocation: SourceLocation
    let qos: QoS
    let headers: RepublishHeaders?
}

/// Puts what the statement selected on a bus.
struct EventsAction: Sendable {
    let busName: SubstitutionTemplate
    /// The template as written.
    let busText: String
    let detailType: SubstitutionTemplate
    let source: SubstitutionTemplate
}

/// Sends what the statement selected to a queue.
struct QueueAction: Sendable {
    let queueURL: SubstitutionTemplate
    /// The template as written.
    let queueText: String
    let usesBase64: Bool
}

/// Whether a text could be the name of a topic.
func isTopicName(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
        && !Topics.hasDisallowedCharacter(text.utf8.span)
}

/// Reads the actions of an `AWS::IoT::TopicRule`.
struct TopicRuleActionReader {
    static let actionsMax = 10

    let what: String
    let declared: DeclaredNames
    let scope: TemplatePlaces

    func actions(_ payload: Node) throws(DocumentError) -> [TopicRule.Action] {
        let value = try payload.required("Actions", in: what)
        let elements = try value.elements("Actions")
        guard elements.count <= Self.actionsMax else {
            throw DocumentError("\(what) has \(elements.count) actions, but a rule has at most \(Self.actionsMax)", at: value.location)
        }
        var problems = ProblemCollector()
        var actions: [TopicRule.Action] = []
        for element in elements {
            if let action = problems.collect({ () throws(DocumentError) in try action(element) }) { actions.append(action) }
        }
        try problems.finish()
        return actions
    }

    /// Nil where the rule has none.
    func errorAction(_ payload: Node) throws(DocumentError) -> TopicRule.Action? {
        try payload["ErrorAction"].map { (node) throws(DocumentError) in try action(node) }
    }

    private func action(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let entries = try node.entries("an action")
        guard let only = entries.first, entries.count == 1 else {
            throw DocumentError("an action of \(what) must have exactly one key, such as `Republish`", at: node.location)
        }
        switch only.key {
        case "Republish", "republish": return try republish(only.value)
        case "Events", "events": return try events(only.value)
        case "CloudwatchLogs", "cloudwatchLogs": return try log(only.value)
        case "Sqs", "sqs": return try queue(only.value)
        case "Http", "http":
            return .call(try HTTPAction(only.value, what: "\(what): Http", scope: scope, policy: declared.calls.policy))
        case "Lambda", "lambda": return try function(only.value)
        default:
            throw DocumentError(
                "\(what): the action \(only.key) is not supported; Republish, CloudwatchLogs, Sqs, Http, Lambda and events are",
                at: only.keyLocation)
        }
    }

    private func republish(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let what = "\(what): Republish"
        let fields = try ActionFields(node, known: ["RoleArn", "Topic", "Qos", "Headers"], what: what, scope: scope)
        let (topic, location, text) = try fields.template("Topic")
        // `$$` stands for a `$` that begins a topic.
        if text.utf8.first == UInt8(ascii: "$"), !text.utf8.starts(with: "${".utf8) {
            let reason =
                text.utf8.starts(with: "$$aws/".utf8) ? ", and there are no shadows, jobs or other services of AWS behind them" : ""
            throw DocumentError("\(self.what): topics that begin with `$` belong to the broker\(reason)", at: location)
        }
        if let topic = topic.constant {
            guard isTopicName(topic) else { throw DocumentError("\(self.what): `\(topic)` is not the name of a topic", at: location) }
            if let topicFilter = scope.statement?.topicFilter, scope.statement?.isFor(topic: topic) == true {
                throw DocumentError(
                    "Republish topic cannot be within topic space of rule's topic pattern '\(topicFilter)'", at: location
                )
            }
        }
        let headers = try fields["Headers"].map { (node) throws(DocumentError) in
            try RepublishHeaders(node, what: "\(what): Headers", scope: scope)
        }
        let qos = try fields["Qos"].map { (node) throws(DocumentError) in try readQoS(node, in: 0...1) } ?? .atMostOnce
        try fields.requireRole()
        return .republish(RepublishAction(topic: topic, topicText: text, topicLocation: location, qos: qos, headers: headers))
    }

    private func events(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let fields = try ActionFields(
            node, known: ["BusName", "DetailType", "Source"], what: "\(what): events", scope: scope)
        let (busName, location, text) = try fields.template("BusName")
        if let name = busName.constant {
            try declared.requireBus(EventBusReader.name(inReference: name), at: location)
        }
        let (source, sourceLocation, sourceText) = try fields.template("Source")
        if source.constant?.utf8.starts(with: "aws.".utf8) ?? false {
            throw DocumentError(
                "\(what): the source `\(sourceText)` begins with `aws.`, which is for the services' own events", at: sourceLocation)
        }
        return .events(
            EventsAction(busName: busName, busText: text, detailType: try fields.template("DetailType").template, source: source))
    }

    /// The text that the service sends is the payload, or its Base64.
    private func queue(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let what = "\(what): Sqs"
        let fields = try ActionFields(
            node, known: ["RoleArn", "QueueUrl", "UseBase64"], what: what, scope: scope)
        let (url, location, text) = try fields.template("QueueUrl")
        if let constant = url.constant {
            guard let name = QueueName(url: constant) else {
                throw DocumentError(
                    "\(what): `\(constant)` is not the URL of a queue, `https://HOST/ACCOUNT/QUEUE`",
                    at: location)
            }
            guard !name.isOrdered else {
                throw DocumentError("\(what): `\(constant)` is a FIFO queue, to which topic rules cannot send", at: location)
            }
            try declared.requireQueue(name.text, at: location)
        }
        let usesBase64 = try fields["UseBase64"]?.boolean("UseBase64") ?? false
        try fields.requireRole()
        return .queue(QueueAction(queueURL: url, queueText: text, usesBase64: usesBase64))
    }

    private func function(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let what = "\(what): Lambda"
        let fields = try ActionFields(node, known: ["FunctionArn"], what: what, scope: scope)
        let (template, location, text) = try fields.template("FunctionArn")
        guard let arn = template.constant, let function = try LambdaFunction(arn: arn, calls: declared.calls, what: what, at: location)
        else {
            throw DocumentError(
                "\(what): `\(text)` is not the ARN of a function, `arn:aws:lambda:REGION:ACCOUNT:function:NAME`", at: location)
        }
        return .function(function, arn: arn)
    }

    private func log(_ node: Node) throws(DocumentError) -> TopicRule.Action {
        let fields = try ActionFields(
            node, known: ["RoleArn", "LogGroupName", "BatchMode"], what: "\(what): CloudwatchLogs", scope: scope)
        if let value = fields["BatchMode"], try value.boolean("BatchMode") {
            throw DocumentError("\(what): CloudwatchLogs: `BatchMode: true` is not supported", at: value.location)
        }
        let group = try fields.template("LogGroupName").template
        try fields.requireRole()
        return .log(group: group)
    }
}
