package import Documents
package import Queues
package import Rules

/// The buses and rules of all templates, compiled and checked.
///
/// What Crema does not carry out is refused here, by name and place: a rule that loads is a rule that works.
package struct ResourceSet: Sendable {
    /// Names of the buses, `default` among them.
    package let busNames: [String]
    /// The queues that the templates declare.
    package let queues: [QueueDeclaration]
    /// In the order of the templates; so are their outputs.
    let eventRules: [EventRule]
    let topicRules: [TopicRule]

    package static let defaultBusName = "default"

    /// Compiles the templates' resources.
    ///
    /// - Parameters:
    ///   - templates: all of them.
    ///   - host: what the program lends the statements of topic rules.
    ///   - calls: what the configuration says of calls over HTTP.
    /// - Throws: every mistake of all templates, with file, line and column.
    package init(
        templates: [TemplateDocument], host: SQLHost = SQLHost(), calls: CallSettings = CallSettings()
    ) throws(DocumentError) {
        var problems = ProblemCollector()
        var names = NameTable(kind: "bus")
        names.declare(Self.defaultBusName, at: SourceLocation(file: "built-in"), &problems)
        let resources = templates.flatMap(\.resources)
        for resource in resources where resource.type == "AWS::Events::EventBus" {
            let name = problems.collect { () throws(DocumentError) in try EventBusReader.name(of: resource) }
            if let name { names.declare(name, at: resource.location, &problems) }
        }
        let busNames = names.all
        let queues = QueueReader.queues(in: resources, &problems)
        let destinations = APIDestinationReader.destinations(in: resources, calls, &problems)
        let declared = DeclaredNames(buses: busNames, queues: queues.map(\.name), destinations: destinations, calls: calls)
        var eventRules: [EventRule] = []
        var topicRules: [TopicRule] = []
        var eventRuleNames = NameTable(kind: "rule")
        var topicRuleNames = NameTable(kind: "topic rule")
        for resource in resources where resource.type == "AWS::Events::Rule" {
            let rule = problems.collect { () throws(DocumentError) in
                try EventRuleReader(resource: resource, declared: declared).read()
            }
            guard let rule else { continue }
            eventRuleNames.declare("\(rule.busName)/\(rule.name)", at: rule.location, &problems)
            eventRules.append(rule)
        }
        for resource in resources where resource.type == "AWS::IoT::TopicRule" {
            let rule = problems.collect { () throws(DocumentError) in
                try TopicRuleReader(resource: resource, declared: declared, host: host).read()
            }
            guard let rule else { continue }
            topicRuleNames.declare(rule.name, at: rule.location, &problems)
            topicRules.append(rule)
        }
        try problems.finish()
        self.busNames = busNames
        self.queues = queues
        self.eventRules = eventRules
        self.topicRules = topicRules
    }

    package var eventRuleCount: Int { eventRules.count }
    package var topicRuleCount: Int { topicRules.count }
}

/// Reads an `AWS::Events::EventBus`.
enum EventBusReader {
    // A description and tags change nothing; every other property would change who may do what, or where failures go.
    private static let properties = ["Name", "Description", "Tags"]

    static func name(of resource: TemplateDocument.Resource) throws(DocumentError) -> String {
        let what = "AWS::Events::EventBus `\(resource.logicalID)`"
        try refuseUnknown(resource.properties, what: what, known: properties)
        let value = try resource.properties.required("Name", in: what)
        let name = try value.text("Name")
        let isValid = (1...256).contains(name.utf8.count) && name.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "/") }
        guard isValid else {
            throw DocumentError("Name `\(name)` must be 1 to 256 letters, digits and any of `.-_/`", at: value.location)
        }
        return name
    }

    /// The name in a bus's ARN, or the text itself.
    static func name(inReference reference: String) -> String {
        guard reference.hasPrefix("arn:"), let range = reference.firstRange(of: ":event-bus/") else { return reference }
        return String(reference[range.upperBound...])
    }
}

/// Letters, digits and `.-_`: what AWS allows in the names of rules and targets.
func isNameByte(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
}

/// Refuses every property that is not known, each by its name and place.
func refuseUnknown(_ node: Node, what: String, known: [String]) throws(DocumentError) {
    var problems = ProblemCollector()
    for entry in try node.entries(what) where !known.contains(entry.key) {
        let hint = nearest(to: entry.key, among: known)
        problems.add("\(what): the property \(entry.key) is not supported\(hint)", at: entry.keyLocation)
    }
    try problems.finish()
}

/// A suggestion only where the name is nearly right: a real property that Crema lacks needs no list of others.
private func nearest(to name: String, among known: [String]) -> String {
    let text = suggestion(for: name, among: known)
    return text.hasPrefix("; did you mean") ? text : ""
}
