import Queues

/// What a caller must be allowed for each operation.
extension QueuesService {
    /// Asks the door before anything is done or told.
    func authorize(_ operation: Operation, _ call: ServiceCall) throws(ServiceError) {
        guard let caller = call.caller, !caller.mayEverything else { return }
        let members = CallMembers(call.body)
        let queue =
            switch operation {
            // The handle of a task says nothing of a queue to its caller.
            case .listQueues, .cancelMessageMoveTask: "*"
            case .startMessageMoveTask, .listMessageMoveTasks: QueueName(arn: members.text("SourceArn"))?.text ?? ""
            case .createQueue, .getQueueURL: members.text("QueueName")
            default: QueueName(url: members.text("QueueUrl"))?.text ?? ""
            }
        try caller.require("sqs:\(operation.right)", on: CallResource.arn(Self.signingName, queue))
    }

    /// The queues that a task may move messages to: the one that is named, or those that its dead letters come from.
    ///
    /// Messages come there as if they were sent, so its caller needs the right for that.
    ///
    /// - Returns: `nil` for a caller that may send to every queue.
    func targets(ofMove call: ServiceCall, from source: String, to destination: String?) throws(ServiceError) -> Set<String>? {
        guard let caller = call.caller, !caller.mayEverything else { return nil }
        // Of a queue that is not there the call itself speaks.
        let targets = destination.map { [$0] } ?? (try? table { (table, _) throws(QueueError) in try table.deadLetterSources(of: source) })
        for target in targets ?? [] { try caller.require("sqs:SendMessage", on: CallResource.arn(Self.signingName, target)) }
        return Set(targets ?? [])
    }
}

extension QueuesService.Operation {
    /// The action that is asked for: a batch needs the right for one of its kind.
    fileprivate var right: String {
        let suffix = "Batch"
        return rawValue.hasSuffix(suffix) ? String(rawValue.dropLast(suffix.count)) : rawValue
    }
}
