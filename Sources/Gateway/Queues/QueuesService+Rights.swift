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
        guard case .startMessageMoveTask = operation else { return }
        // Messages come there as if they were sent.
        for target in targets(ofMoveFrom: queue, to: members.text("DestinationArn")) {
            try caller.require("sqs:SendMessage", on: CallResource.arn(Self.signingName, target))
        }
    }

    /// The queues that a task moves messages to: the one that is named, or those that they may come from.
    private func targets(ofMoveFrom source: String, to destination: String) -> [String] {
        if !destination.isEmpty { return [QueueName(arn: destination)?.text ?? ""] }
        // Of a queue that is not there the call itself speaks.
        return (try? table { (table, _) throws(QueueError) in try table.deadLetterSources(of: source) }) ?? []
    }
}

extension QueuesService.Operation {
    /// The action that is asked for: a batch needs the right for one of its kind.
    fileprivate var right: String {
        let suffix = "Batch"
        return rawValue.hasSuffix(suffix) ? String(rawValue.dropLast(suffix.count)) : rawValue
    }
}
