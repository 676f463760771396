package import BrokerCore
package import Documents
import Synchronization

/// A rule and what it did since the program started or the rule appeared.
package struct RuleStatistics: Sendable, Equatable {
    package enum Kind: String, Sendable { case event, topic }

    package var name: String
    package var kind: Kind
    /// The bus of an event rule; `nil` for a topic rule.
    package var bus: String?
    package var enabled: Bool
    /// The event pattern as JSON, or the SQL statement.
    package var definition: String
    package var location: SourceLocation
    /// Events that the pattern matched, or messages that the statement selected.
    package var matched: UInt64
    /// Messages handed to the broker or taken by a queue, and events put on a bus.
    package var delivered: UInt64
    package var failed: UInt64
    /// Times that a failed delivery was tried again.
    package var retried: UInt64 = 0
    /// Deliveries that wait for their turn or are under way.
    package var pending: Int = 0
    /// From the event or message that the rule matched to the end of each delivery that was delivered, waiting and retries included;
    /// in milliseconds of the wall clock.
    package var latency = LatencyHistogram()
    /// Code and message of the latest failure.
    package var lastError: String?
    /// The event pattern as JSON.
    package var pattern: String?
    package var schedule: String?
    /// The version of SQL that the statement is in.
    package var sqlVersion: String?
}

/// Totals over all rules, and what no rule can count.
package struct EventBusCounters: Sendable, Equatable {
    /// Events that were put on a bus that exists, by PutEvents, by a topic rule or by a rule of another bus.
    package var eventsAccepted: UInt64 = 0
    /// Events for a bus that does not exist: accepted, as the service does, and dropped.
    package var eventsDroppedUnknownBus: UInt64 = 0
    /// Events that no rule of their bus matched.
    package var eventsUnmatched: UInt64 = 0
    /// Events that scheduled rules made.
    package var eventsScheduled: UInt64 = 0
    /// Events that at least one archive kept.
    package var eventsArchived: UInt64 = 0
    /// Events that archives dropped to keep within `archiveBytesMax`.
    package var archivedEventsDropped: UInt64 = 0
    /// Events that replays put on their buses once more.
    package var eventsReplayed: UInt64 = 0
    /// What the events of all archives count towards `archiveBytesMax`.
    package var archivedBytes = 0
    /// Entries of PutEvents that were answered with an error.
    package var entriesFailed: UInt64 = 0
    /// Requests to PutEvents that were refused as a whole.
    package var requestsRefused: UInt64 = 0
    /// Matches of all rules.
    package var ruleMatches: UInt64 = 0
    /// What rules had for their targets and actions.
    ///
    /// Of these every one is delivered, a dead letter, cut, dropped, or pending:
    /// `deliveriesAccepted` = `deliveries` + `deliveriesFailed` + `ruleHopsCut` + `deliveriesDropped` + `deliveriesPending`.
    package var deliveriesAccepted: UInt64 = 0
    package var deliveries: UInt64 = 0
    /// Those that failed for good, each of them a dead letter.
    package var deliveriesFailed: UInt64 = 0
    /// Those of them that were under way when Crema stopped: their targets may have taken them.
    package var deliveriesInterrupted: UInt64 = 0
    /// Those that waited when their target was removed, their rule was deleted, or another target took its place.
    package var deliveriesDropped: UInt64 = 0
    /// Those that wait for their turn or are under way now.
    package var deliveriesPending = 0
    /// Times that a failed delivery was tried again.
    package var deliveriesRetried: UInt64 = 0
    /// Outputs that were cut because the message had passed through `ruleHopsMax` rules.
    package var ruleHopsCut: UInt64 = 0
    /// Messages of Basic Ingest for a rule that does not exist or is disabled.
    package var basicIngestDropped: UInt64 = 0
    /// Dead letters that were dropped to keep within their limits.
    package var deadLettersDropped: UInt64 = 0
    /// Events that a target's dead-letter queue took after their delivery failed.
    package var deadLettersSent: UInt64 = 0
    /// Events that a target's dead-letter queue refused.
    package var deadLetterSendsFailed: UInt64 = 0

    package init() {}
}

/// The counters of one rule.
///
/// They outlive a reload as long as the rule stays.
final class RuleCounters: Sendable {
    let matched = Atomic<UInt64>(0)
    let delivered = Atomic<UInt64>(0)
    let failed = Atomic<UInt64>(0)
    let retried = Atomic<UInt64>(0)
    let pending = Atomic<Int>(0)
    let lastError = Mutex<String?>(nil)
    let latency = Mutex(LatencyHistogram())
}

/// The counters of the engine, each bumped on its own: a snapshot is not one instant, which counters need not be.
final class EngineCounters: Sendable {
    let eventsAccepted = Atomic<UInt64>(0)
    let eventsDroppedUnknownBus = Atomic<UInt64>(0)
    let eventsUnmatched = Atomic<UInt64>(0)
    let eventsScheduled = Atomic<UInt64>(0)
    let eventsArchived = Atomic<UInt64>(0)
    let eventsReplayed = Atomic<UInt64>(0)
    let entriesFailed = Atomic<UInt64>(0)
    let requestsRefused = Atomic<UInt64>(0)
    let ruleMatches = Atomic<UInt64>(0)
    let deliveriesAccepted = Atomic<UInt64>(0)
    let deliveries = Atomic<UInt64>(0)
    let deliveriesPending = Atomic<Int>(0)
    let deliveriesRetried = Atomic<UInt64>(0)
    let deliveriesFailed = Atomic<UInt64>(0)
    let deliveriesInterrupted = Atomic<UInt64>(0)
    let deliveriesDropped = Atomic<UInt64>(0)
    let ruleHopsCut = Atomic<UInt64>(0)
    let basicIngestDropped = Atomic<UInt64>(0)
    let deadLettersDropped = Atomic<UInt64>(0)
    let deadLettersSent = Atomic<UInt64>(0)
    let deadLetterSendsFailed = Atomic<UInt64>(0)

    var snapshot: EventBusCounters {
        var counters = EventBusCounters()
        counters.eventsAccepted = eventsAccepted.load(ordering: .relaxed)
        counters.eventsDroppedUnknownBus = eventsDroppedUnknownBus.load(ordering: .relaxed)
        counters.eventsUnmatched = eventsUnmatched.load(ordering: .relaxed)
        counters.eventsScheduled = eventsScheduled.load(ordering: .relaxed)
        counters.eventsArchived = eventsArchived.load(ordering: .relaxed)
        counters.eventsReplayed = eventsReplayed.load(ordering: .relaxed)
        counters.entriesFailed = entriesFailed.load(ordering: .relaxed)
        counters.requestsRefused = requestsRefused.load(ordering: .relaxed)
        counters.ruleMatches = ruleMatches.load(ordering: .relaxed)
        counters.deliveriesAccepted = deliveriesAccepted.load(ordering: .relaxed)
        counters.deliveries = deliveries.load(ordering: .relaxed)
        counters.deliveriesPending = deliveriesPending.load(ordering: .relaxed)
        counters.deliveriesRetried = deliveriesRetried.load(ordering: .relaxed)
        counters.deliveriesFailed = deliveriesFailed.load(ordering: .relaxed)
        counters.deliveriesInterrupted = deliveriesInterrupted.load(ordering: .relaxed)
        counters.deliveriesDropped = deliveriesDropped.load(ordering: .relaxed)
        counters.ruleHopsCut = ruleHopsCut.load(ordering: .relaxed)
        counters.basicIngestDropped = basicIngestDropped.load(ordering: .relaxed)
        counters.deadLettersDropped = deadLettersDropped.load(ordering: .relaxed)
        counters.deadLettersSent = deadLettersSent.load(ordering: .relaxed)
        counters.deadLetterSendsFailed = deadLetterSendsFailed.load(ordering: .relaxed)
        return counters
    }
}

extension Atomic<UInt64> {
    func increment() { wrappingAdd(1, ordering: .relaxed) }
}
