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
    /// For others, over HTTP.
    var calls: [RuleCall] = []
    /// Kept deliveries that are over as soon as all of this is handed on, by their numbers.
    var finished: [UInt64] = []
    /// Whether something else is below the step of a trace in which this was made: a dead letter, or an event in an archive.
    var isReferredTo = false

    package init() {}

    var isEmpty: Bool { messages.isEmpty && sends.isEmpty && calls.isEmpty && finished.isEmpty }

    mutating func append(_ other: RuleOutput) {
        messages += other.messages
        sends += other.sends
        calls += other.calls
        finished += other.finished
        isReferredTo = isReferredTo || other.isReferredTo
    }
}

/// A message that a rule has for a queue.
package struct QueueSend: Sendable {
    /// The name of the queue; it may not exist.
    package let queue: String
    package internal(set) var message: NewQueueMessage
    let origin: DeliveryOrigin
    /// The step of a trace that it is; `nil` for one that belongs to none.
    var trace: TraceStep?
}

/// An HTTP call that a rule makes.
struct RuleCall: Sendable {
    var invocation: HTTPInvocation
    /// What failures call it: no secret.
    let name: String
    var pace: DeliveryTerms.Pace?
    /// The name of the function that is called, if it is one.
    var function: String?
    let origin: DeliveryOrigin
    /// The step of a trace that it is; `nil` for one that belongs to none.
    var trace: TraceStep?
}

extension TopicRuleRun {
    /// Whose delivery it is when one of the rule's actions has something to send.
    func origin(of action: TopicRule.Action, _ match: SQLMatch?) -> DeliveryOrigin {
        isErrorAction ? .errorAction(action, run: SuspendedRun(self)) : .action(action, run: SuspendedRun(self), match: match)
    }
}

/// Whose delivery it is, and so what becomes of it when it fails.
enum DeliveryOrigin: Sendable {
    /// A target of an event rule.
    case target(TargetDelivery)
    /// An action of a topic rule.
    case action(TopicRule.Action, run: SuspendedRun, match: SQLMatch?)
    /// A topic rule's error action, after which nothing else is tried.
    case errorAction(TopicRule.Action, run: SuspendedRun)
    /// An event whose delivery failed, for the target's dead-letter queue.
    case deadLetter(rule: String)

    /// Of the rule; `nil` for a dead letter, which is counted by itself.
    var counters: RuleCounters? {
        switch self {
        case .target(let delivery): delivery.entry.counters
        case .action(_, let run, _), .errorAction(_, let run): run.entry.counters
        case .deadLetter: nil
        }
    }

    /// When the rule matched; `nil` for a dead letter.
    var beganMilliseconds: Int64? {
        switch self {
        case .target(let delivery): delivery.nowMilliseconds
        case .action(_, let run, _), .errorAction(_, let run): run.beganMilliseconds
        case .deadLetter: nil
        }
    }

    /// For people.
    var names: (rule: String, target: String) {
        switch self {
        case .target(let delivery): ("\(delivery.entry.rule.busName)/\(delivery.entry.rule.name)", delivery.target.id)
        case .action(let action, let run, _), .errorAction(let action, let run): (run.entry.rule.name, action.name)
        case .deadLetter(let rule): (rule, "dead letter")
        }
    }

    /// The step in which the rule was at work.
    var trace: TraceParent? {
        switch self {
        case .target(let delivery): delivery.event.trace
        case .action(_, let run, _), .errorAction(_, let run): run.trace
        case .deadLetter: nil
        }
    }

    var isDeadLetter: Bool { if case .deadLetter = self { true } else { false } }
}

/// One event on its way to one target.
struct TargetDelivery: Sendable {
    let entry: RuleTable.Event
    let target: Target
    let event: EventEnvelope
    let nowMilliseconds: Int64
}

/// A topic rule's work on a message, set aside until it is known what became of an action.
struct SuspendedRun: Sendable {
    let entry: RuleTable.Topic
    let payloadBytes: Int
    /// When its message came, in milliseconds since 1970.
    let beganMilliseconds: Int64
    /// What the error action gets.
    let document: [UInt8]
    private let makeInput: @Sendable () -> SQLInput
    let hops: UInt8
    /// Of the action, among the rule's.
    let place: Int
    let trace: TraceParent?
    private let now: Instant
    private let rules: RuleTable
    private let isErrorAction: Bool

    init(_ run: TopicRuleRun) {
        entry = run.entry
        payloadBytes = run.input.payload.count
        beganMilliseconds = run.input.timestampMilliseconds
        document = run.document
        makeInput = run.input.remaking
        hops = run.hops
        place = run.place
        trace = run.trace
        now = run.now
        rules = run.rules
        isErrorAction = run.isErrorAction
    }

    /// The work as it was, with nothing put out yet.
    func resumed() -> TopicRuleRun {
        TopicRuleRun(
            entry: entry, input: makeInput(), hops: hops, now: now, rules: rules, isErrorAction: isErrorAction, place: place,
            document: document, trace: trace)
    }
}
