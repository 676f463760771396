import BrokerCore
import NIOCore
package import Rules

/// What a rule makes of one event or message, tried without delivering anything.
package struct RuleTrial: Sendable {
    package enum Finding: Sendable {
        /// An event rule: its pattern, field by field.
        case pattern(PatternExplanation)
        /// A topic rule, with what its statement selects: `nil` where its filter or its WHERE does not want the message.
        case statement(selected: [UInt8]?, reason: String)
    }

    package let rule: String
    /// `nil` for a topic rule.
    package let bus: String?
    package let isEnabled: Bool
    package let finding: Finding

    package var matches: Bool {
        switch finding {
        case .pattern(let explanation): explanation.matches
        case .statement(let selected, _): selected != nil
        }
    }
}

/// Why a rule could not be tried.
package enum RuleTrialError: Error, Equatable, CustomStringConvertible {
    case unknownRule(String, known: [String])
    /// Several buses have a rule of this name.
    case ambiguous(String, buses: [String])
    case notJSON(JSONError)
    case noObject
    case topicMissing(rule: String, filter: String)
    case noPattern(rule: String, schedule: String)

    package var description: String {
        switch self {
        case .unknownRule(let name, let known):
            known.isEmpty
                ? "there are no rules, so none is called \(name)" : "no rule is called \(name); there are \(known.joined(separator: ", "))"
        case .ambiguous(let name, let buses):
            "several buses have a rule \(name): name one of \(buses.map { "\($0)/\(name)" }.joined(separator: ", "))"
        case .notJSON(let error): "the event is not JSON: \(error)"
        case .noObject: "the event is no JSON object"
        case .noPattern(let rule, let schedule): "\(rule) runs by the clock, \(schedule), and wants no events"
        case .topicMissing(let rule, let filter): "\(rule) is a topic rule for \(filter): say with --topic where the message was published"
        }
    }
}

extension ResourceSet {
    /// Tries one rule: an event rule with an event as EventBridge delivers it, a topic rule with a message's payload.
    ///
    /// - Parameters:
    ///   - name: the rule's, as `BUS/NAME` where several buses have one of that name.
    ///   - event: JSON; for a topic rule any bytes.
    ///   - topic: where the message was published, for a topic rule.
    ///   - nowMilliseconds: since 1970, for what a statement asks of the clock.
    /// - Returns: what the rule makes of it.
    /// - Throws: why the rule cannot be tried.
    package func tryRule(_ name: String, event: [UInt8], topic: String?, nowMilliseconds: Int64) throws(RuleTrialError) -> RuleTrial {
        let named = eventRules.filter { $0.name == name || "\($0.busName)/\($0.name)" == name }
        guard named.count < 2 else { throw .ambiguous(name, buses: named.map(\.busName)) }
        if let rule = named.first {
            guard let pattern = rule.pattern else { throw .noPattern(rule: rule.name, schedule: rule.schedule?.text ?? "") }
            let finding = RuleTrial.Finding.pattern(pattern.explain(try Self.object(event)))
            return RuleTrial(rule: rule.name, bus: rule.busName, isEnabled: rule.isEnabled, finding: finding)
        }
        guard let rule = topicRules.first(where: { $0.name == name }) else {
            throw .unknownRule(name, known: eventRules.map(\.name) + topicRules.map(\.name))
        }
        guard let topic else { throw .topicMissing(rule: name, filter: rule.statement.topicFilter ?? "\(BasicIngest.prefix)\(name)/…") }
        return RuleTrial(rule: name, bus: nil, isEnabled: rule.isEnabled, finding: rule.trial(event, topic: topic, nowMilliseconds))
    }

    private static func object(_ event: [UInt8]) throws(RuleTrialError) -> JSONView {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: event, limits: JSONLimits(bytesMax: max(event.count, 1)))
        } catch {
            throw .notJSON(error)
        }
        guard document.root.kind == .object else { throw .noObject }
        return document.root
    }
}

extension TopicRule {
    fileprivate func trial(_ payload: [UInt8], topic: String, _ nowMilliseconds: Int64) -> RuleTrial.Finding {
        var topic = topic
        if let (rule, rest) = BasicIngest.parts(of: topic) {
            // Only the rule that is named gets it, whatever its filter.
            guard rule == name else { return .statement(selected: nil, reason: "\(topic) is for the rule \(rule)") }
            topic = rest
        } else if let filter = statement.matchedFilter, FilterIndex([filter]).matches(ByteBuffer(string: topic)).isEmpty {
            return .statement(selected: nil, reason: "\(topic) is not on \(statement.topicFilter ?? filter)")
        } else if statement.topicFilter == nil {
            return .statement(
                selected: nil, reason: "the statement has no FROM: it gets what is published to \(BasicIngest.prefix)\(name)/…")
        }
        let input = SQLInput(topic: topic, payload: payload, clientID: nil, principal: nil, timestampMilliseconds: nowMilliseconds)
        do throws(SQLEvaluationError) {
            guard let match = try statement.match(input) else {
                return .statement(selected: nil, reason: "WHERE is not true\(Self.remark(on: input))")
            }
            return .statement(selected: match.payload, reason: "the statement wants the message")
        } catch {
            return .statement(selected: nil, reason: "the statement fails: \(error)")
        }
    }

    private static func remark(on input: SQLInput) -> String {
        input.payloadError.map { "; the payload is not JSON: \($0)" } ?? ""
    }
}
