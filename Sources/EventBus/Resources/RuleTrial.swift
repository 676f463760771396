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
    /// What a broker tells of a rule is not what this program understands.
    case unreadable(rule: String, reason: String)

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
        case .unreadable(let rule, let reason): "\(rule) cannot be read: \(reason)"
        case .topicMissing(let rule, let filter): "\(rule) is a topic rule for \(filter): say with --topic where the message was published"
        }
    }
}

/// A rule as far as it decides what it wants.
package struct RuleUnderTrial: Sendable {
    private enum Wants: Sendable {
        case events(EventPattern?, schedule: String?)
        case messages(SQLStatement)
    }

    private let name: String
    /// Nil for a topic rule.
    private let bus: String?
    private let isEnabled: Bool
    private let wants: Wants

    init(_ rule: EventRule) {
        (name, bus, isEnabled) = (rule.name, rule.busName, rule.isEnabled)
        wants = .events(rule.pattern, schedule: rule.schedule?.text)
    }

    init(_ rule: TopicRule) {
        (name, bus, isEnabled) = (rule.name, nil, rule.isEnabled)
        wants = .messages(rule.statement)
    }

    /// An event rule as a broker tells of it.
    package init(name: String, bus: String, isEnabled: Bool, pattern: String?, schedule: String?) throws(RuleTrialError) {
        (self.name, self.bus, self.isEnabled) = (name, bus, isEnabled)
        do throws(EventPatternError) {
            let pattern = try pattern.map { (text) throws(EventPatternError) in try EventPattern(parsing: Array(text.utf8)) }
            wants = .events(pattern, schedule: schedule)
        } catch {
            throw .unreadable(rule: name, reason: error.message)
        }
    }

    /// A topic rule as a broker tells of it.
    package init(name: String, isEnabled: Bool, sql: String, version: String, host: SQLHost) throws(RuleTrialError) {
        (self.name, bus, self.isEnabled) = (name, nil, isEnabled)
        guard let version = SQLVersion(rawValue: version) else {
            throw .unreadable(rule: name, reason: "the version `\(version)` of SQL is unknown")
        }
        do throws(SQLError) {
            wants = .messages(try SQLStatement(parsing: sql, version: version, host: host))
        } catch {
            throw .unreadable(rule: name, reason: "\(error)")
        }
    }

    /// Tries one of some rules: an event rule with an event as EventBridge delivers it, a topic rule with a message's payload.
    ///
    /// - Parameters:
    ///   - name: the rule's, as `BUS/NAME` where several buses have one of that name.
    ///   - rules: all that there are.
    ///   - event: JSON; for a topic rule any bytes.
    ///   - topic: where the message was published, for a topic rule.
    ///   - nowMilliseconds: since 1970, for what a statement asks of the clock.
    /// - Returns: what the rule makes of it.
    /// - Throws: why the rule cannot be tried.
    package static func tryRule(
        _ name: String, among rules: [RuleUnderTrial], event: [UInt8], topic: String?, nowMilliseconds: Int64
    ) throws(RuleTrialError) -> RuleTrial {
        let named = rules.filter { rule in rule.bus.map { rule.name == name || "\($0)/\(rule.name)" == name } ?? false }
        guard named.count < 2 else { throw .ambiguous(name, buses: named.compactMap(\.bus)) }
        guard let rule = named.first ?? rules.first(where: { $0.bus == nil && $0.name == name }) else {
            throw .unknownRule(name, known: rules.map(\.name))
        }
        switch rule.wants {
        case .events(nil, let schedule): throw .noPattern(rule: rule.name, schedule: schedule ?? "")
        case .events(let pattern?, _):
            let finding = RuleTrial.Finding.pattern(pattern.explain(try object(event)))
            return RuleTrial(rule: rule.name, bus: rule.bus, isEnabled: rule.isEnabled, finding: finding)
        case .messages(let statement):
            guard let topic else { throw .topicMissing(rule: name, filter: statement.topicFilter ?? "\(BasicIngest.prefix)\(name)/…") }
            let finding = rule.trial(of: statement, event, topic: topic, nowMilliseconds)
            return RuleTrial(rule: name, bus: nil, isEnabled: rule.isEnabled, finding: finding)
        }
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

    private func trial(
        of statement: SQLStatement, _ payload: [UInt8], topic: String, _ nowMilliseconds: Int64
    ) -> RuleTrial.Finding {
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

extension EventEngine {
    /// Tries one of the rules in force, see ``RuleUnderTrial/tryRule(_:among:event:topic:nowMilliseconds:)``.
    package func tryRule(_ name: String, event: [UInt8], topic: String?) throws(RuleTrialError) -> RuleTrial {
        let rules = rules
        return try RuleUnderTrial.tryRule(
            name, among: rules.eventRules.map { RuleUnderTrial($0.rule) } + rules.topicRules.map { RuleUnderTrial($0.rule) },
            event: event, topic: topic, nowMilliseconds: world.nowMilliseconds())
    }

    /// What a pattern that no rule has is called.
    package static let triedPattern = "pattern"

    /// Tries an event pattern that no rule has.
    package func tryPattern(_ pattern: String, event: [UInt8]) throws(RuleTrialError) -> RuleTrial {
        let name = Self.triedPattern
        let rule = try RuleUnderTrial(
            name: name, bus: ResourceSet.defaultBusName, isEnabled: true, pattern: pattern, schedule: nil)
        return try RuleUnderTrial.tryRule(name, among: [rule], event: event, topic: nil, nowMilliseconds: world.nowMilliseconds())
    }
}

extension ResourceSet {
    /// Tries one of these rules, see ``RuleUnderTrial/tryRule(_:among:event:topic:nowMilliseconds:)``.
    package func tryRule(_ name: String, event: [UInt8], topic: String?, nowMilliseconds: Int64) throws(RuleTrialError) -> RuleTrial {
        try RuleUnderTrial.tryRule(
            name, among: eventRules.map { RuleUnderTrial($0) } + topicRules.map { RuleUnderTrial($0) }, event: event, topic: topic,
            nowMilliseconds: nowMilliseconds)
    }
}
