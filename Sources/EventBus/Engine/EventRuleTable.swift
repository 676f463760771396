import Rules

/// The event rules in force, with the indexes of their buses.
///
/// Copies share what they have in common: to change one rule costs no look at the others, and the table before goes on serving events.
struct EventRuleTable: Sendable {
    /// A rule with its counters; the same object in all tables until the rule changes.
    final class Entry: Sendable {
        let rule: EventRule
        let counters: RuleCounters
        /// Outputs come in this order.
        fileprivate let order: Int
        /// Whether the rule is in the index of its bus; one that is disabled is not.
        fileprivate let isFiled: Bool

        fileprivate init(_ rule: EventRule, counters: RuleCounters, order: Int, isFiled: Bool) {
            self.rule = rule
            self.counters = counters
            self.order = order
            self.isFiled = isFiled
        }
    }

    /// The enabled rules of each bus, by their numbers on the shelf.
    private var buses: [String: PatternIndex] = [:]
    private var shelf = RuleShelf()
    private var nextOrder = 0
    /// The numbers of the enabled rules that run by the clock, by their names: they are all on the default bus.
    private var scheduled: [String: Int] = [:]

    init() {}

    /// Takes all rules from `resources`; those that were there keep their counters, and stay filed where their pattern is what it was.
    mutating func replace(_ resources: ResourceSet) {
        for name in resources.busNames where buses[name] == nil { buses[name] = PatternIndex() }
        nextOrder = 0
        var kept: Set<RuleKey> = []
        for rule in resources.eventRules {
            put(rule, order: nextOrder)
            kept.insert(RuleKey(rule))
        }
        for entry in shelf.entries where !kept.contains(RuleKey(entry.rule)) { remove(RuleKey(entry.rule)) }
        let names = Set(resources.busNames)
        for name in buses.keys where !names.contains(name) { buses[name] = nil }
    }

    /// Adds a rule behind all others, or takes another in its place.
    mutating func put(_ rule: EventRule) { put(rule, order: nil) }

    private mutating func put(_ rule: EventRule, order: Int?) {
        let key = RuleKey(rule)
        let number = shelf.number(of: key) ?? shelf.reserve(key)
        let known = shelf[number]
        var isFiled = known?.isFiled ?? false
        if isFiled, !rule.isEnabled || known?.rule.patternText != rule.patternText {
            buses[rule.busName]?.remove(number)
            isFiled = false
        }
        if rule.isEnabled, !isFiled, let pattern = rule.pattern {
            buses[rule.busName]?.insert(pattern, for: number)
            isFiled = true
        }
        let place = order ?? known?.order ?? nextOrder
        nextOrder = max(nextOrder, place + 1)
        shelf[number] = Entry(rule, counters: known?.counters ?? RuleCounters(), order: place, isFiled: isFiled)
        if rule.isEnabled, rule.schedule != nil {
            scheduled[rule.name] = number
        } else if known?.rule.schedule != nil {
            scheduled[rule.name] = nil
        }
    }

    mutating func remove(_ key: RuleKey) {
        guard let number = shelf.number(of: key), let entry = shelf[number] else { return }
        if entry.isFiled { buses[key.bus]?.remove(number) }
        if entry.rule.schedule != nil { scheduled[key.name] = nil }
        shelf.remove(number, key)
    }

    // MARK: - Looking

    /// All rules, in their order.
    var entries: [Entry] { shelf.entries.sorted { $0.order < $1.order } }

    func entry(_ key: RuleKey) -> Entry? { shelf.number(of: key).flatMap { shelf[$0] } }

    func hasBus(_ name: String) -> Bool { buses[name] != nil }

    /// Whether the bus has rules that want events.
    func hasRules(onBus name: String) -> Bool { (buses[name]?.count ?? 0) > 0 }

    /// The enabled rule of this name that runs by the clock.
    func scheduledRule(named name: String) -> Entry? { scheduled[name].flatMap { shelf[$0] } }

    /// All enabled rules that run by the clock, by their names.
    var schedules: [(name: String, expression: ScheduleExpression)] {
        scheduled.compactMap { name, number in shelf[number]?.rule.schedule.map { (name, $0.expression) } }
    }

    /// The enabled rules of a bus that want the event with this JSON, in their order.
    func rules(onBus name: String, matching event: [UInt8], searches: SearchPool) -> [Entry] {
        guard let index = buses[name] else { return [] }
        let found = searches.withSearch { index.matches(event, using: &$0) }
        return found.compactMap { shelf[$0] }.sorted { $0.order < $1.order }
    }
}

/// Rules by numbers that they keep, and by their keys, in pieces that copies share.
private struct RuleShelf: Sendable {
    private static let pageSize = 128
    private static let shardCount = 512

    private var pages: [[EventRuleTable.Entry?]] = []
    private var numbers: [[RuleKey: Int]] = Array(repeating: [:], count: shardCount)
    private var free: [Int] = []

    subscript(number: Int) -> EventRuleTable.Entry? {
        get { pages[number / Self.pageSize][number % Self.pageSize] }
        set { pages[number / Self.pageSize][number % Self.pageSize] = newValue }
    }

    /// All rules, in no order.
    var entries: [EventRuleTable.Entry] { pages.flatMap { $0.compactMap(\.self) } }

    private static func shard(of key: RuleKey) -> Int { key.hashValue & (shardCount - 1) }

    func number(of key: RuleKey) -> Int? { numbers[Self.shard(of: key)][key] }

    /// A number for a key that has none.
    mutating func reserve(_ key: RuleKey) -> Int {
        if free.isEmpty {
            let first = pages.count * Self.pageSize
            pages.append(Array(repeating: nil, count: Self.pageSize))
            // Lower numbers are taken first.
            free = Array((first..<first + Self.pageSize).reversed())
        }
        let number = free.removeLast()
        numbers[Self.shard(of: key)][key] = number
        return number
    }

    mutating func remove(_ number: Int, _ key: RuleKey) {
        self[number] = nil
        numbers[Self.shard(of: key)][key] = nil
        free.append(number)
    }
}
