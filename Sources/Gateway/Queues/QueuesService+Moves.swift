import Documents
import Queues

/// The operations that bring dead letters back.
extension QueuesService {
    func startMessageMoveTask(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .startMessageMoveTask, ["SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond"])
        let source = try Self.queue(members, "SourceArn")
        let destination = try members.text("DestinationArn") == nil ? nil : try Self.queue(members, "DestinationArn")
        let rate = try members.integer("MaxNumberOfMessagesPerSecond")
        let targets = try targets(ofMove: call, from: source, to: destination)
        let request = MessageMoveTask.Request(source: source, destination: destination, messagesPerSecondMax: rate, targets: targets)
        let handle = try table { (table, now) throws(QueueError) in try table.startMove(request, now: now) }
        return .object(["TaskHandle": .text(handle)])
    }

    func listMessageMoveTasks(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .listMessageMoveTasks, ["SourceArn", "MaxResults"])
        let source = try Self.queue(members, "SourceArn")
        let most = try members.integer("MaxResults") ?? 1
        guard (1...10).contains(most) else {
            throw ServiceError(QueueError.invalid("\(most)", "MaxResults", "Must be from 1 to 10, if provided."))
        }
        let tasks = try table { (table, _) throws(QueueError) in try table.moveTasks(of: source) }
        return .object(["Results": .list(tasks.prefix(most).map(Self.document))])
    }

    func cancelMessageMoveTask(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .cancelMessageMoveTask, ["TaskHandle"])
        let handle = try Self.required("TaskHandle", members)
        let moved = try table { (table, _) throws(QueueError) in try table.cancelMove(handle) }
        return .object(["ApproximateNumberOfMessagesMoved": .number(moved)])
    }

    private static func document(_ task: MessageMoveTask) -> AnswerDocument {
        .object([
            // A handle is for cancelling, so only what runs has one.
            "TaskHandle": task.status == .running ? .text(task.handle) : nil, "Status": .text(task.status.rawValue),
            "SourceArn": .text(arn(of: task.request.source)),
            "DestinationArn": task.request.destination.map { .text(arn(of: $0)) },
            "MaxNumberOfMessagesPerSecond": task.request.messagesPerSecondMax.map { .number($0) },
            "ApproximateNumberOfMessagesMoved": .number(task.moved), "ApproximateNumberOfMessagesToMove": .number(task.toMove),
            "FailureReason": task.failure.map { .text($0) }, "StartedTimestamp": .number(Int(task.startedMilliseconds)),
        ])
    }

    private static func queue(_ members: RequestMembers, _ name: String) throws(ServiceError) -> String {
        let arn = try required(name, members)
        guard let queue = QueueName(arn: arn) else { throw ServiceError(QueueError.invalid(arn, name, "Not the ARN of a queue.")) }
        return queue.text
    }
}
