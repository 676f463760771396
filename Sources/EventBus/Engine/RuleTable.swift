import NIOCore
import Rules

/// The rules in force, with their counters.
///
/// Immutable: a change makes another one, which shares with this one what has not changed.
final class RuleTable: Sendable {
    typealias Event = EventRuleTable.Entry
    typealias Topic = TopicRuleTable.Entry

    private let events: EventRuleTable
    private let topics: TopicRuleTable
    let searches: SearchPool
    /// What these rules may call, for people who ask.
    let connections: [ConnectionDeclaration]
    let destinations: [APIDestinationDeclaration]

    /// - Parameters:
    ///   - resources: the rules.
    ///   - previous: whose counters go on for the rules that stay.
    init(_ resources: ResourceSet, previous: RuleTable? = nil) {
        var events = previous?.events ?? EventRuleTable()
        events.replace(resources)
        self.events = events
        topics = TopicRuleTable(resources.topicRules, previous: previous?.topics)
        connections = resources.connections
        destinations = resources.destinations
        searches = previous?.searches ?? SearchPool()
    }

    /// The same with some rules changed.
    ///
    /// - Parameters:
    ///   - previous: the rules before.
    ///   - rules: event rules by their keys; nil for one that is gone.
    ///   - topicRules: all topic rules, where one of them has changed.
    init(_ previous: RuleTable, changing rules: [RuleKey: EventRule?], topicRules: [TopicRule]?) {
        var events = previous.events
        for (key, rule) in rules {
            if let rule { events.put(rule) } else { events.remove(key) }
        }
        self.events = events
        topics = topicRules.map { TopicRuleTable($0, previous: previous.topics) } ?? previous.topics
        searches = previous.searches
        (connections, destinations) = (previous.connections, previous.destinations)
    }

    // MARK: - Event rules

    /// All of them, in their order.
    var eventRules: [Event] { events.entries }

    func eventRule(_ key: RuleKey) -> Event? { events.entry(key) }

    /// The enabled rule of this name that runs by the clock.
    func scheduledRule(named name: String) -> Event? { events.scheduledRule(named: name) }

    /// The event rule of a name, be it enabled or not.
    func eventRule(_ name: String, onBus bus: String) -> Event? { events.entry(RuleKey(bus: bus, name: name)) }

    func hasTopicRule(named name: String) -> Bool { topicRules.contains { $0.rule.name == name } }

    /// All enabled rules that run by the clock, by their names.
    var schedules: [(name: String, expression: ScheduleExpression)] { events.schedules }

    func hasBus(_ name: String) -> Bool { events.hasBus(name) }

    /// Whether an event on this bus is looked at by anyone, so that it must be parsed.
    func hasRules(onBus name: String) -> Bool { events.hasRules(onBus: name) }

    /// The enabled rules of a bus that want the event with this JSON, in the order of the templates, those that came by API behind them.
    func rules(onBus name: String, matching event: [UInt8]) -> [Event] {
        events.rules(onBus: name, matching: event, searches: searches)
    }

    // MARK: - Topic rules

    var topicRules: [Topic] { topics.entries }

    /// The filters of the enabled topic rules, each once.
    var topicFilters: [String] { topics.filters }

    /// The enabled topic rules that want messages on the topic, in the order of the templates.
    func topicRules(matching topic: ByteBuffer) -> [Topic] { topics.rules(matching: topic) }

    /// The enabled topic rule of a name.
    func topicRule(named name: String) -> Topic? { topics.rule(named: name) }
}
