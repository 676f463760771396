package import Documents
package import Queues
package import Rules

/// The buses and rules of all templates, compiled and checked.
///
/// What Crema does not carry out is refused here, by name and place: a rule that loads is a rule that works.
package struct ResourceSet: Sendable {
    /// `default` first.
    private(set) var buses: [BusDeclaration]
    /// The queues that the templates declare.
    package let queues: [QueueDeclaration]
    /// The archives that the templates declare.
    let archives: [ArchiveDeclaration]
    private(set) var connections: [ConnectionDeclaration]
    private(set) var destinations: [APIDestinationDeclaration]
    /// In the order of the templates; so are their outputs.
    private(set) var eventRules: [EventRule]
    private(set) var topicRules: [TopicRule]
    /// What targets and actions may refer to.
    let declared: DeclaredNames

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
        var buses = [BusDeclaration(name: Self.defaultBusName, details: ResourceDetails(), location: SourceLocation(file: "built-in"))]
        for resource in resources where resource.type == "AWS::Events::EventBus" {
            guard let bus = problems.collect({ () throws(DocumentError) in try EventBusReader.read(resource) }) else { continue }
            names.declare(bus.name, at: resource.location, &problems)
            buses.append(bus)
        }
        let busNames = names.all
        let queues = QueueReader.queues(in: resources, &problems)
        let declaredCalls = DeclaredCalls(resources, calls, &problems)
        let destinations = Dictionary(declaredCalls.destinations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let declared = DeclaredNames(buses: busNames, queues: queues.map(\.name), destinations: destinations, calls: calls)
        archives = ArchiveReader.archives(in: resources, declared: declared, &problems)
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
        self.buses = buses
        self.queues = queues
        self.declared = declared
        connections = declaredCalls.connections
        self.destinations = declaredCalls.destinations
        self.eventRules = eventRules
        self.topicRules = topicRules
    }

    /// The same with what came by API behind what the templates declare.
    func adding(_ registry: borrowing ResourceRegistry) -> ResourceSet {
        var resources = self
        resources.buses += registry.buses.values
        resources.eventRules += registry.eventRules.values
        resources.topicRules += registry.topicRules.values
        resources.connections += registry.connections.values
        resources.destinations += registry.destinations.values
        return resources
    }

    /// What can be loaded and is most likely not meant.
    package var warnings: [(location: SourceLocation, text: String)] {
        topicRules.flatMap { rule in
            (rule.actions + [rule.errorAction].compactMap { $0 }).compactMap { action in
                guard case .republish(let republish) = action, republish.topic.opensWithMessage else { return nil }
                return (
                    republish.topicLocation,
                    "the rule \(rule.name) republishes to `\(republish.topicText)`, whose first level comes out of the message: whoever publishes what "
                        + "the rule reads sends to any topic but the broker's own. Put a level of the rule's own before it"
                )
            }
        }
    }

    /// Names of the buses, `default` among them.
    package var busNames: [String] { buses.map(\.name) }

    package var eventRuleCount: Int { eventRules.count }
    package var topicRuleCount: Int { topicRules.count }
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
