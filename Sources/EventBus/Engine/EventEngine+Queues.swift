import BrokerCore
import Queues
import Rules

/// What becomes of messages for queues.
extension EventEngine {
    /// Somebody has taken what a rule sent.
    func delivered(_ origin: DeliveryOrigin) {
        guard let counters = origin.counters else { return totals.deadLettersSent.increment() }
        countDelivery(counters, began: origin.beganMilliseconds ?? world.nowMilliseconds())
    }

    /// What a rule sent has failed for good.
    ///
    /// - Returns: what is to be done about it: a dead letter, or what an error action makes of it.
    func failed(_ origin: DeliveryOrigin, _ failure: DeliveryFailure, _ trying: RetryRecord = .none) -> RuleOutput {
        let step = step(below: origin.trace)
        var output = RuleOutput()
        switch origin {
        case .target(let delivery): fail(delivery, failure, trying, in: step, into: &output)
        case .action(let action, let suspended, let match):
            var run = suspended.resumed()
            run.trace = step?.parent ?? run.trace
            run.failures = [RuleFailure(action, failure, trying)]
            conclude(&run, match)
            output = run.output
        case .errorAction(let action, let suspended):
            var run = suspended.resumed()
            run.trace = step?.parent ?? run.trace
            fail(RuleFailure(action, failure, trying), &run)
            output = run.output
        case .deadLetter(let rule): dropDeadLetter(rule: rule, reason: failure.message)
        }
        return output.traced(step, as: "failure")
    }

    /// Keeps a failed delivery, and sends the event to the target's dead-letter queue, where it has one.
    ///
    /// The attributes are those of the service.
    func fail(
        _ delivery: TargetDelivery, _ failure: DeliveryFailure, _ trying: RetryRecord = .none, in step: TraceStep? = nil,
        into output: inout RuleOutput
    ) {
        let (rule, target) = (delivery.entry.rule, delivery.target)
        let letter = DeadLetter(
            timeMilliseconds: delivery.nowMilliseconds, rule: rule.name, bus: rule.busName, target: target.id, errorCode: failure.code,
            errorMessage: failure.message, event: delivery.event.json, trying: trying,
            trace: step?.parent ?? delivery.event.trace)
        output.isReferredTo = true
        fail(letter, eventID: delivery.event.id, delivery.entry.counters)
        guard let queue = target.deadLetterQueue else { return }
        var attributes: [String: QueueMessageAttribute] = [
            "RULE_ARN": .text(rule.arn), "TARGET_ARN": .text(target.arn), "ERROR_CODE": .text(failure.code),
            "ERROR_MESSAGE": .text(LoggedText.escaping(failure.message)), "RETRY_ATTEMPTS": .number(trying.retries),
        ]
        if let exhaustion = trying.exhaustion { attributes["EXHAUSTED_RETRY_CONDITION"] = .text(exhaustion.rawValue) }
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
        return QueueSend(queue: queue.text, message: NewQueueMessage(body: body), origin: run.origin(of: .queue(action), match))
    }
}
