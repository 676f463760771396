/// Whether a client may do what it asks, and the statement that said so.
package enum PolicyDecision: Sendable {
    case allowed(by: Policy.Statement)
    case denied(by: Policy.Statement)
    /// By a line of the ACL file.
    case granted(by: AccessLine)
    case withheld(by: AccessLine)
    /// The certificate was registered and is not active any more; with its status.
    case certificateTakenBack(String)
    /// An ACL file says nothing of connecting: whoever proved a name to the listener connects by any client identifier, as in mosquitto.
    case leftToTheListener
    /// No statement and no line allows it.
    case notAllowed

    package var isAllowed: Bool {
        switch self {
        case .allowed, .granted, .leftToTheListener: true
        case .denied, .withheld, .certificateTakenBack, .notAllowed: false
        }
    }

    /// Whether something says no, where for ``notAllowed`` nothing says yes.
    package var isDenied: Bool {
        switch self {
        case .denied, .withheld, .certificateTakenBack: true
        case .allowed, .granted, .leftToTheListener, .notAllowed: false
        }
    }

    /// What the log says of a refusal; `nil` when it is allowed.
    package func refusal(of action: PolicyAction, _ name: String) -> String? {
        refusal(asked: "\(action.rawValue) on \(action.resourceKind)/\(name)")
    }

    /// What the log says of a refusal of a call over HTTP; `nil` when it is allowed.
    package func refusal(of action: PolicyAction, arn: String) -> String? { refusal(asked: "\(action.rawValue) on \(arn)") }

    private func refusal(asked: String) -> String? {
        switch self {
        case .allowed, .granted, .leftToTheListener: return nil
        case .denied(let statement): return "\(asked) is denied by statement \(statement.name) of the policy \(statement.policy)"
        case .withheld(let line): return "\(asked) is denied by the ACL file, \(line.location)"
        case .certificateTakenBack(let status): return "\(asked) is denied: the client's certificate is \(status), by UpdateCertificate"
        case .notAllowed: return "\(asked) is allowed by no policy"
        }
    }
}

/// What the policies and the ACL file allow and deny to one client, with its variables filled.
package struct Grants: Sendable {
    private struct Entry: Sendable {
        var statement: Policy.Statement
        var patterns: [ResourcePattern]
    }

    /// By action; those that deny before those that allow.
    private var entries: [PolicyAction: [Entry]] = [:]
    /// Of the ACL file, those that deny before those that grant; `nil` where there is none.
    private let lines: [AccessLine]?
    /// The status of the client's certificate, where that is not active.
    private let inactive: String?

    /// Nothing, for whoever shows a certificate that is not active.
    init(inactive status: String) { (lines, inactive) = (nil, status) }

    init(_ policies: [Policy], _ file: AccessFile? = nil, for subject: PolicySubject) {
        lines = file?.lines(for: subject)
        inactive = nil
        let statements = policies.flatMap(\.statements)
        for statement in statements.filter({ $0.effect == .deny }) + statements.filter({ $0.effect == .allow }) {
            let denies = statement.effect == .deny
            guard statement.conditions.allSatisfy({ $0.holds(for: subject, otherwise: denies) }) else { continue }
            // A variable that stands for nothing allows nothing, and takes nothing back from what is denied.
            let patterns = statement.resources.compactMap { resource -> (String?, ResourcePattern)? in
                let pattern = resource.pattern(for: subject) ?? (denies ? resource.widestPattern : nil)
                return pattern.map { (resource.service, $0) }
            }
            for action in statement.actions {
                let own = patterns.filter { service, _ in service == nil || service == action.service }.map(\.1)
                if !own.isEmpty { entries[action, default: []].append(Entry(statement: statement, patterns: own)) }
            }
        }
    }

    /// Decides: one statement or line that denies is enough, and without one that allows nothing is.
    ///
    /// - Parameters:
    ///   - action: what the client asks to do.
    ///   - name: a client identifier, a topic or a topic filter, as ``PolicyAction/resourceKind`` says.
    /// - Returns: the answer, with the statement or line that gave it.
    package func decide(_ action: PolicyAction, _ name: String) -> PolicyDecision {
        if let inactive { return .certificateTakenBack(inactive) }
        let byPolicy = decideByPolicies(action, resource: Array("\(action.resourceKind)/\(name)".utf8))
        if case .denied = byPolicy { return byPolicy }
        guard let lines else { return byPolicy }
        // A policy that speaks of connecting decides over it; a file of topics alone does not.
        if action == .connect { return byPolicy.isAllowed || entries[.connect] != nil ? byPolicy : .leftToTheListener }
        let asked = action == .subscribe ? FilterLevels(filter: name.utf8) : FilterLevels(topic: name.utf8)
        let line = lines.first { $0.applies(to: action, asked) }
        if let denial = Self.denial(of: action, asked, among: lines) { return .withheld(by: denial) }
        if byPolicy.isAllowed { return byPolicy }
        return line.map { .granted(by: $0) } ?? .notAllowed
    }

    /// Decides over what a caller over HTTP asks for; an ACL file grants none of them, and denies what it denies over MQTT.
    ///
    /// - Parameters:
    ///   - action: what the caller asks to do.
    ///   - arn: of what; of another service than the action's it is allowed by nothing.
    /// - Returns: the answer, with the statement that gave it.
    package func decide(_ action: PolicyAction, arn: String) -> PolicyDecision {
        if let inactive { return .certificateTakenBack(inactive) }
        let fields = arn.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false).map(Substring.init)
        guard fields.count == 6, fields[2] == action.service else { return .notAllowed }
        let byPolicy = decideByPolicies(action, resource: Array(fields[5].utf8))
        if case .denied = byPolicy { return byPolicy }
        return line(denying: action, resource: fields[5]).map { .withheld(by: $0) } ?? byPolicy
    }

    /// The line of an ACL file that denies over MQTT what a call would have: to publish on a topic, or to read what is retained there.
    private func line(denying action: PolicyAction, resource: Substring) -> AccessLine? {
        // By bytes: for characters, a combining mark behind the slash is part of it.
        let kind = "topic/".utf8
        guard let lines, resource.utf8.starts(with: kind) else { return nil }
        let isPublishing = action == .publish || action == .retainPublish
        let asked = FilterLevels(topic: resource.utf8.dropFirst(kind.count))
        return Self.denial(of: isPublishing ? action : .receive, asked, among: lines)
    }

    /// The line that denies: to publish by Basic Ingest also one for the topic that the rule sees, which is what the rule makes of the message.
    ///
    /// What is granted there is the topic as it is published, as in IoT Core; so are both in policies.
    private static func denial(of action: PolicyAction, _ asked: FilterLevels, among lines: [AccessLine]) -> AccessLine? {
        let isPublishing = action == .publish || action == .retainPublish
        let inner = isPublishing ? asked.behindBasicIngest : nil
        return lines.first { line in
            line.access == .deny && (line.applies(to: action, asked) || inner.map { line.applies(to: action, $0) } ?? false)
        }
    }

    /// The resource is what follows the account in its ARN.
    private func decideByPolicies(_ action: PolicyAction, resource: [UInt8]) -> PolicyDecision {
        guard let candidates = entries[action] else { return .notAllowed }
        for entry in candidates {
            // What is denied must not be had by a filter for more, so there `?` is any character, as IoT Core has it.
            let isNarrow = action == .subscribe && entry.statement.effect == .allow
            guard entry.patterns.contains(where: { $0.matches(resource, isFilter: isNarrow) }) else { continue }
            return entry.statement.effect == .deny ? .denied(by: entry.statement) : .allowed(by: entry.statement)
        }
        return .notAllowed
    }
}
