import Queues

/// The operations on single statements of a queue's policy.
extension QueuesService {
    func addPermission(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .addPermission, ["QueueUrl", "Label", "AWSAccountIds", "Actions"])
        let queue = try Self.queue(members)
        let permission: QueuePermission
        let (label, accounts, actions) = (
            try Self.required("Label", members), try members.texts("AWSAccountIds") ?? [], try members.texts("Actions") ?? []
        )
        do throws(QueueError) {
            permission = try QueuePermission(label: label, accounts: accounts, actions: actions)
        } catch { throw ServiceError(error) }
        try table { (table, now) throws(QueueError) in
            try table.addPermission(permission, to: queue, arn: Self.arn(of: queue), now: now)
        }
        notePolicy(queue)
        return Self.done
    }

    func removePermission(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .removePermission, ["QueueUrl", "Label"])
        let (queue, label) = (try Self.queue(members), try Self.required("Label", members))
        try table { (table, now) throws(QueueError) in
            try table.removePermission(label, from: queue, arn: Self.arn(of: queue), now: now)
        }
        return Self.done
    }
}
