import BrokerCore
import NIOCore
import Rules
import Synchronization

/// The rules in force, with their counters.
///
/// Immutable: a reload makes another one.
final class RuleTable: Sendable {
    struct Event: Sendable {
        let rule: EventRule
        let counters: RuleCounters
        /// The rule's number in the index of its bus; nil for one that is disabled.
        fileprivate let number: Int?
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
    /// The enabled rules of each bus, by numbers that they keep over reloads.
    private let buses: [String: PatternIndex]
    private let nextNumber: Int
    /// Of each number the position in ``eventRules``.
    private let positions: [Int: Int]
    let searches: SearchPool
    /// Positions of the enabled rules that run by the clock, by their names: they are all on the default bus.
    private let scheduledPositions: [String: Int]
    /// What these rules were made of, for people who ask.
    let resources: ResourceSet
    /// The positions of all event rules by bus and name, made when somebody asks: few do.
    private let namedPositions = Mutex<[String: [String: Int]]?>(nil)

    /// - Parameters:
    ///   - resources: the rules.
    ///   - previous: whose counters go on for the rules that stay.
    init(_ resources: ResourceSet, previous: RuleTable? = nil) {
        self.resources = resources
        // What has not changed stays filed: the indexes share it with those of the table before, which goes on serving events.
        var buses: [String: PatternIndex] = [:]
        for name in resources.busNames { buses[name] = previous?.buses[name] ?? PatternIndex() }
        var positions = previous?.positions ?? [:]
        var nextNumber = previous?.nextNumber ?? 0
        var earlier = EarlierRules(previous?.eventRules ?? [])
        var eventRules: [Event] = []
        eventRules.reserveCapacity(resources.eventRules.count)
        func unfile(_ entry: Event) {
            guard let number = entry.number else { return }
            buses[entry.rule.busName]?.remove(number)
            positions[number] = nil
        }
        for rule in resources.eventRules {
            let position = eventRules.count
            let (known, hasMoved) = earlier.take(rule)
            var number = known?.number
            if let known, !rule.isEnabled || known.rule.patternText != rule.patternText {
                unfile(known)
                number = nil
            }
            if rule.isEnabled, number == nil, let pattern = rule.pattern {
                buses[rule.busName]?.insert(pattern, for: nextNumber)
                positions[nextNumber] = position
                number = nextNumber
                nextNumber += 1
            } else if hasMoved, let number {
                positions[number] = position
            }
            eventRules.append(Event(rule: rule, counters: known?.counters ?? RuleCounters(), number: number))
        }
        for entry in earlier.rest { unfile(entry) }
        self.eventRules = eventRules
        self.buses = buses
        self.positions = positions
        self.nextNumber = nextNumber
        searches = previous?.searches ?? SearchPool()
        var scheduled: [String: Int] = [:]
        for (position, rule) in resources.eventRules.enumerated() where rule.isEnabled && rule.schedule != nil {
            scheduled[rule.name] = position
        }
        scheduledPositions = scheduled

        var counters: [String: RuleCounters] = [:]
        for entry in previous?.topicRules ?? [] { counters[entry.rule.name] = entry.counters }
        topicRules = resources.topicRules.map { Topic(rule: $0, counters: counters[$0.name] ?? RuleCounters()) }
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

    /// The event rule of a name, be it enabled or not.
    func eventRule(_ name: String, onBus bus: String) -> Event? {
        let position = namedPositions.withLock { known in
            if known == nil {
                var positions: [String: [String: Int]] = [:]
                for (position, entry) in eventRules.enumerated() { positions[entry.rule.busName, default: [:]][entry.rule.name] = position }
                known = positions
            }
            return known?[bus]?[name]
        }
        return position.map { eventRules[$0] }
    }

    func hasTopicRule(named name: String) -> Bool { topicRulesByName[name] != nil || topicRules.contains { $0.rule.name == name } }

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

/// The rules of the table before, each to be taken once.
///
/// Most changes leave nearly all rules in their places: as long as that is so, nothing is looked up.
private struct EarlierRules {
    private struct Key: Hashable {
        let bus: String
        let name: String

        init(_ rule: EventRule) { (bus, name) = (rule.busName, rule.name) }
    }

    private let all: [RuleTable.Event]
    private var position = 0
    /// What is behind ``position``, from the first rule on that was not in its place.
    private var byKey: [Key: RuleTable.Event]?

    init(_ all: [RuleTable.Event]) { self.all = all }

    /// The entry of the same bus and name, and whether it may have had another place.
    mutating func take(_ rule: EventRule) -> (entry: RuleTable.Event?, hasMoved: Bool) {
        if byKey == nil, position < all.count, all[position].rule.name == rule.name, all[position].rule.busName == rule.busName {
            position += 1
            return (all[position - 1], false)
        }
        if byKey == nil {
            var rest: [Key: RuleTable.Event] = [:]
            for entry in all[position...] { rest[Key(entry.rule)] = entry }
            byKey = rest
        }
        return (byKey?.removeValue(forKey: Key(rule)), true)
    }

    /// What was not taken.
    var rest: [RuleTable.Event] { byKey.map { Array($0.values) } ?? Array(all[position...]) }
}
