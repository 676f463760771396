import Documents
import EventBus

/// The operations on rules.
extension EventsService {
    private static let states = ["ENABLED", "DISABLED"]
    /// Takes also what the service tells of itself, which never happens here.
    private static let stateOfTrail = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

    func putRule(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(
            call, .putRule,
            ["Name", "EventBusName", "EventPattern", "ScheduleExpression", "State", "Description", "RoleArn", "Tags"])
        let state = try members.text("State") ?? "ENABLED"
        guard state != Self.stateOfTrail else { throw ServiceError(.validation, "State \(state) is not supported by Crema in PutRule.") }
        guard Self.states.contains(state) else {
            let all = (Self.states + [Self.stateOfTrail]).joined(separator: ", ")
            throw .constraint(state, at: "state", "Member must satisfy enum value set: [\(all)]")
        }
        let rule = NewRule(
            name: try members.required("Name", .ruleName), bus: try Self.bus(members),
            pattern: try members.text("EventPattern", MemberConstraint(0...4_096)),
            schedule: try members.text("ScheduleExpression", MemberConstraint(0...256)), isEnabled: state == "ENABLED",
            details: ResourceDetails(
                description: try members.text("Description", .description), roleARN: try members.text("RoleArn", .arn),
                tags: try Self.tags(members)))
        let arn = try ask { (control) throws(ControlError) in try control.putRule(rule) }
        return AnswerDocument.object(["RuleArn": .text(arn)]).json
    }

    func deleteRule(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .deleteRule, ["Name", "EventBusName", "Force"])
        let name = try members.required("Name", .ruleName)
        let bus = try Self.bus(members)
        try ask { (control) throws(ControlError) in try control.deleteRule(name, onBus: bus) }
        return Self.done
    }

    func setRule(_ call: ServiceCall, enabled: Bool) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, enabled ? .enableRule : .disableRule, ["Name", "EventBusName"])
        let name = try members.required("Name", .ruleName)
        let bus = try Self.bus(members)
        try ask { (control) throws(ControlError) in try control.setRule(name, onBus: bus, enabled: enabled) }
        return Self.done
    }

    func describeRule(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .describeRule, ["Name", "EventBusName"])
        let name = try members.required("Name", .ruleName)
        let bus = try Self.bus(members)
        let rule = try ask { (control) throws(ControlError) in try control.rule(name, onBus: bus) }
        return Self.document(rule, createdBy: TemplateScope.accountID).json
    }

    func listRules(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listRules, ["EventBusName", "NamePrefix", "Limit", "NextToken"])
        let prefix = try members.text("NamePrefix", .ruleName) ?? ""
        let bus = try Self.bus(members)
        let rules = try ask { (control) throws(ControlError) in try control.rules(onBus: bus, withPrefix: prefix) }
        let (page, next) = try Self.page(rules, members, name: \.name)
        return AnswerDocument.object(["Rules": .list(page.map { Self.document($0) }), "NextToken": next]).json
    }

    func listRuleNamesByTarget(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listRuleNamesByTarget, ["TargetArn", "EventBusName", "Limit", "NextToken"])
        let arn = try members.required("TargetArn", .arn)
        let bus = try Self.bus(members)
        let names = try ask { (control) throws(ControlError) in try control.ruleNames(onBus: bus, withTarget: arn) }
        let (page, next) = try Self.page(names, members, name: \.self)
        return AnswerDocument.object(["RuleNames": .texts(page), "NextToken": next]).json
    }

    private static func document(_ rule: RuleDescription, createdBy account: String? = nil) -> AnswerDocument {
        .object([
            "Name": .text(rule.name), "Arn": .text(rule.arn), "EventPattern": rule.pattern.map { .text($0) },
            "ScheduleExpression": rule.schedule.map { .text($0) },
            "State": .text(states[rule.isEnabled ? 0 : 1]), "Description": rule.details.description.map { .text($0) },
            "RoleArn": rule.details.roleARN.map { .text($0) }, "ManagedBy": rule.managedBy.map { .text($0) },
            "EventBusName": .text(rule.bus), "CreatedBy": account.map { .text($0) },
        ])
    }
}
