package import BrokerCore
package import Queues
import Rules

/// What rules made of an event or a message: the caller carries it out.
///
/// The messages have the order in which the rules made them, and so have the sends.
package struct RuleOutput {
    /// For the broker.
    package var messages: [Message] = []
    /// For queues.
    package var sends: [QueueSend] = []

    package init() {}
}

/// A message that a rule has for a queue.
///
/// Whoever hands it over tells the engine what became of it: ``EventEngine/delivered(_:)`` or ``EventEngine/failed(_:_:)``.
package struct QueueSend {
    enum Origin {
        /// A target of an event rule.
        case target(TargetDelivery)
        /// An action of a topic rule.
        case action(TopicRule.Action, run: TopicRuleRun, match: SQLMatch?)
        /// A topic rule's error action, after which nothing else is tried.
        case errorAction(TopicRule.Action, run: TopicRuleRun)
        /// An event whose delivery failed, for the target's dead-letter queue.
        case deadLetter(rule: String)
    }

    /// The name of the queue; it may not exist.
    package let queue: String
    package let message: NewQueueMessage
    let origin: Origin
}

/// One event on its way to one target.
struct TargetDelivery {
    let entry: RuleTable.Event
    let target: Target
    let event: EventEnvelope
    let nowMilliseconds: Int64
}
