package import BrokerCore
import Documents
import MQTTCodec
import NIOCore
import Rules

extension EventEngine {
    package var topicFilters: [String] { rules.topicFilters }

    /// Runs the topic rules for a message that a client published.
    ///
    /// As in AWS IoT, a retained publish is a message like any other, and an empty one counts as an empty document. What rules make of it
    /// is not retained. A filter that begins with a wildcard does not see topics that begin with `$`. A message of Basic Ingest is for the
    /// one rule that its topic names, whatever its filter; without such a rule it is counted and dropped.
    ///
    /// - Returns: what is to be carried out.
    package func evaluate(_ message: Message, from publisher: Publisher, now: Instant) -> RuleOutput {
        let rules = rules
        var topic: String?
        let wanting: [RuleTable.Topic]
        if let (name, rest) = BasicIngest.parts(of: message.topicName) {
            guard let rule = rules.topicRule(named: name) else {
                dropUnknownRule(name)
                return RuleOutput()
            }
            topic = rest
            wanting = [rule]
        } else {
            wanting = rules.topicRules(matching: message.topic)
        }
        guard !wanting.isEmpty else { return RuleOutput() }
        let properties = message.properties?.forwarded
        let input = SQLInput(
            topic: topic ?? message.topicName, payload: Array(message.payload.readableBytesView), clientID: publisher.clientID,
            principal: publisher.principal, timestampMilliseconds: world.nowMilliseconds(),
            environment: environment, peer: publisher.peer,
            properties: { SQLMessageProperties(properties.map(Properties.init(forwarded:)) ?? Properties()) }
        )
        let step = message.trace.map(TraceStep.init(below:))
        var output = RuleOutput()
        for entry in wanting {
            var run = TopicRuleRun(entry: entry, input: input, hops: message.hops, now: now, rules: rules)
            run.trace = step?.parent
            carryOut(&run)
            output.append(run.output)
        }
        return output.traced(step, as: "rules")
    }

    /// What statements ask of the world.
    var environment: SQLEnvironment { SQLEnvironment(accountID: TemplateScope.accountID, makeUUID: world.makeID) }

    private func carryOut(_ run: inout TopicRuleRun) {
        let rule = run.entry.rule
        let match: SQLMatch
        do throws(SQLEvaluationError) {
            guard let found = try rule.statement.match(run.input) else { return }
            match = found
        } catch {
            totals.deliveriesAccepted.increment()
            run.failures.append(
                RuleFailure(action: "sql", name: "SqlStatement", resource: rule.name, failure: .statement(error)))
            return conclude(&run, nil)
        }
        countMatch(run.entry.counters)
        for (place, action) in rule.actions.enumerated() {
            run.place = place
            carryOut(action, payload: match.payload, match, &run)
        }
        conclude(&run, match)
    }

    /// Carries out one action for a message once more; what fails of it is a dead letter of its own.
    ///
    /// - Parameters:
    ///   - place: of the action in the rule; `nil` where the statement had failed, for the whole rule.
    ///   - entry: the rule.
    ///   - input: the message.
    ///   - now: on the broker's clock.
    ///   - trace: the step in which that is done.
    /// - Returns: what is to be carried out.
    func performAgain(
        _ place: Int?, of entry: RuleTable.Topic, _ input: SQLInput, now: Instant, trace: TraceParent?
    ) -> RuleOutput {
        var run = TopicRuleRun(entry: entry, input: input, hops: 0, now: now, rules: rules)
        run.trace = trace
        guard let place else {
            carryOut(&run)
            return run.output
        }
        // The statement wanted the message before; if it does not now, its action fails by what it misses.
        let match = (try? entry.rule.statement.match(input)) ?? nil
        run.place = place
        carryOut(entry.rule.actions[place], payload: match?.payload ?? input.payload, match, &run)
        for failure in run.failures { fail(failure, &run) }
        return run.output
    }

    /// Carries out one action, or notes why it failed.
    private func carryOut(_ action: TopicRule.Action, payload: [UInt8], _ match: SQLMatch?, _ run: inout TopicRuleRun) {
        totals.deliveriesAccepted.increment()
        do throws(DeliveryFailure) {
            if try perform(action, payload: payload, match, &run) {
                countDelivery(run.entry.counters, began: run.input.timestampMilliseconds)
            }
        } catch {
            run.failures.append(RuleFailure(action, error))
        }
    }

    /// Keeps what failed, and hands all of it to the rule's error action, once.
    func conclude(_ run: inout TopicRuleRun, _ match: SQLMatch?) {
        guard !run.failures.isEmpty else { return }
        for failure in run.failures { fail(failure, &run) }
        guard let action = run.entry.rule.errorAction else { return }
        let document = ErrorActionDocument(run, run.failures)
        run.failures = []
        run.isErrorAction = true
        run.document = document.json
        carryOut(action, payload: document.json, match, &run)
        // What the error action itself could not do is kept as any other failure.
        for failure in run.failures { fail(failure, &run) }
    }

    func fail(_ failure: RuleFailure, _ run: inout TopicRuleRun) {
        run.output.isReferredTo = true
        let letter = DeadLetter(
            timeMilliseconds: run.input.timestampMilliseconds, rule: run.entry.rule.name, bus: nil,
            target: run.isErrorAction ? DeadLetter.errorAction(failure.action) : failure.action,
            errorCode: failure.failure.code, errorMessage: failure.failure.message, event: ErrorActionDocument(run, [failure]).json,
            trying: failure.trying, trace: run.trace)
        fail(letter, eventID: nil, run.entry.counters)
    }
}

/// One topic rule at work on one message.
struct TopicRuleRun {
    let entry: RuleTable.Topic
    let input: SQLInput
    /// How many rules the message has passed through.
    let hops: UInt8
    let now: Instant
    let rules: RuleTable
    /// What failed is handed to the rule's error action now; what fails of that is the end.
    var isErrorAction = false
    /// Of the action at work, among the rule's.
    var place = 0
    /// What the error action gets.
    var document: [UInt8] = []
    /// The step of a trace in which it is at work.
    var trace: TraceParent?
    var output = RuleOutput()
    var failures: [RuleFailure] = []
}

/// What of a topic rule failed for a message, and why.
struct RuleFailure {
    /// What dead letters call the action.
    var action: String
    /// What AWS IoT's document calls it.
    var name: String
    var resource: String
    var failure: DeliveryFailure
    var trying = RetryRecord.none
}

extension RuleFailure {
    init(_ action: TopicRule.Action, _ failure: DeliveryFailure, _ trying: RetryRecord = .none) {
        self.init(
            action: action.name, name: action.documentedName, resource: action.resource, failure: failure, trying: trying)
    }
}

extension SQLMessageProperties {
    fileprivate init(_ properties: Properties) {
        self.init()
        contentType = properties.contentType
        isUTF8 = properties.payloadFormatIndicator == .utf8
        responseTopic = properties.responseTopic
        correlationData = properties.correlationData.map { Array($0.readableBytesView) }
        userProperties = properties.userProperties.map { ($0.name, $0.value) }
    }
}
