package import BrokerCore
package import Logging
import NIOCore
package import Records
import Rules
import Synchronization

/// The buses and rules at work: events in, messages out.
///
/// It publishes and sends nothing itself and waits for nothing: a call answers with what the rules made, in order, and ``RuleDelivery``
/// carries it out. Safe from any thread; no lock is held while a rule is evaluated.
package final class EventEngine: Sendable {
    package let limits: EventBusLimits
    let world: EventSource
    let totals = EngineCounters()
    private let table: Mutex<RuleTable>
    private let letters: Mutex<DeadLetterQueue>
    let store: (any RecordStore)?
    /// Takes the steps of traces that went on without their caller; `nil` where traces are not looked at.
    let spans: (any SpanRecorder)?
    let schedules: Mutex<ScheduleTable>
    let archiveTable: Mutex<ArchiveTable>
    /// Whether there are archives: most sites have none, and no event is to wait for a lock then.
    let hasArchives = Atomic<Bool>(false)
    private let logInterval: LogInterval
    private let logger: Logger

    /// Puts compiled rules to work.
    ///
    /// - Parameters:
    ///   - resources: buses and rules.
    ///   - limits: named limits.
    ///   - world: the clock and the source of identifiers.
    ///   - logger: for failures and drops, at most one line for a rule in an interval.
    ///   - store: keeps dead letters; without it they are in memory.
    ///   - spans: takes the steps of traces; `nil` where traces are not looked at.
    package init(
        resources: ResourceSet, limits: EventBusLimits = .init(), world: EventSource = .system, logger: Logger,
        store: (any RecordStore)? = nil, spans: (any SpanRecorder)? = nil
    ) {
        self.store = store
        self.spans = spans
        self.limits = limits
        self.world = world
        self.logger = logger
        let rules = RuleTable(resources)
        table = Mutex(rules)
        var schedules = ScheduleTable()
        schedules.replace(rules.schedules, now: world.nowMilliseconds())
        self.schedules = Mutex(schedules)
        archiveTable = Mutex(ArchiveTable(limits: limits))
        letters = Mutex(DeadLetterQueue(countMax: limits.deadLettersMax, bytesMax: limits.deadLetterBytesMax))
        logInterval = LogInterval(seconds: limits.ruleLogSecondsMin)
    }

    /// The rules in force now.
    var rules: RuleTable { table.withLock { $0 } }

    /// Puts other rules in force, all at once.
    ///
    /// Calls that are under way finish with the old ones. A rule of the same kind, bus and name keeps its counters. The broker must ask for
    /// ``topicFilters`` again.
    package func replace(resources: ResourceSet) {
        let next = RuleTable(resources, previous: rules)
        table.withLock { $0 = next }
        schedules.withLock { $0.replace(next.schedules, now: world.nowMilliseconds()) }
    }

    /// Changes some event rules, nil for one that is gone, and all topic rules if any; like ``replace(resources:)``, and however many other
    /// rules there are.
    func replace(rules changed: [RuleKey: EventRule?], topicRules: [TopicRule]?) {
        guard !changed.isEmpty || topicRules != nil else { return }
        let before = rules
        let next = RuleTable(before, changing: changed, topicRules: topicRules)
        table.withLock { $0 = next }
        let concernsClock = changed.contains { key, rule in rule?.schedule != nil || before.eventRule(key)?.rule.schedule != nil }
        if concernsClock { schedules.withLock { $0.replace(next.schedules, now: world.nowMilliseconds()) } }
    }

    // MARK: - What operators see

    /// Every rule, event rules first, in the order of the templates.
    package func ruleStatistics() -> [RuleStatistics] {
        let rules = rules
        let event = rules.eventRules.map { entry in
            statistics(
                entry.counters,
                of: RuleStatistics(
                    name: entry.rule.name, kind: .event, bus: entry.rule.busName, enabled: entry.rule.isEnabled,
                    definition: entry.rule.definition, location: entry.rule.location, matched: 0, delivered: 0, failed: 0,
                    pattern: entry.rule.patternText, schedule: entry.rule.schedule?.text
                )
            )
        }
        let topic = rules.topicRules.map { entry in
            statistics(
                entry.counters,
                of: RuleStatistics(
                    name: entry.rule.name, kind: .topic, bus: nil, enabled: entry.rule.isEnabled, definition: entry.rule.sql,
                    location: entry.rule.location, matched: 0, delivered: 0, failed: 0,
                    sqlVersion: entry.rule.definition.version.rawValue
                )
            )
        }
        return event + topic
    }

    private func statistics(_ counters: RuleCounters, of rule: RuleStatistics) -> RuleStatistics {
        var rule = rule
        rule.matched = counters.matched.load(ordering: .relaxed)
        rule.delivered = counters.delivered.load(ordering: .relaxed)
        rule.failed = counters.failed.load(ordering: .relaxed)
        rule.retried = counters.retried.load(ordering: .relaxed)
        rule.pending = counters.pending.load(ordering: .relaxed)
        rule.lastError = counters.lastError.withLock { $0 }
        rule.latency = counters.latency.withLock { $0 }
        return rule
    }

    /// The latest failed deliveries, newest first.
    package func deadLetters(limit: Int) -> [DeadLetter] { numberedDeadLetters(limit: limit).map(\.letter) }

    /// The same with the numbers by which they can be delivered again or removed.
    package func numberedDeadLetters(limit: Int) -> [(number: UInt64, letter: DeadLetter)] {
        letters.withLock { $0.newest(limit: limit) }
    }

    /// Takes a dead letter out of those that are listed; the store has it until ``forgetDeadLetter(_:)``.
    func takeDeadLetter(_ number: UInt64) -> DeadLetter? { letters.withLock { $0.take(number) } }

    /// Puts a dead letter back that was taken and is still of use.
    ///
    /// Others may have come meanwhile: what has no room then is dropped, and counted.
    func putBack(_ letter: DeadLetter, number: UInt64) {
        let change = letters.withLock { $0.restore(letter, number: number) }
        let gone = change.number == nil ? [number] : change.removed
        if !gone.isEmpty { store?.append(gone.map { .remove(RecordKey(.deadLetter, $0)) }) }
        if change.dropped > 0 { totals.deadLettersDropped.wrappingAdd(UInt64(change.dropped), ordering: .relaxed) }
    }

    /// Has the store forget a dead letter that was taken.
    func forgetDeadLetter(_ number: UInt64) { store?.append([.remove(RecordKey(.deadLetter, number))]) }

    package var counters: EventBusCounters {
        var counters = totals.snapshot
        (counters.archivedBytes, counters.archivedEventsDropped) = archiveTable.withLock { ($0.bytes, $0.eventsDropped) }
        return counters
    }

    /// Takes up the dead letters that the store had kept.
    func restoreDeadLetters(_ records: [KeptRecord]) throws(UnreadableRecord) {
        let found = try records.filter { $0.key.kind == .deadLetter }.map { (record) throws(UnreadableRecord) in
            (record.key.number(at: 0) ?? 0, try DeadLetter(record))
        }
        let removed = letters.withLock { letters in
            found.flatMap { number, letter in
                let change = letters.restore(letter, number: number)
                return change.number == nil ? [number] : change.removed
            }
        }
        if !removed.isEmpty { store?.append(removed.map { .remove(RecordKey(.deadLetter, $0)) }) }
    }

    // MARK: - Counting what rules do

    func countMatch(_ counters: RuleCounters) {
        counters.matched.increment()
        totals.ruleMatches.increment()
    }

    /// `began`: when the rule matched, in milliseconds since 1970.
    func countDelivery(_ counters: RuleCounters, began: Int64) {
        counters.delivered.increment()
        let took = world.nowMilliseconds() &- began
        counters.latency.withLock { $0.record(nanoseconds: max(0, min(took, .max / 1_000_000)) * 1_000_000) }
        totals.deliveries.increment()
    }

    /// Notes that a delivery began to wait, or does not wait any more.
    func countPending(_ counters: RuleCounters, by difference: Int) {
        counters.pending.wrappingAdd(difference, ordering: .relaxed)
        totals.deliveriesPending.wrappingAdd(difference, ordering: .relaxed)
    }

    func countRetry(_ counters: RuleCounters) {
        counters.retried.increment()
        totals.deliveriesRetried.increment()
    }

    /// Counts, keeps and logs a failed delivery.
    func fail(_ letter: DeadLetter, eventID: String?, _ counters: RuleCounters) {
        counters.failed.increment()
        counters.lastError.withLock { $0 = "\(letter.errorCode): \(letter.errorMessage)" }
        totals.deliveriesFailed.increment()
        let dropped = letters.withLock { letters in
            let change = letters.append(letter)
            if let store, !store.isFull { store.append(change.records(letter)) }
            return change.dropped
        }
        if dropped > 0 { totals.deadLettersDropped.wrappingAdd(UInt64(dropped), ordering: .relaxed) }
        var metadata: Logger.Metadata = [
            "rule": "\(letter.rule)", "target": "\(letter.target)", "code": "\(letter.errorCode)", "reason": "\(letter.errorMessage)",
        ]
        if let bus = letter.bus { metadata["bus"] = "\(bus)" }
        if let eventID { metadata["event_id"] = "\(eventID)" }
        log("rule delivery failed", subject: "\(letter.bus ?? "topic rule") \(letter.rule)", metadata)
    }

    /// Counts and logs an output that is not made because its message has passed through too many rules.
    func cut(rule: String, topic: String, _ counters: RuleCounters) {
        totals.ruleHopsCut.increment()
        counters.failed.increment()
        counters.lastError.withLock { $0 = "an output was cut: it had passed through as many rules or buses as it may" }
        log(
            "rule output cut", subject: "cut \(rule)",
            [
                "rule": "\(rule)", "topic": "\(topic)", "ruleHopsMax": "\(limits.ruleHopsMax)",
                "busForwardsMax": "\(limits.busForwardsMax)",
            ]
        )
    }

    /// Counts and logs a delivery that waited for a target that is gone.
    func dropDelivery(_ origin: DeliveryOrigin) {
        let names = origin.names
        dropDelivery(rule: names.rule, target: names.target)
    }

    func dropDelivery(rule: String, target: String) {
        totals.deliveriesDropped.increment()
        log("pending delivery dropped: its target is gone", subject: "gone \(rule)", ["rule": "\(rule)", "target": "\(target)"])
    }

    /// Counts and logs an event for a bus that does not exist.
    func dropUnknownBus(_ name: String, eventID: String) {
        totals.eventsDroppedUnknownBus.increment()
        // One subject for all names: they come from the network.
        log("event dropped: no such bus", subject: "unknown bus", ["bus": "\(name.prefix(256))", "event_id": "\(eventID)"])
    }

    /// Counts and logs a message of Basic Ingest for a rule that does not exist or is disabled.
    func dropUnknownRule(_ name: String) {
        totals.basicIngestDropped.increment()
        log("basic ingest dropped: no such rule", subject: "unknown rule", ["rule": "\(LoggedText.escaping(name))"])
    }

    /// Counts and logs an event that its target's dead-letter queue did not take.
    func dropDeadLetter(rule: String, reason: String) {
        totals.deadLetterSendsFailed.increment()
        log("dead-letter queue refused an event", subject: "dead letter \(rule)", ["rule": "\(rule)", "reason": "\(reason)"])
    }

    /// Says that a policy is kept, and kept to by nobody.
    func notePolicy(bus: String) {
        log("bus policy kept, not enforced: listeners say who may call", subject: "policy \(bus)", ["bus": "\(bus)"])
    }

    /// The same of a queue's.
    package func notePolicy(queue: String) {
        log("queue policy kept, not enforced: listeners say who may call", subject: "queue policy \(queue)", ["queue": "\(queue)"])
    }

    /// Writes what a rule's cloudwatchLogs action selected, each time: it was asked for.
    func log(rule: String, group: String, topic: String, payload: [UInt8]) {
        let text = LoggedText.escaping(String(decoding: payload, as: UTF8.self), charactersMax: limits.ruleLogCharactersMax)
        logger.info(
            "rule log",
            metadata: [
                "rule": "\(rule)", "logGroup": "\(LoggedText.escaping(group))", "topic": "\(LoggedText.escaping(topic))",
                "payload": "\(text)",
            ])
    }

    /// Writes what an event rule has for a group of log lines, each time: it was asked for.
    func log(rule: String, group: String, event: String, payload: [UInt8]) {
        let text = LoggedText.escaping(String(decoding: payload, as: UTF8.self), charactersMax: limits.ruleLogCharactersMax)
        logger.info(
            "rule log",
            metadata: ["rule": "\(rule)", "logGroup": "\(LoggedText.escaping(group))", "event_id": "\(event)", "payload": "\(text)"])
    }

    private func log(_ message: Logger.Message, subject: String, _ metadata: Logger.Metadata) {
        guard let suppressed = logInterval.admit(subject, at: world.nowMilliseconds()) else { return }
        var metadata = metadata
        if suppressed > 0 { metadata["suppressed"] = "\(suppressed)" }
        logger.warning(message, metadata: metadata)
    }
}
