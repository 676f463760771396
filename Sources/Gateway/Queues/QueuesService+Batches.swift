import EventBus
import Queues

/// The operations that take several messages, each with a word of its own.
extension QueuesService {
    func sendMessageBatch(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let (queue, entries) = try batch(call, .sendMessageBatch, Self.messageMembers)
        var messages: [(id: String, result: Result<NewQueueMessage, QueueError>)] = []
        for entry in entries { messages.append((entry.id, try Self.messageOrRefusal(entry.members))) }
        let bytes = messages.reduce(0) { $0 + ((try? $1.result.get())?.bytes ?? 0) }
        guard bytes <= queues.limits.queueMessageBytesMax else {
            throw ServiceError(
                QueueError(
                    .batchRequestTooLong,
                    "Batch requests cannot be longer than \(queues.limits.queueMessageBytesMax) bytes. You have sent \(bytes) bytes."))
        }
        // Digests take their time, and the queues are everybody's.
        let sends = messages.map { id, result in
            (id: id, result: result.map { (message: $0.digested(for: queue), digests: MessageDigests($0)) })
        }
        let whole = sends.compactMap { try? $0.result.get().message }
        try table { (table, _) throws(QueueError) in try table.checkPlaces(of: whole, in: queue) }
        return try answer(sends) { (table, entry, now) throws(QueueError) in
            let send = try entry.result.get()
            let sent = try table.send(Self.traced(send.message), to: queue, now: now)
            return send.digests.document(sent, entry: entry.id)
        } id: {
            $0.id
        }
    }

    /// The message of one entry, or why the queue would refuse it; what is no message at all fails the request.
    private static func messageOrRefusal(_ members: RequestMembers) throws(ServiceError) -> Result<NewQueueMessage, QueueError> {
        do throws(ServiceError) { return .success(try message(members)) } catch {
            guard let refusal = error.queueError else { throw error }
            return .failure(refusal)
        }
    }

    func deleteMessageBatch(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let (queue, entries) = try batch(call, .deleteMessageBatch, ["ReceiptHandle"])
        var handles: [(id: String, handle: String)] = []
        for entry in entries { handles.append((entry.id, try Self.required("ReceiptHandle", entry.members))) }
        return try answer(handles) { (table, entry, now) throws(QueueError) in
            try table.delete(entry.handle, from: queue, now: now)
            return .object(["Id": .text(entry.id)])
        } id: {
            $0.id
        }
    }

    func changeMessageVisibilityBatch(_ call: ServiceCall) throws(ServiceError) -> AnswerDocument {
        let (queue, entries) = try batch(call, .changeMessageVisibilityBatch, ["ReceiptHandle", "VisibilityTimeout"])
        var changes: [(id: String, handle: String, seconds: Int)] = []
        for entry in entries {
            guard let seconds = try entry.members.integer("VisibilityTimeout") else {
                throw ServiceError(QueueError.missing("VisibilityTimeout"))
            }
            changes.append((entry.id, try Self.required("ReceiptHandle", entry.members), seconds))
        }
        return try answer(changes) { (table, entry, now) throws(QueueError) in
            try table.changeVisibility(of: entry.handle, to: entry.seconds, in: queue, now: now)
            return .object(["Id": .text(entry.id)])
        } id: {
            $0.id
        }
    }

    private typealias Entry = (id: String, members: RequestMembers)

    /// The queue and the entries of a batch, each with an identifier that no other has.
    private func batch(_ call: ServiceCall, _ operation: Operation, _ known: [String]) throws(ServiceError) -> (
        queue: String, entries: [Entry]
    ) {
        let members = try Self.members(call, operation, ["QueueUrl", "Entries"])
        let queue = try Self.queue(members)
        guard try table({ (table, _) in table.hasQueue(queue) }) else { throw ServiceError(QueueError.queueDoesNotExist) }
        let list = try members.list("Entries", known: ["Id"] + known) ?? []
        guard !list.isEmpty else {
            throw ServiceError(
                QueueError(.emptyBatchRequest, "There should be at least one \(operation.rawValue)RequestEntry in the request."))
        }
        let most = queues.limits.queueBatchEntriesMax
        guard list.count <= most else {
            throw ServiceError(
                QueueError(.tooManyEntriesInBatchRequest, "Maximum number of entries per request are \(most). You have sent \(list.count).")
            )
        }
        var entries: [Entry] = []
        for members in list {
            let id = try Self.required("Id", members)
            guard (1...80).contains(id.utf8.count), id.utf8.allSatisfy(Self.isIdentifierByte) else {
                throw ServiceError(
                    QueueError(
                        .invalidBatchEntryID,
                        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters "
                            + "long."))
            }
            guard !entries.contains(where: { $0.id == id }) else {
                throw ServiceError(QueueError(.batchEntryIdsNotDistinct, "Id \(id) repeated."))
            }
            entries.append((id, members))
        }
        return (queue, entries)
    }

    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Carries out the entries one after the other; one that fails harms no other.
    private func answer<Entries: Sequence>(
        _ entries: Entries, _ perform: (inout QueueTable, Entries.Element, Int64) throws(QueueError) -> AnswerDocument,
        id: (Entries.Element) -> String
    ) throws(ServiceError) -> AnswerDocument {
        var successful: [AnswerDocument] = []
        var failed: [AnswerDocument] = []
        for entry in entries {
            let now = source.nowMilliseconds()
            do throws(QueueError) {
                successful.append(try queues.perform { (table) throws(QueueError) in try perform(&table, entry, now) })
            } catch {
                failed.append(
                    .object([
                        "Id": .text(id(entry)), "SenderFault": .boolean(error.code != .serviceUnavailable),
                        "Code": .text(error.code.olderName),
                        "Message": .text(error.message),
                    ]))
            }
        }
        return .object(["Successful": .list(successful), "Failed": failed.isEmpty ? nil : .list(failed)])
    }
}
