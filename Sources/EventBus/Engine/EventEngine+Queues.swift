import BrokerCore
package import Queues
import Rules

/// What becomes of messages for queues.
extension EventEngine {
    /// A queue has taken what a rule sent.
    package func delivered(_ send: QueueSend) {
        switch send.origin {
        case .target(let delivery): countDelivery(delivery.entry.counters)
        case .action(_, let run, _), .errorAction(_, let run): countDelivery(run.entry.counters)
        case .deadLetter: totals.deadLettersSent.increment()
        }
    }

    /// A queue has refused what a rule sent.
    ///
    /// - Returns: what is to be done about it: a dead letter, or what an error action makes of it.
    package func failed(_ send: QueueSend, _ error: QueueError) -> RuleOutput {
        var output = RuleOutput()
        switch send.origin {
        case .target(let delivery): fail(delivery, .queue(name: send.queue, error), into: &output)
        case .action(let action, var run, let match):
            run.failures = [RuleFailure(action, .queue(name: send.queue, error))]
            conclude(&run, match)
            output = run.output
        case .errorAction(let action, let run): fail(RuleFailure(action, .queue(name: send.queue, error)), run)
        case .deadLetter(let rule): dropDeadLetter(rule: rule, queue: send.queue, reason: error.message)
        }
        return output
    }

    /// Keeps a failed delivery, and sends the event to the target's dead-letter queue, where it has one.
    ///
    /// The attributes are those of the service. Nothing is tried again, so none of them tells of a condition that ended the trying.
    func fail(_ delivery: TargetDelivery, _ failure: DeliveryFailure, into output: inout RuleOutput) {
        let (rule, target) = (delivery.entry.rule, delivery.target)
        let letter = DeadLetter(
            timeMilliseconds: delivery.nowMilliseconds, rule: rule.name, bus: rule.busName, target: target.id, errorCode: failure.code,
            errorMessage: failure.message, event: delivery.event.json)
        fail(letter, eventID: delivery.event.id, delivery.entry.counters)
        guard let queue = target.deadLetterQueue else { return }
        let attributes: [String: QueueMessageAttribute] = [
            "RULE_ARN": .text(rule.arn), "TARGET_ARN": .text(target.arn), "ERROR_CODE": .text(failure.code),
            "ERROR_MESSAGE": .text(LoggedText.escaping(failure.message)), "RETRY_ATTEMPTS": .number(0),
        ]
        let body = String(decoding: delivery.event.json, as: UTF8.self)
        output.sends.append(
            QueueSend(queue: queue, message: NewQueueMessage(body: body, attributes: attributes), origin: .deadLetter(rule: rule.name)))
    }

    /// The message that a topic rule's sqs action has for its queue.
    func send(_ action: QueueAction, payload: [UInt8], _ match: SQLMatch?, _ run: TopicRuleRun) throws(DeliveryFailure) -> QueueSend {
        let url = try text(of: action.queueURL, "QueueUrl", match, run)
        guard let queue = QueueName(url: url) else { throw .invalidQueueURL(url) }
        let body: String
        if action.usesBase64 {
            body = String(decoding: Base64.encode(payload), as: UTF8.self)
        } else if let text = String(validating: payload, as: UTF8.self) {
            body = text
        } else {
            throw .payloadIsNoText
        }
        var origin = run
        origin.output = RuleOutput()
        origin.failures = []
        let carriedOut = TopicRule.Action.queue(action)
        return QueueSend(
            queue: queue.text, message: NewQueueMessage(body: body),
            origin: run.isErrorAction ? .errorAction(carriedOut, run: origin) : .action(carriedOut, run: origin, match: match))
    }
}
