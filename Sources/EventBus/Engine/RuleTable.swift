import BrokerCore
import NIOCore
import Rules

/// The rules in force, with their counters.
///
/// Immutable: a reload makes another one.
final class RuleTable: Sendable {
    struct Event: Sendable {
        let rule: EventRule
        let counters: RuleCounters
    }

    struct Topic: Sendable {
        let rule: TopicRule
        let counters: RuleCounters
    }

    let eventRules: [Event]
    let topicRules: [Topic]
    /// The filters of the enabled topic rules, each once.
    let topicFilters: [String]
    /// Finds the enabled topic rules whose filter matches, by their position in ``topicRules``.
    private let topicIndex: FilterIndex
    /// The enabled topic rules by their names.
    private let topicRulesByName: [String: Int]
    /// The enabled rules of each bus, by their position in ``eventRules``.
    private let buses: [String: PatternIndex<Int>]

    /// - Parameters:
    ///   - resources: the rules.
    ///   - previous: whose counters go on for the rules that stay.
    init(_ resources: ResourceSet, previous: RuleTable? = nil) {
        var counters: [String: RuleCounters] = [:]
        for entry in previous?.eventRules ?? [] { counters[Self.key(entry.rule)] = entry.counters }
        for entry in previous?.topicRules ?? [] { counters[Self.key(entry.rule)] = entry.counters }
        eventRules = resources.eventRules.map { Event(rule: $0, counters: counters[Self.key($0)] ?? RuleCounters()) }
        topicRules = resources.topicRules.map { Topic(rule: $0, counters: counters[Self.key($0)] ?? RuleCounters()) }

        var buses: [String: PatternIndex<Int>] = [:]
        for name in resources.busNames { buses[name] = PatternIndex() }
        for (position, rule) in resources.eventRules.enumerated() where rule.isEnabled {
            buses[rule.busName]?.insert(rule.pattern, for: position)
        }
        self.buses = buses
        let filters = resources.topicRules.map { $0.isEnabled ? $0.statement.topicFilter : nil }
        topicIndex = FilterIndex(filters)
        var known: Set<String> = []
        topicFilters = filters.compactMap(\.self).filter { known.insert($0).inserted }
        var byName: [String: Int] = [:]
        for (position, rule) in resources.topicRules.enumerated() where rule.isEnabled { byName[rule.name] = position }
        topicRulesByName = byName
    }

    /// The enabled topic rules that want messages on the topic, in the order of the templates.
    func topicRules(matching topic: ByteBuffer) -> [Topic] { topicIndex.matches(topic).map { topicRules[$0] } }

    /// The enabled topic rule of a name.
    func topicRule(named name: String) -> Topic? { topicRulesByName[name].map { topicRules[$0] } }

    func hasBus(_ name: String) -> Bool { buses[name] != nil }

    /// Whether an event on this bus is looked at by anyone, so that it must be parsed.
    func hasRules(onBus name: String) -> Bool { (buses[name]?.count ?? 0) > 0 }

    /// The enabled rules of a bus that want the event, in the order of the templates.
    func rules(onBus name: String, matching event: JSONView) -> [Event] {
        (buses[name]?.matches(event) ?? []).map { eventRules[$0] }
    }

    private static func key(_ rule: EventRule) -> String { "event \(rule.busName) \(rule.name)" }
    private static func key(_ rule: TopicRule) -> String { "topic \(rule.name)" }
}
