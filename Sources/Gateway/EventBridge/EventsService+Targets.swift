import EventBus
import Rules

/// The operations on targets.
///
/// A target that cannot be read refuses the call: nothing of it is done then. `FailedEntries` has what is not there to be removed.
extension EventsService {
    func putTargets(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .putTargets, ["Rule", "EventBusName", "Targets"])
        let rule = try members.required("Rule", .ruleName)
        let bus = try Self.bus(members)
        guard let targets = try members.objects("Targets") else { throw .constraint(nil, at: "targets", "Member must not be null") }
        try checkCount(targets.count, at: "targets")
        var ids: Set<String> = []
        for (position, target) in targets.enumerated() {
            let path = "targets.\(position + 1).member."
            let id = target["Id"]?.stringValue
            if let refusal = id.map({ MemberConstraint.targetID.refusal(of: $0) }) ?? "Member must not be null" {
                throw .constraint(id, at: "\(path)id", refusal)
            }
            try Self.check(target, at: path)
            guard let id, ids.insert(id).inserted else {
                throw ServiceError(.validation, "The target Id \(id ?? "") occurs more than once in PutTargets.")
            }
        }
        try ask { (control) throws(ControlError) in try control.putTargets(targets, toRule: rule, onBus: bus) }
        return Self.failures([])
    }

    /// The lengths of a target's members; what they say is read later.
    private static func check(_ target: JSONView, at start: String) throws(ServiceError) {
        guard target["Arn"]?.stringValue != nil else { throw .constraint(nil, at: "\(start)arn", "Member must not be null") }
        let transformer = target["InputTransformer"]
        for (value, name, constraint) in [
            (target["Arn"], "arn", .arn), (target["RoleArn"], "roleArn", .arn), (target["Input"], "input", .init(0...8_192)),
            (target["InputPath"], "inputPath", .init(0...256)),
            (transformer?["InputTemplate"], "inputTransformer.inputTemplate", .init(1...8_192)),
        ] as [(JSONView?, String, MemberConstraint)] {
            guard let text = value?.stringValue, let refusal = constraint.refusal(of: text) else { continue }
            throw .constraint(text, at: start + name, refusal)
        }
        for (name, path, bounds) in [
            ("MaximumRetryAttempts", "maximumRetryAttempts", RetryPolicy.attemptsBounds),
            ("MaximumEventAgeInSeconds", "maximumEventAgeInSeconds", RetryPolicy.ageBounds),
        ] {
            guard let text = target["RetryPolicy"]?[name]?.numberText, let refusal = MemberConstraint.refusal(of: text, outside: bounds)
            else { continue }
            throw .constraint(text, at: "\(start)retryPolicy.\(path)", refusal)
        }
        let paths = transformer?["InputPathsMap"].map { $0.members.reduce(0) { count, _ in count + 1 } } ?? 0
        guard paths <= 100 else {
            let constraint = "Member must have length less than or equal to 100"
            throw .constraint("{\(paths) members}", at: "\(start)inputTransformer.inputPathsMap", constraint)
        }
    }

    func removeTargets(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .removeTargets, ["Rule", "EventBusName", "Ids", "Force"])
        let rule = try members.required("Rule", .ruleName)
        let bus = try Self.bus(members)
        guard let ids = try members.texts("Ids") else { throw .constraint(nil, at: "ids", "Member must not be null") }
        try checkCount(ids.count, at: "ids")
        for (position, id) in ids.enumerated() {
            guard let refusal = MemberConstraint.targetID.refusal(of: id) else { continue }
            throw .constraint(id, at: "ids.\(position + 1).member", refusal)
        }
        let unknown = try ask { (control) throws(ControlError) in try control.removeTargets(ids, fromRule: rule, onBus: bus) }
        return Self.failures(
            unknown.map { id in
                .object([
                    "TargetId": .text(id), "ErrorCode": .text(ControlError.Code.resourceNotFound.rawValue),
                    "ErrorMessage": .text("Rule '\(rule)' does not have a target with the Id '\(id)'."),
                ])
            })
    }

    func listTargetsByRule(_ call: ServiceCall) throws(ServiceError) -> [UInt8] {
        let members = try Self.members(call, .listTargetsByRule, ["Rule", "EventBusName", "Limit", "NextToken"])
        let rule = try members.required("Rule", .ruleName)
        let bus = try Self.bus(members)
        let targets = try ask { (control) throws(ControlError) in try control.targets(ofRule: rule, onBus: bus) }
        let (page, next) = try Self.page(targets, members, name: \.id)
        return AnswerDocument.object(["Targets": .list(page.map { .json($0.json) }), "NextToken": next]).json
    }

    private func checkCount(_ count: Int, at path: String) throws(ServiceError) {
        if count < 1 { throw .constraint("[]", at: path, "Member must have length greater than or equal to 1") }
        let most = control.targetsPerCallMax
        if count > most { throw .constraint("[\(count) members]", at: path, "Member must have length less than or equal to \(most)") }
    }

    private static func failures(_ entries: [AnswerDocument]) -> [UInt8] {
        AnswerDocument.object(["FailedEntryCount": .number(entries.count), "FailedEntries": .list(entries)]).json
    }
}
