/// Whether a client may do what it asks, and the statement that said so.
package enum PolicyDecision: Sendable {
    case allowed(by: Policy.Statement)
    case denied(by: Policy.Statement)
    /// No statement allows it.
    case notAllowed

    package var isAllowed: Bool {
        if case .allowed = self { return true }
        return false
    }

    /// What the log says of a refusal; `nil` when it is allowed.
    package func refusal(of action: PolicyAction, _ name: String) -> String? {
        let asked = "\(action.rawValue) on \(action.resourceKind)/\(name)"
        switch self {
        case .allowed: return nil
        case .denied(let statement): return "\(asked) is denied by statement \(statement.name) of the policy \(statement.policy)"
        case .notAllowed: return "\(asked) is allowed by no policy"
        }
    }
}

/// What the policies of one client allow and deny, with its variables filled.
package struct Grants: Sendable {
    private struct Entry: Sendable {
        var statement: Policy.Statement
        var patterns: [ResourcePattern]
    }

    /// By action; those that deny before those that allow.
    private var entries: [PolicyAction: [Entry]] = [:]

    init(_ policies: [Policy], for subject: PolicySubject) {
        let statements = policies.flatMap(\.statements)
        for statement in statements.filter({ $0.effect == .deny }) + statements.filter({ $0.effect == .allow }) {
            // A variable that stands for nothing allows nothing, and takes nothing back from what is denied.
            let patterns = statement.resources.compactMap { resource in
                resource.pattern(for: subject) ?? (statement.effect == .deny ? resource.widestPattern : nil)
            }
            if patterns.isEmpty { continue }
            for action in statement.actions { entries[action, default: []].append(Entry(statement: statement, patterns: patterns)) }
        }
    }

    /// Decides: one statement that denies is enough, and without one that allows nothing is.
    ///
    /// - Parameters:
    ///   - action: what the client asks to do.
    ///   - name: a client identifier, a topic or a topic filter, as ``PolicyAction/resourceKind`` says.
    /// - Returns: the answer, with the statement that gave it.
    package func decide(_ action: PolicyAction, _ name: String) -> PolicyDecision {
        guard let candidates = entries[action] else { return .notAllowed }
        let resource = Array("\(action.resourceKind)/\(name)".utf8)
        for entry in candidates {
            // What is denied must not be had by a filter for more, so there `?` is any character, as IoT Core has it.
            let isNarrow = action == .subscribe && entry.statement.effect == .allow
            guard entry.patterns.contains(where: { $0.matches(resource, isFilter: isNarrow) }) else { continue }
            return entry.statement.effect == .deny ? .denied(by: entry.statement) : .allowed(by: entry.statement)
        }
        return .notAllowed
    }
}
