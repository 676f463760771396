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
        let destination = members.text("DestinationArn")
        if case .startMessageMoveTask = operation, !destination.isEmpty {
            // Messages come there as if they were sent.
            try caller.require("sqs:SendMessage", on: CallResource.arn(Self.signingName, QueueName(arn: destination)?.text ?? ""))
        }
    }
}

extension QueuesService.Operation {
    /// The action that is asked for: a batch needs the right for one of its kind.
    fileprivate var right: String {
        let suffix = "Batch"
        return rawValue.hasSuffix(suffix) ? String(rawValue.dropLast(suffix.count)) : rawValue
    }
}
