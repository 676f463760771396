import EventBus

/// The operations on the policies of buses, which are kept and told, and checked by nobody yet.
extension EventsService {
    /// What the service gives to other accounts without a whole policy.
    private static let permittedAction = "events:PutEvents"

    func putPermission(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let parts = ["Action", "Principal", "StatementId", "Condition"]
        let members = try Self.members(call, .putPermission, ["EventBusName", "Policy"] + parts)
        let bus = try members.text("EventBusName", .plainBusName) ?? ResourceSet.defaultBusName
        if let policy = try members.text("Policy") {
            guard let other = parts.first(where: { members.has($0) }) else {
                try ask { (control) throws(ControlError) in try control.putPolicy(policy, onBus: bus) }
                return Self.done
            }
            throw ServiceError(.validation, "\(other) does not go with Policy, which says all of it.")
        }
        let condition = try members.object("Condition", known: ["Type", "Key", "Value"]).map { (condition) throws(ServiceError) in
            let text = MemberConstraint(1...1_024)
            return (
                type: try condition.required("Type", text, under: "condition."),
                key: try condition.required("Key", text, under: "condition."),
                value: try condition.required("Value", text, under: "condition.")
            )
        }
        let action = try members.required("Action", .action)
        // Whoever wants more writes a Policy.
        guard action == Self.permittedAction else {
            throw ServiceError(.validation, "Provided value in parameter 'action' is not supported.")
        }
        let permission = BusPermission(
            id: try members.required("StatementId", .statementID), action: action,
            principal: try members.required("Principal", .principal), condition: condition)
        try ask { (control) throws(ControlError) in try control.putPermission(permission, onBus: bus) }
        return Self.done
    }

    func removePermission(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .removePermission, ["EventBusName", "StatementId", "RemoveAllPermissions"])
        let bus = try members.text("EventBusName", .plainBusName) ?? ResourceSet.defaultBusName
        let statement = try members.text("StatementId", .statementID)
        if try members.boolean("RemoveAllPermissions") ?? false {
            try ask { (control) throws(ControlError) in try control.removeAllPermissions(fromBus: bus) }
            return Self.done
        }
        guard let statement else { throw ServiceError(.validation, "Parameter StatementId is required.") }
        try ask { (control) throws(ControlError) in try control.removePermission(statement, fromBus: bus) }
        return Self.done
    }
}
