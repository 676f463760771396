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

    /// An enabled rule in the index of its bus.
    private struct Filed {
        let bus: String
        let number: Int
        let patternText: String
    }

    /// What a rule is known by over reloads.
    private enum Key: Hashable {
        case event(bus: String, name: String)
        case topic(String)

        init(_ rule: EventRule) { self = .event(bus: rule.busName, name: rule.name) }
        init(_ rule: TopicRule) { self = .topic(rule.name) }
    }

    let eventRules: [Event]
    let topicRules: [Topic]
    /// The filters of the enabled topic rules, each once.
    let topicFilters: [String]
    /// Finds the enabled topic rules whose filter matches, by their position in ``topicRules``.
    private let topicIndex: FilterIndex
    /// The enabled topic rules by their names.
    private let topicRulesByName: [String: Int]
    /// The enabled rules of each bus, by numbers that they keep over reloads.
    private let buses: [String: PatternIndex]
    private let filed: [Key: Filed]
    private let nextNumber: Int
    /// Of each number the position in ``eventRules``.
    private let positions: [Int: Int]
    let searches: SearchPool
    /// Positions of the enabled rules that run by the clock, by their names: they are all on the default bus.
    private let scheduledPositions: [String: Int]

    /// - Parameters:
    ///   - resources: the rules.
    ///   - previous: whose counters go on for the rules that stay.
    init(_ resources: ResourceSet, previous: RuleTable? = nil) {
        var counters: [Key: RuleCounters] = [:]
        for entry in previous?.eventRules ?? [] { counters[Key(entry.rule)] = entry.counters }
        for entry in previous?.topicRules ?? [] { counters[Key(entry.rule)] = entry.counters }
        eventRules = resources.eventRules.map { Event(rule: $0, counters: counters[Key($0)] ?? RuleCounters()) }
        topicRules = resources.topicRules.map { Topic(rule: $0, counters: counters[Key($0)] ?? RuleCounters()) }

        // What has not changed stays filed: the indexes share it with those of the table before, which goes on serving events.
        var buses: [String: PatternIndex] = [:]
        for name in resources.busNames { buses[name] = previous?.buses[name] ?? PatternIndex() }
        var gone = previous?.filed ?? [:]
        var filed: [Key: Filed] = [:]
        var positions: [Int: Int] = [:]
        var nextNumber = previous?.nextNumber ?? 0
        for (position, rule) in resources.eventRules.enumerated() where rule.isEnabled {
            let key = Key(rule)
            guard let pattern = rule.pattern, let patternText = rule.patternText else { continue }
            if let known = gone[key], known.patternText == patternText {
                gone[key] = nil
                filed[key] = known
            } else {
                buses[rule.busName]?.insert(pattern, for: nextNumber)
                filed[key] = Filed(bus: rule.busName, number: nextNumber, patternText: patternText)
                nextNumber += 1
            }
            positions[filed[key]?.number ?? nextNumber] = position
        }
        for rule in gone.values { buses[rule.bus]?.remove(rule.number) }
        self.buses = buses
        self.filed = filed
        self.positions = positions
        self.nextNumber = nextNumber
        searches = previous?.searches ?? SearchPool()
        var scheduled: [String: Int] = [:]
        for (position, rule) in resources.eventRules.enumerated() where rule.isEnabled && rule.schedule != nil {
            scheduled[rule.name] = position
        }
        scheduledPositions = scheduled
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

    /// The enabled rule of this name that runs by the clock.
    func scheduledRule(named name: String) -> Event? { scheduledPositions[name].map { eventRules[$0] } }

    /// All enabled rules that run by the clock, by their names.
    var schedules: [(name: String, expression: ScheduleExpression)] {
        scheduledPositions.compactMap { name, position in eventRules[position].rule.schedule.map { (name, $0.expression) } }
    }

    func hasBus(_ name: String) -> Bool { buses[name] != nil }

    /// Whether an event on this bus is looked at by anyone, so that it must be parsed.
    func hasRules(onBus name: String) -> Bool { (buses[name]?.count ?? 0) > 0 }

    /// The enabled rules of a bus that want the event with this JSON, in the order of the templates.
    func rules(onBus name: String, matching event: [UInt8]) -> [Event] {
        guard let index = buses[name] else { return [] }
        let found = searches.withSearch { index.matches(event, using: &$0) }
        return found.compactMap { positions[$0] }.sorted().map { eventRules[$0] }
    }
}
