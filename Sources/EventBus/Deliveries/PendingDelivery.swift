import Queues
import Rules

/// What a rule has for a target that may not take it at once.
struct PendingDelivery: Sendable {
    enum Work: Sendable {
        case send(QueueSend)
        case call(RuleCall)
    }

    let work: Work
    /// By which the store has it; nil where it is in memory alone.
    var number: UInt64?

    var origin: DeliveryOrigin {
        switch work {
        case .send(let send): send.origin
        case .call(let call): call.origin
        }
    }

    var terms: DeliveryTerms? {
        guard case .call(let call) = work, var terms = origin.terms else { return origin.terms }
        terms.pace = call.pace
        terms.function = call.function
        return terms
    }

    /// What it counts towards the limits: the content, and what is kept to tell of a failure.
    var bytes: Int {
        let content =
            switch work {
            case .send(let send): send.message.bytes
            case .call(let call): call.invocation.bytes
            }
        return content + origin.keptBytes
    }
}

extension DeliveryOrigin {
    fileprivate var keptBytes: Int {
        switch self {
        case .target(let delivery): delivery.event.json.count
        case .action(_, let run, let match): run.payloadBytes + (match?.payload.count ?? 0)
        case .errorAction(_, let run): run.payloadBytes
        case .deadLetter: 0
        }
    }

    /// What holds for deliveries of this target or action; `nil` where nothing is tried again.
    var terms: DeliveryTerms? {
        switch self {
        case .target(let delivery):
            let rule = delivery.entry.rule
            let lane = "\(rule.busName)/\(rule.name)/\(delivery.target.id) \(delivery.target.place)"
            return DeliveryTerms(lane: lane, policy: delivery.target.retryPolicy)
        case .action(let action, let run, _):
            return DeliveryTerms(lane: "topic rule \(run.entry.rule.name) \(action.name) \(action.resource)", policy: action.retryPolicy)
        case .errorAction(let action, let run):
            return DeliveryTerms(lane: "topic rule \(run.entry.rule.name) error \(action.name)", policy: action.retryPolicy)
        case .deadLetter: return nil
        }
    }
}

extension TopicRule.Action {
    fileprivate var retryPolicy: RetryPolicy { if case .function = self { .ofTopicRuleFunctions } else { .ofTopicRules } }
}
