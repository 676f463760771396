import EventBus
import HTTPExchange
import Queues
import ServiceLifecycle

/// The operations on one message, and the receiving of several.
extension QueuesService {
    static let messageMembers = [
        "MessageBody", "DelaySeconds", "MessageAttributes", "MessageSystemAttributes", "MessageGroupId", "MessageDeduplicationId",
    ]

    func sendMessage(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .sendMessage, ["QueueUrl"] + Self.messageMembers)
        let queue = try Self.queue(members)
        let message = try Self.message(members).digested(for: queue)
        let digests = MessageDigests(message)
        let sent = try table { (table, now) throws(QueueError) in try table.send(Self.traced(message), to: queue, now: now) }
        return digests.document(sent)
    }

    /// A message as a request or one of its entries has it.
    static func message(_ members: RequestMembers) throws(ServiceError) -> NewQueueMessage {
        NewQueueMessage(
            body: try required("MessageBody", members), attributes: try MessageAttributeDocument.read(members),
            delaySeconds: try members.integer("DelaySeconds"),
            identity: MessageIdentity(
                groupID: try members.text("MessageGroupId"), deduplicationID: try members.text("MessageDeduplicationId")),
            traceHeader: try MessageAttributeDocument.traceHeader(members))
    }

    // MARK: - Receiving

    func receiveMessage(_ call: ServiceCall) async throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(
            call, .receiveMessage,
            [
                "QueueUrl", "AttributeNames", "MessageSystemAttributeNames", "MessageAttributeNames", "MaxNumberOfMessages",
                "VisibilityTimeout", "WaitTimeSeconds",
            ])
        let request = ReceiveRequest(
            queue: try Self.queue(members), messagesMax: try members.integer("MaxNumberOfMessages") ?? 1,
            visibilityTimeout: try members.integer("VisibilityTimeout"), waitTimeSeconds: try members.integer("WaitTimeSeconds"))
        let selection = try MessageSelection(members)
        let messages: [ReceivedMessage]
        do throws(QueueError) { messages = try await receive(request, call.departure) } catch { throw ServiceError(error) }
        guard !messages.isEmpty else { return Self.done }
        tellReceived(messages, from: request.queue)
        return .object(["Messages": .list(messages.map(selection.document))])
    }

    /// Receives messages; waits for some, without holding a thread, until there are any, its time is up, or the caller has gone.
    private func receive(_ request: ReceiveRequest, _ departure: PeerDeparture) async throws(QueueError) -> [ReceivedMessage] {
        // Pipelined requests have their turn also when the caller has gone; then no message is for them.
        guard await !departure.isOver else { return [] }
        let (answers, answer) = AsyncStream.makeStream(of: Result<[ReceivedMessage], QueueError>.self, bufferingPolicy: .bufferingNewest(1))
        let outcome = try queues.receive(request, now: source.nowMilliseconds()) { result in
            answer.yield(result)
            answer.finish()
        }
        switch outcome {
        case .messages(let messages): return messages
        case .waiting(let waiter):
            // What nobody is there to read would be hidden from everybody else until its time is up.
            return try await departure.watch {
                queues.cancel(waiter, at: request.queue)
                answer.finish()
            } during: { () async throws(QueueError) in
                // A shutdown lets requests that have begun finish; nobody is to wait for this one.
                for await result in answers.cancelOnGracefulShutdown() { return try result.get() }
                queues.cancel(waiter, at: request.queue)
                return []
            }
        }
    }

    // MARK: - What a receiver does with a message

    func deleteMessage(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .deleteMessage, ["QueueUrl", "ReceiptHandle"])
        let queue = try Self.queue(members)
        let handle = try Self.required("ReceiptHandle", members)
        try table { (table, now) throws(QueueError) in try table.delete(handle, from: queue, now: now) }
        return Self.done
    }

    func changeMessageVisibility(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let members = try Self.members(call, .changeMessageVisibility, ["QueueUrl", "ReceiptHandle", "VisibilityTimeout"])
        let queue = try Self.queue(members)
        let handle = try Self.required("ReceiptHandle", members)
        guard let seconds = try members.integer("VisibilityTimeout") else { throw ServiceError(QueueError.missing("VisibilityTimeout")) }
        try table { (table, now) throws(QueueError) in try table.changeVisibility(of: handle, to: seconds, in: queue, now: now) }
        return Self.done
    }
}
