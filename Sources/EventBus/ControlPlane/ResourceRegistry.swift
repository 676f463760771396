import Documents
import Rules

/// What the templates declare and what came by API: buses, rules, topic rules, connections and API destinations.
///
/// Either kind keeps its order, the templates' first: so are their outputs. What is a template's is not changed here.
struct ResourceRegistry: Sendable {
    /// What has changed, for the engine to follow.
    struct Changes: Sendable {
        /// Event rules; nil for one that is gone.
        var rules: [RuleKey: EventRule?] = [:]
        var hasTopicRules = false
        /// Buses, or what targets refer to: everything is put in force anew.
        var needsAll = false
    }

    private(set) var templates: ResourceSet
    private var templateRules: OrderedTable<RuleKey, EventRule>
    private var templateTopicRules: OrderedTable<String, TopicRule>
    private(set) var buses = OrderedTable<String, BusDeclaration> { $0.name }
    /// What the API said of the built-in bus; nil for nothing.
    private(set) var defaultBus: BusDeclaration?
    var eventRules = OrderedTable<RuleKey, EventRule> { RuleKey($0) }
    private(set) var topicRules = OrderedTable<String, TopicRule> { $0.name }
    /// How many event rules each bus has.
    private var ruleCounts: [String: Int] = [:]
    private var changes = Changes()
    var notes = ResourceNotes()
    var connections = OrderedTable<String, ConnectionDeclaration>(key: { $0.name }) {
        didSet { changes.needsAll = true }
    }
    var destinations = OrderedTable<String, APIDestinationDeclaration>(key: { $0.name }) {
        didSet { changes.needsAll = true }
    }
    /// What PutPermission said, by the names of the buses, those of templates among them.
    private(set) var policies: [String: BusPolicy] = [:]
    /// When the templates were read, in milliseconds since 1970.
    private(set) var loadedMilliseconds: Int64

    init(templates: ResourceSet, loadedMilliseconds: Int64) {
        self.templates = templates
        self.loadedMilliseconds = loadedMilliseconds
        templateRules = OrderedTable(templates.eventRules) { RuleKey($0) }
        templateTopicRules = OrderedTable(templates.topicRules) { $0.name }
        for rule in templates.eventRules { ruleCounts[rule.busName, default: 0] += 1 }
    }

    /// What has changed since this was asked last.
    mutating func takeChanges() -> Changes {
        defer { changes = Changes() }
        return changes
    }

    /// All of it, for the engine.
    var resources: ResourceSet { templates.adding(self) }

    /// What targets and actions may refer to, but for the queues that came by API.
    var declared: DeclaredNames {
        var names = templates.declared
        names.buses = allBuses.map(\.name)
        for destination in destinations.values { names.destinations[destination.name] = destination }
        return names
    }

    /// Takes other templates, which must not declare again what came by API, nor lack a bus that rules by API are on.
    mutating func replace(templates next: ResourceSet, loadedMilliseconds: Int64) throws(DocumentError) {
        var problems = ProblemCollector()
        for bus in next.buses {
            guard let known = buses[bus.name] else { continue }
            problems.add("the bus `\(bus.name)` exists already, by \(known.location)", at: bus.location)
        }
        for rule in next.eventRules {
            guard let known = eventRules[RuleKey(rule)] else { continue }
            problems.add("the rule `\(rule.busName)/\(rule.name)` exists already, by \(known.location)", at: rule.location)
        }
        for rule in next.topicRules {
            guard let known = topicRules[rule.name] else { continue }
            problems.add("the topic rule `\(rule.name)` exists already, by \(known.location)", at: rule.location)
        }
        let names = Set(next.buses.map(\.name) + buses.values.map(\.name))
        for rule in eventRules.values where !names.contains(rule.busName) {
            problems.add("no template declares the bus `\(rule.busName)` of the rule `\(rule.name)` any more", at: rule.location)
        }
        checkCalls(of: next, &problems)
        try problems.finish()
        var registry = ResourceRegistry(templates: next, loadedMilliseconds: loadedMilliseconds)
        (registry.buses, registry.eventRules, registry.topicRules) = (buses, eventRules, topicRules)
        for rule in eventRules.values { registry.ruleCounts[rule.busName, default: 0] += 1 }
        (registry.connections, registry.destinations) = (connections, destinations)
        registry.defaultBus = defaultBus
        registry.notes = notes
        // What was said of a bus goes with it.
        registry.policies = policies.filter { names.contains($0.key) }
        for bus in policies.keys where !names.contains(bus) { registry.notes.touch(.policy(bus)) }
        registry.linkDestinations()
        self = registry
    }

    // MARK: - Buses

    func bus(_ name: String) -> BusDeclaration? {
        if name == ResourceSet.defaultBusName, let defaultBus { return defaultBus }
        return buses[name] ?? templates.buses.first { $0.name == name }
    }

    func isOfTemplate(bus name: String) -> Bool { buses[name] == nil }

    var allBuses: [BusDeclaration] {
        templates.buses.map { $0.name == ResourceSet.defaultBusName ? defaultBus ?? $0 : $0 } + buses.values
    }

    mutating func put(_ bus: BusDeclaration) {
        notes.touch(.bus(bus.name))
        guard bus.name != ResourceSet.defaultBusName else {
            // It is there already; what is said of it is nothing to the engine.
            defaultBus = bus
            return
        }
        changes.needsAll = true
        buses.put(bus)
    }

    mutating func remove(bus name: String) {
        changes.needsAll = true
        notes.touch(.bus(name))
        buses.remove(name)
    }

    /// What was said of a bus; nil for nothing.
    mutating func put(_ policy: BusPolicy?, ofBus name: String) {
        notes.touch(.policy(name))
        policies[name] = policy
    }

    func requireBus(_ name: String) throws(ControlError) {
        guard bus(name) != nil else { throw .noBus(name) }
    }

    // MARK: - Rules

    func rule(_ key: RuleKey) -> EventRule? { eventRules[key] ?? templateRules[key] }
    func isOfTemplate(rule key: RuleKey) -> Bool { templateRules[key] != nil }

    func rules(onBus bus: String) -> [EventRule] {
        templateRules.values.filter { $0.busName == bus } + eventRules.values.filter { $0.busName == bus }
    }

    func ruleCount(onBus bus: String) -> Int { ruleCounts[bus] ?? 0 }

    mutating func put(_ rule: EventRule) {
        let key = RuleKey(rule)
        if eventRules[key] == nil { ruleCounts[rule.busName, default: 0] += 1 }
        changes.rules[key] = .some(rule)
        notes.touch(.rule(key))
        eventRules.put(rule)
    }

    mutating func remove(rule key: RuleKey) {
        guard eventRules[key] != nil else { return }
        ruleCounts[key.bus, default: 1] -= 1
        changes.rules[key] = .some(nil)
        notes.touch(.rule(key))
        eventRules.remove(key)
    }

    /// The rule, which must be there.
    func required(_ key: RuleKey) throws(ControlError) -> EventRule {
        try requireBus(key.bus)
        guard let rule = rule(key) else { throw .noRule(key.name, onBus: key.bus) }
        return rule
    }

    /// The rule, which must be there and have come by API.
    func changeable(_ key: RuleKey) throws(ControlError) -> EventRule {
        let rule = try required(key)
        try refuseTemplate(rule)
        return rule
    }

    func refuseTemplate(_ rule: EventRule) throws(ControlError) {
        guard isOfTemplate(rule: RuleKey(rule)) else { return }
        throw .ofTemplate("Rule \(rule.name) on EventBus \(rule.busName)", at: rule.location, .managedRule)
    }

    // MARK: - Topic rules

    func topicRule(_ name: String) -> TopicRule? { topicRules[name] ?? templateTopicRules[name] }
    var allTopicRules: [TopicRule] { templateTopicRules.values + topicRules.values }

    mutating func put(_ rule: TopicRule) {
        changes.hasTopicRules = true
        notes.touch(.topicRule(rule.name))
        topicRules.put(rule)
    }

    mutating func remove(topicRule name: String) {
        changes.hasTopicRules = true
        notes.touch(.topicRule(name))
        topicRules.remove(name)
    }

    func required(topicRule name: String) throws(ControlError) -> TopicRule {
        guard let rule = topicRule(name) else { throw .noTopicRule(name) }
        return rule
    }

    func changeable(topicRule name: String) throws(ControlError) -> TopicRule {
        let rule = try required(topicRule: name)
        guard templateTopicRules[name] == nil else {
            throw .ofTemplate("Topic rule \(name)", at: rule.location, .conflictingUpdate)
        }
        return rule
    }
}
