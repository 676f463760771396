import Documents
import MQTTCodec
package import Rules

/// A topic rule as the API describes it.
package struct TopicRuleDescription: Sendable {
    package let name: String
    package let arn: String
    package let isEnabled: Bool
    package let sql: String
    /// The filter of the statement's `FROM`; nil where it has none.
    package let topicFilter: String?
    package let version: String
    package let description: String?
    /// JSON of a list.
    package let actions: [UInt8]
    /// JSON of an object.
    package let errorAction: [UInt8]?
    /// Milliseconds since 1970; of a template's rule, when the template was read.
    package let createdMilliseconds: Int64

    init(_ rule: TopicRule, loadedMilliseconds: Int64) {
        name = rule.name
        arn = "arn:aws:iot:\(TemplateScope.region):\(TemplateScope.accountID):rule/\(rule.name)"
        isEnabled = rule.isEnabled
        sql = rule.sql
        topicFilter = rule.statement.topicFilter
        version = rule.definition.version.rawValue
        description = rule.definition.description
        actions = rule.definition.actions
        errorAction = rule.definition.errorAction
        createdMilliseconds = rule.definition.createdMilliseconds ?? loadedMilliseconds
    }

    /// Whether its filter is this one or matches this topic.
    package func isFor(topic: String) -> Bool {
        guard let topicFilter else { return false }
        return topicFilter == topic || Topics.matches(name: topic, filter: Topics.withoutParent(topicFilter))
    }
}

/// After each change the broker must ask for the topic filters again.
extension ControlPlane {
    /// Makes a rule of an object with the members of AWS IoT's `TopicRulePayload`.
    package func createTopicRule(_ name: String, _ payload: JSONView, tags: [String: String] = [:]) throws(ControlError) {
        var rule = try read(name, payload, "CreateTopicRule")
        guard tags.count <= limits.tagsMax else { throw .tooMany }
        rule.definition.tags = tags
        rule.definition.createdMilliseconds = now
        let new = rule
        try change { (registry) throws(ControlError) in
            guard registry.topicRule(name) == nil else {
                throw ControlError(.resourceAlreadyExists, "Rule already exists: \(name)")
            }
            guard registry.allTopicRules.count < limits.topicRulesMax else {
                throw ControlError(.invalidRequest, "There are \(limits.topicRulesMax) topic rules already (topicRulesMax).")
            }
            registry.put(new)
        }
    }

    /// Replaces a rule that came by API; its tags and the time of its creation stay.
    package func replaceTopicRule(_ name: String, _ payload: JSONView) throws(ControlError) {
        _ = try look { (registry) throws(ControlError) in try registry.changeable(topicRule: name) }
        let new = try read(name, payload, "ReplaceTopicRule")
        try change { (registry) throws(ControlError) in
            let known = try registry.changeable(topicRule: name)
            var rule = new
            rule.definition.tags = known.definition.tags
            rule.definition.createdMilliseconds = known.definition.createdMilliseconds
            registry.put(rule)
        }
    }

    package func setTopicRule(_ name: String, enabled: Bool) throws(ControlError) {
        try change { (registry) throws(ControlError) in
            var rule = try registry.changeable(topicRule: name)
            rule.isEnabled = enabled
            registry.put(rule)
        }
    }

    package func deleteTopicRule(_ name: String) throws(ControlError) {
        try change { (registry) throws(ControlError) in
            if registry.topicRule(name) == nil, registry.notes.removeLeftOut(.topicRule(name)) { return }
            _ = try registry.changeable(topicRule: name)
            registry.remove(topicRule: name)
        }
    }

    package func topicRule(_ name: String) throws(ControlError) -> TopicRuleDescription {
        try look { (registry) throws(ControlError) in
            TopicRuleDescription(try registry.required(topicRule: name), loadedMilliseconds: registry.loadedMilliseconds)
        }
    }

    /// All topic rules in the order of their names.
    package func topicRules() throws(ControlError) -> [TopicRuleDescription] {
        try look { (registry) in
            registry.allTopicRules.map { TopicRuleDescription($0, loadedMilliseconds: registry.loadedMilliseconds) }
                .sorted { $0.name < $1.name }
        }
    }

    /// Reads a rule as one of a template is read.
    private func read(_ name: String, _ payload: JSONView, _ operation: String) throws(ControlError) -> TopicRule {
        let origin = origin(operation)
        let node = Node(payload, at: origin)
        guard case .mapping(let entries) = node.content else { throw ControlError(.invalidRequest, "The rule is not a JSON object.") }
        // The members of CloudFormation begin in upper case, those of the API in lower case.
        let members = entries.map {
            Node.Entry(key: $0.key.prefix(1).uppercased() + $0.key.dropFirst(), keyLocation: $0.keyLocation, value: $0.value)
        }
        let properties = Node(
            .mapping([
                Node.Entry(key: "RuleName", keyLocation: origin, value: .string(name, at: origin)),
                Node.Entry(key: "TopicRulePayload", keyLocation: origin, value: Node(.mapping(members), at: origin)),
            ]), at: origin)
        let reader = TopicRuleReader(
            resource: .init(logicalID: name, type: "AWS::IoT::TopicRule", properties: properties, location: origin),
            declared: try look { (registry) in declaredNames(registry) }, host: host, what: "topic rule \(name)")
        do throws(DocumentError) {
            let payload = Node(.mapping(members), at: origin)
            if payload["Sql"] != nil { _ = try reader.statement(payload, try reader.version(payload)) }
        } catch {
            throw ControlError(.sqlParse, error)
        }
        do throws(DocumentError) { return try reader.read() } catch { throw ControlError(.invalidRequest, error) }
    }
}
