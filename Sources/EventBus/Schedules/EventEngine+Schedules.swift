import Rules
import Synchronization

/// Rules that run by the clock.
extension EventEngine {
    /// When a scheduled rule is due next, in milliseconds since 1970; `nil` when none ever is.
    package var nextScheduled: Int64? { schedules.withLock { $0.next } }

    /// Runs the scheduled rules that are due.
    ///
    /// Each delivers the service's event, `Scheduled Event` of `aws.events` with the rule in `resources`, to its own targets, and to no other
    /// rule.
    ///
    /// - Returns: what is to be carried out.
    package func runSchedules() -> RuleOutput {
        var output = RuleOutput()
        let due = schedules.withLock { $0.takeDue(now: world.nowMilliseconds()) }
        let rules = rules
        for (name, time) in due {
            guard let entry = rules.scheduledRule(named: name) else { continue }
            let envelope = EventEnvelope(
                id: world.makeID(), source: "aws.events", detailType: "Scheduled Event", timeMilliseconds: time,
                resources: [entry.rule.arn], detail: Array("{}".utf8))
            totals.eventsScheduled.increment()
            route(envelope, onBus: ResourceSet.defaultBusName, to: [entry], hops: 0, rules: rules, into: &output)
        }
        return output
    }
}
