package import EventBus
import Rules

/// What a rule makes of an event: the answer to `POST /api/v1/rules/test`, and what `crema rules test --json` prints.
package struct RuleTrialDocument: Codable, Sendable, Equatable {
    package struct Field: Codable, Sendable, Equatable {
        package var path: String
        package var met: Bool
        package var wanted: [String]
        package var found: [String]
        package var text: String
    }

    package struct Alternative: Codable, Sendable, Equatable {
        package var matches: Bool
        /// Each field is met, but only by different elements of one array.
        package var needsTwoElements: Bool
        package var fields: [Field]
    }

    package var rule: String
    package var bus: String?
    package var enabled: Bool
    package var matches: Bool
    package var alternatives: [Alternative]?
    package var reason: String?
    /// What a topic rule's statement selects; bytes that are no UTF-8 are replaced.
    package var selected: String?

    /// A rule or a pattern that cannot be tried, and why: the event is no JSON, the pattern is none.
    package init(rule: String, cannotBeTried reason: String) {
        (self.rule, enabled, matches, self.reason) = (rule, true, false, reason)
    }

    package init(_ trial: RuleTrial) {
        (rule, bus, enabled, matches) = (trial.rule, trial.bus, trial.isEnabled, trial.matches)
        switch trial.finding {
        case .pattern(let explanation):
            alternatives = explanation.alternatives.map { alternative in
                Alternative(
                    matches: alternative.matches, needsTwoElements: alternative.needsTwoElements,
                    fields: alternative.fields.map {
                        Field(path: $0.path, met: $0.isMet, wanted: $0.wanted, found: $0.found, text: $0.description)
                    })
            }
        case .statement(let selected, let reason):
            self.reason = reason
            self.selected = selected.map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
