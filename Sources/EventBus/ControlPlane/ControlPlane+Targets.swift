import Documents
package import Rules

/// A target as the API describes it.
package struct TargetDescription: Sendable, Equatable {
    package let id: String
    /// The JSON of an object with all that was given.
    package let json: [UInt8]
}

extension ControlPlane {
    /// Adds targets to a rule that came by API; one with the same identifier is replaced.
    ///
    /// They are objects with EventBridge's members, read by the same reader as those of templates, and refused in the same words, all if one
    /// is.
    package func putTargets(_ targets: [JSONView], toRule name: String, onBus bus: String) throws(ControlError) {
        let key = Self.key(name, onBus: bus)
        let origin = origin("PutTargets")
        try change { (registry) throws(ControlError) in
            var rule = try registry.changeable(key)
            let declared = declaredNames(registry)
            for target in targets {
                let read: Target
                do throws(DocumentError) { read = try TargetReader(Node(target, at: origin), declared: declared).read() } catch {
                    throw ControlError(.validation, error)
                }
                if let place = rule.targets.firstIndex(where: { $0.id == read.id }) {
                    rule.targets[place] = read
                } else {
                    rule.targets.append(read)
                }
            }
            guard rule.targets.count <= limits.targetsPerRuleMax else { throw .tooMany }
            registry.put(rule)
        }
    }

    /// Takes targets from a rule that came by API.
    ///
    /// - Returns: identifiers of none of its targets.
    package func removeTargets(_ ids: [String], fromRule name: String, onBus bus: String) throws(ControlError) -> [String] {
        try change { (registry) throws(ControlError) in
            var rule = try registry.changeable(Self.key(name, onBus: bus))
            let unknown = ids.filter { id in !rule.targets.contains { $0.id == id } }
            rule.targets.removeAll { ids.contains($0.id) }
            registry.put(rule)
            return unknown
        }
    }

    /// The targets of a rule, in the order of their identifiers.
    package func targets(ofRule name: String, onBus bus: String) throws(ControlError) -> [TargetDescription] {
        try look { (registry) throws(ControlError) in
            try registry.required(Self.key(name, onBus: bus)).targets
                .map { TargetDescription(id: $0.id, json: $0.definition) }
                .sorted { $0.id < $1.id }
        }
    }
}
