import Documents

/// Tags of buses, rules and topic rules, found by their ARNs.
extension ControlPlane {
    private enum Tagged {
        case bus(String)
        case rule(RuleKey)
        case topicRule(String)
    }

    package func tags(ofResource arn: String) throws(ControlError) -> [String: String] {
        let tagged = try Self.tagged(arn)
        return try look { (registry) throws(ControlError) in
            switch tagged {
            case .bus(let name):
                guard let bus = registry.bus(name) else { throw .noBus(name) }
                return bus.details.tags
            case .rule(let key): return try registry.required(key).details.tags
            case .topicRule(let name): return try Self.existing(name, registry).definition.tags
            }
        }
    }

    /// Sets tags, and takes others away.
    package func tag(_ arn: String, _ tags: [String: String], removing keys: [String] = []) throws(ControlError) {
        let tagged = try Self.tagged(arn)
        try change { (registry) throws(ControlError) in
            switch tagged {
            case .bus(let name):
                var bus = try Self.changeable(name, registry)
                bus.details.tags = try self.tags(bus.details.tags, adding: tags, removing: keys)
                registry.put(bus)
            case .rule(let key):
                var rule = try registry.changeable(key)
                rule.details.tags = try self.tags(rule.details.tags, adding: tags, removing: keys)
                registry.put(rule)
            case .topicRule(let name):
                _ = try Self.existing(name, registry)
                var rule = try registry.changeable(topicRule: name)
                rule.definition.tags = try self.tags(rule.definition.tags, adding: tags, removing: keys)
                registry.put(rule)
            }
        }
    }

    private func tags(
        _ tags: [String: String], adding new: [String: String], removing keys: [String]
    ) throws(ControlError) -> [String: String] {
        let all = tags.merging(new) { $1 }.filter { !keys.contains($0.key) }
        guard all.count <= limits.tagsMax else { throw .tooMany }
        return all
    }

    /// For tags, a topic rule that is not there is no secret.
    private static func existing(_ name: String, _ registry: borrowing ResourceRegistry) throws(ControlError) -> TopicRule {
        guard let rule = registry.topicRule(name) else { throw ControlError(.resourceNotFound, "Topic rule \(name) does not exist.") }
        return rule
    }

    private static func tagged(_ arn: String) throws(ControlError) -> Tagged {
        if let key = RuleKey(arn: arn) { return .rule(key) }
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        if parts.count == 6, parts[0] == "arn" {
            let path = parts[5].split(separator: "/", omittingEmptySubsequences: false)
            switch (parts[2], path.first) {
            case ("events", "event-bus") where path.count > 1: return .bus(path.dropFirst().joined(separator: "/"))
            case ("iot", "rule") where path.count == 2: return .topicRule(String(path[1]))
            default: break
            }
        }
        throw ControlError(.validation, "Parameter ResourceARN is not valid: `\(arn)` is the ARN of no rule and no bus.")
    }
}
