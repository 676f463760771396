/// Who may use a bus, as far as it can be said: see ``BusPolicy``.
extension ControlPlane {
    /// Adds a statement to the policy of a bus, also of a template's.
    package func putPermission(_ permission: BusPermission, onBus name: String) throws(ControlError) {
        try changePolicy(ofBus: name) { (policy, arn) throws(ControlError) in
            var changed = policy ?? BusPolicy()
            changed.put(permission.statement(bus: arn))
            policy = changed
        }
        delivery.engine.notePolicy(bus: name)
    }

    /// Puts a whole policy, as JSON, in the place of the one that there is.
    package func putPolicy(_ text: String, onBus name: String) throws(ControlError) {
        let new = try BusPolicy(parsing: text)
        try changePolicy(ofBus: name) { (policy, _) throws(ControlError) in policy = new }
        delivery.engine.notePolicy(bus: name)
    }

    package func removePermission(_ id: String, fromBus name: String) throws(ControlError) {
        try changePolicy(ofBus: name) { (policy, _) throws(ControlError) in
            guard policy != nil else { throw ControlError(.resourceNotFound, "EventBus does not have a policy.") }
            guard policy?.remove(id) ?? false else {
                throw ControlError(.resourceNotFound, "Statement with the provided id does not exist.")
            }
            if policy?.statements.isEmpty ?? false { policy = nil }
        }
    }

    package func removeAllPermissions(fromBus name: String) throws(ControlError) {
        try changePolicy(ofBus: name) { (policy, _) throws(ControlError) in policy = nil }
    }

    private func changePolicy(
        ofBus name: String, _ change: (inout BusPolicy?, String) throws(ControlError) -> Void
    ) throws(ControlError) {
        let now = now
        try self.change { (registry) throws(ControlError) in
            guard var bus = registry.bus(name) else { throw .noBus(name) }
            var policy = registry.policies[name]
            try change(&policy, bus.arn)
            let length = policy.map { String(decoding: $0.json, as: UTF8.self).unicodeScalars.count } ?? 0
            guard length <= limits.busPolicyCharactersMax else {
                throw ControlError(
                    .policyLengthExceeded,
                    "The policy of event bus \(name) would be longer than \(limits.busPolicyCharactersMax) characters (busPolicyCharactersMax)."
                )
            }
            registry.put(policy, ofBus: name)
            bus.modifiedMilliseconds = now
            if !registry.isOfTemplate(bus: name) { registry.put(bus) }
        }
    }
}
