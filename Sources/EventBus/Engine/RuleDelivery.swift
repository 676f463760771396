package import BrokerCore
package import Queues

/// The engine with the queues that its rules send to, and with the deliveries that are tried again.
///
/// Sends are carried out here; messages for the broker are answered, since only the caller is where they can be published. Waits for nothing.
package struct RuleDelivery: MessageRules {
    package let engine: EventEngine
    package let queues: SharedQueues
    package let pending: PendingDeliveries

    package init(engine: EventEngine, queues: SharedQueues, limits: DeliveryLimits = DeliveryLimits()) {
        self.engine = engine
        self.queues = queues
        pending = PendingDeliveries(engine: engine, queues: queues, limits: limits)
    }

    package var topicFilters: [String] { engine.topicFilters }

    package func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> [Message] {
        carryOut(engine.evaluate(message, from: publisher, now: now))
    }

    /// Puts events on their buses, see ``EventEngine/putEvents(_:)``.
    ///
    /// - Returns: a result for each entry, and what is left to publish.
    package func putEvents(_ entries: [PutEventsEntry]) throws(PutEventsError) -> (results: [PutEventsResult], messages: [Message]) {
        let outcome = try engine.putEvents(entries)
        return (outcome.results, carryOut(outcome.output))
    }

    /// Puts the rules of other templates in force, and makes the queues that they declare.
    package func replace(resources: ResourceSet) throws(QueueError) {
        try declare(resources)
        engine.replace(resources: resources)
    }

    /// Makes the queues that the templates declare.
    package func declare(_ resources: ResourceSet) throws(QueueError) {
        let now = engine.world.nowMilliseconds()
        try queues.perform { (table) throws(QueueError) in try table.declare(resources.queues, now: now) }
    }

    /// Sends what is for queues and begins what takes longer, and answers with the messages for the broker.
    package func carryOut(_ output: RuleOutput) -> [Message] { pending.carryOut(output) }
}
