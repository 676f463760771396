package import Documents
package import EventBus
package import Rights

/// The policies that came by API.
extension ThingTable {
    /// A policy as calls know it: of the API, or of a template, which has one version.
    package enum Found {
        case registered(RegisteredPolicy)
        case ofTemplate(Policy)
    }

    /// The template's policy of a name.
    package func template(_ name: String) -> Policy? { templates.first { $0.name == name } }

    /// A policy that must be there; where both have one of the name, the template's, since that is in force.
    package func required(policy name: String) throws(ControlError) -> Found {
        if let policy = template(name) { return .ofTemplate(policy) }
        guard let policy = policies[name] else {
            throw ControlError(.resourceNotFound, "Policy not found (name=\(name))")
        }
        return .registered(policy)
    }

    /// A policy that must be there and have come by API.
    private func changeable(_ name: String) throws(ControlError) -> RegisteredPolicy {
        switch try required(policy: name) {
        case .registered(let policy): return policy
        case .ofTemplate(let policy): throw .ofTemplate("Policy \(name)", at: policy.location, .invalidRequest)
        }
    }

    private mutating func put(_ policy: RegisteredPolicy) {
        policies[policy.name] = policy
        if policy.inForce != nil { unreadablePolicies.remove(policy.name) }
        touch(.policy(policy.name), rights: true)
    }

    /// Takes a policy of another name than all others.
    package mutating func createPolicy(_ name: String, _ text: String, at location: SourceLocation, now: Int64) throws(ControlError) {
        guard template(name) == nil, policies[name] == nil, !unreadablePolicies.contains(name) else {
            throw ControlError(.resourceAlreadyExists, "Policy cannot be created - name already exists (name=\(name))")
        }
        // As of a template's policy that is gone: whoever makes a policy has not been asked whom it is for.
        guard !isAttached(policy: name) else {
            throw ControlError(
                .invalidRequest, "Certificates have a policy of this name attached that is gone: detach it first (name=\(name))")
        }
        let policy = try RegisteredPolicy.read(text, named: name, at: location, limits)
        guard policies.count < limits.iotPoliciesMax else {
            throw ControlError(.invalidRequest, "There are iotPoliciesMax (\(limits.iotPoliciesMax)) policies by API already.")
        }
        let version = RegisteredPolicy.Version(number: 1, text: text, createdMilliseconds: now, policy: policy)
        put(RegisteredPolicy(name: name, versions: [version], defaultNumber: 1, lastNumber: 1, modifiedMilliseconds: now))
    }

    /// Deletes a policy that came by API, also one that cannot be read.
    ///
    /// - Throws: for one that is attached, that has several versions, or that is a template's.
    package mutating func deletePolicy(_ name: String) throws(ControlError) {
        let isUnreadable = policies[name] == nil && unreadablePolicies.contains(name) && template(name) == nil
        let versions = isUnreadable ? 1 : try changeable(name).versions.count
        guard !isAttached(policy: name) else {
            throw ControlError(
                .deleteConflict, "The policy cannot be deleted as the policy is attached to one or more principals (name=\(name))")
        }
        guard versions == 1 else {
            throw ControlError(
                .deleteConflict, "Cannot delete the policy because it has one or more policy versions attached to it (name=\(name))")
        }
        policies[name] = nil
        unreadablePolicies.remove(name)
        touch(.policy(name), rights: true)
    }

    /// Adds a version, and answers its number.
    package mutating func createVersion(
        of name: String, _ text: String, setAsDefault: Bool, at location: SourceLocation, now: Int64
    ) throws(ControlError) -> Int {
        var policy = try changeable(name)
        guard policy.versions.count < limits.iotPolicyVersionsMax else {
            throw ControlError(
                .versionsLimitExceeded,
                "The policy already has the maximum number of versions (name=\(name), iotPolicyVersionsMax \(limits.iotPolicyVersionsMax))")
        }
        let read = try RegisteredPolicy.read(text, named: name, at: location, limits)
        guard policy.lastNumber < .max else { throw ControlError(.invalidRequest, "There are no numbers left (name=\(name)).") }
        policy.lastNumber += 1
        policy.versions.append(.init(number: policy.lastNumber, text: text, createdMilliseconds: now, policy: read))
        if setAsDefault { policy.defaultNumber = policy.lastNumber }
        policy.modifiedMilliseconds = now
        put(policy)
        return policy.lastNumber
    }

    /// Says which version is in force.
    package mutating func setDefaultVersion(of name: String, _ number: Int, now: Int64) throws(ControlError) {
        var policy = try changeable(name)
        guard policy.version(number) != nil else { throw Self.noVersion(number, of: name) }
        policy.defaultNumber = number
        policy.modifiedMilliseconds = now
        put(policy)
    }

    /// Deletes a version that is not in force.
    package mutating func deleteVersion(of name: String, _ number: Int) throws(ControlError) {
        var policy = try changeable(name)
        guard policy.version(number) != nil else { throw Self.noVersion(number, of: name) }
        guard policy.defaultNumber != number else {
            throw ControlError(.deleteConflict, "Cannot delete the default version of a policy")
        }
        policy.versions.removeAll { $0.number == number }
        put(policy)
    }

    /// The refusal of a version that is not there.
    package static func noVersion(_ number: Int, of name: String) -> ControlError {
        ControlError(.resourceNotFound, "Policy version not found (name=\(name), version=\(number))")
    }
}
