import BrokerCore
import NIOCore
import Rules

/// The topic rules in force, with their counters.
///
/// Immutable: a change makes another one.
final class TopicRuleTable: Sendable {
    struct Entry: Sendable {
        let rule: TopicRule
        let counters: RuleCounters
    }

    /// In the order of the templates, those that came by API behind them.
    let entries: [Entry]
    /// The filters of the enabled rules, each once.
    let filters: [String]
    /// Finds the enabled rules whose filter matches, by their position.
    private let index: FilterIndex
    /// The enabled rules by their names.
    private let positions: [String: Int]

    /// - Parameters:
    ///   - rules: all of them.
    ///   - previous: whose counters go on for the rules that stay.
    init(_ rules: [TopicRule], previous: TopicRuleTable? = nil) {
        var counters: [String: RuleCounters] = [:]
        for entry in previous?.entries ?? [] { counters[entry.rule.name] = entry.counters }
        entries = rules.map { Entry(rule: $0, counters: counters[$0.name] ?? RuleCounters()) }
        let filters = rules.map { $0.isEnabled ? $0.statement.topicFilter : nil }
        index = FilterIndex(rules.map { $0.isEnabled ? $0.statement.matchedFilter : nil })
        var known: Set<String> = []
        self.filters = filters.compactMap(\.self).filter { known.insert($0).inserted }
        var positions: [String: Int] = [:]
        for (position, rule) in rules.enumerated() where rule.isEnabled { positions[rule.name] = position }
        self.positions = positions
    }

    /// The enabled rules that want messages on the topic, in their order.
    func rules(matching topic: ByteBuffer) -> [Entry] { index.matches(topic).map { entries[$0] } }

    /// The enabled rule of a name.
    func rule(named name: String) -> Entry? { positions[name].map { entries[$0] } }
}
