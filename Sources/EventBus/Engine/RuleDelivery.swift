package import BrokerCore
package import Queues

/// The engine with the queues that its rules send to.
///
/// Sends are carried out here; messages for the broker are answered, since only the caller is where they can be published. Waits for nothing.
package struct RuleDelivery: MessageRules {
    package let engine: EventEngine
    package let queues: SharedQueues

    package init(engine: EventEngine, queues: SharedQueues) {
        self.engine = engine
        self.queues = queues
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

    /// Makes the queues that the templates declare.
    package func declare(_ resources: ResourceSet) throws(QueueError) {
        let now = engine.world.nowMilliseconds()
        try queues.perform { (table) throws(QueueError) in try table.declare(resources.queues, now: now) }
    }

    /// Sends what is for queues, and answers with the messages for the broker.
    package func carryOut(_ output: RuleOutput) -> [Message] {
        var messages = output.messages
        var sends = output.sends
        // What fails may go to a dead-letter queue or to an error action, and nowhere from there: this ends.
        while !sends.isEmpty {
            var further: [QueueSend] = []
            for send in sends {
                let now = engine.world.nowMilliseconds()
                do throws(QueueError) {
                    _ = try queues.perform { (table) throws(QueueError) in try table.send(send.message, to: send.queue, now: now) }
                    engine.delivered(send)
                } catch {
                    let output = engine.failed(send, error)
                    messages += output.messages
                    further += output.sends
                }
            }
            sends = further
        }
        return messages
    }
}
