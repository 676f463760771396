import BrokerCore
import Documents
import EventBus
import Queues

/// The queues' API, as Amazon SQS has it: in its JSON protocol, and in the query protocol of before (`QueuesService+Forms.swift`).
struct QueuesService: JSONService {
    enum Operation: String {
        case createQueue = "CreateQueue"
        case getQueueURL = "GetQueueUrl"
        case listQueues = "ListQueues"
        case deleteQueue = "DeleteQueue"
        case purgeQueue = "PurgeQueue"
        case getQueueAttributes = "GetQueueAttributes"
        case setQueueAttributes = "SetQueueAttributes"
        case tagQueue = "TagQueue"
        case untagQueue = "UntagQueue"
        case listQueueTags = "ListQueueTags"
        case listDeadLetterSourceQueues = "ListDeadLetterSourceQueues"
        case addPermission = "AddPermission"
        case removePermission = "RemovePermission"
        case sendMessage = "SendMessage"
        case sendMessageBatch = "SendMessageBatch"
        case receiveMessage = "ReceiveMessage"
        case deleteMessage = "DeleteMessage"
        case deleteMessageBatch = "DeleteMessageBatch"
        case changeMessageVisibility = "ChangeMessageVisibility"
        case changeMessageVisibilityBatch = "ChangeMessageVisibilityBatch"
        case startMessageMoveTask = "StartMessageMoveTask"
        case listMessageMoveTasks = "ListMessageMoveTasks"
        case cancelMessageMoveTask = "CancelMessageMoveTask"

        /// Whether its answer promises something to outlive the process.
        var isKept: Bool {
            switch self {
            case .createQueue, .deleteQueue, .purgeQueue, .setQueueAttributes, .tagQueue, .untagQueue, .addPermission, .removePermission,
                .sendMessage, .sendMessageBatch, .deleteMessage, .deleteMessageBatch:
                true
            case .getQueueURL, .listQueues, .getQueueAttributes, .listQueueTags, .listDeadLetterSourceQueues, .receiveMessage,
                .changeMessageVisibility, .changeMessageVisibilityBatch, .startMessageMoveTask, .listMessageMoveTasks,
                .cancelMessageMoveTask:
                false
            }
        }
    }

    static let prefix = "AmazonSQS"
    static let signingName = "sqs"
    static let hasOlderNames = true
    static let mediaType = "application/x-amz-json-1.0"
    static func handler(of operation: Substring) -> GatewayCounters.Handler { .queues }

    let queues: SharedQueues
    let bodyBytesMax: Int
    /// Fields of a call in the query protocol.
    let formFieldsMax: Int
    /// The time.
    let source: EventSource
    /// Takes the steps of traces; `nil` where they are not looked at.
    let spans: (any SpanRecorder)?
    /// Told the name of a queue whose policy is kept, and kept to by nobody.
    let notePolicy: @Sendable (String) -> Void

    func perform(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> [UInt8] {
        try await document(operation, call).json
    }

    /// Carries out a call, whichever protocol its caller speaks.
    ///
    /// - Parameters:
    ///   - operation: what is asked for.
    ///   - call: with its members as the JSON protocol has them.
    /// - Returns: what the answer says, for the caller's protocol to be written in.
    /// - Throws: for whatever is refused, under the names of both protocols.
    func document(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> AnswerDocument {
        try authorize(operation, call)
        let answer = try await carryOut(operation, call)
        if operation.isKept {
            do throws(QueueError) { try await queues.kept() } catch { throw ServiceError(error) }
        }
        return answer
    }

    private func carryOut(_ operation: Operation, _ call: ServiceCall) async throws(ServiceError) -> AnswerDocument {
        switch operation {
        case .createQueue: try createQueue(call)
        case .getQueueURL: try getQueueURL(call)
        case .listQueues: try listQueues(call)
        case .deleteQueue: try deleteQueue(call)
        case .purgeQueue: try purgeQueue(call)
        case .getQueueAttributes: try getQueueAttributes(call)
        case .setQueueAttributes: try setQueueAttributes(call)
        case .tagQueue: try tagQueue(call)
        case .untagQueue: try untagQueue(call)
        case .listQueueTags: try listQueueTags(call)
        case .listDeadLetterSourceQueues: try listDeadLetterSourceQueues(call)
        case .addPermission: try addPermission(call)
        case .removePermission: try removePermission(call)
        case .sendMessage: try sendMessage(call)
        case .sendMessageBatch: try sendMessageBatch(call)
        case .receiveMessage: try await receiveMessage(call)
        case .deleteMessage: try deleteMessage(call)
        case .deleteMessageBatch: try deleteMessageBatch(call)
        case .changeMessageVisibility: try changeMessageVisibility(call)
        case .changeMessageVisibilityBatch: try changeMessageVisibilityBatch(call)
        case .startMessageMoveTask: try startMessageMoveTask(call)
        case .listMessageMoveTasks: try listMessageMoveTasks(call)
        case .cancelMessageMoveTask: try cancelMessageMoveTask(call)
        }
    }

    /// The answer of an operation that has nothing to say.
    static let done = AnswerDocument.object([:])

    // MARK: - What all operations need

    /// Looks at the queues or changes them, now.
    func table<Value: Sendable>(_ call: (inout QueueTable, Int64) throws(QueueError) -> Value) throws(ServiceError) -> Value {
        let now = source.nowMilliseconds()
        do throws(QueueError) { return try queues.perform { (table) throws(QueueError) in try call(&table, now) } } catch {
            throw ServiceError(error)
        }
    }

    static func members(_ call: ServiceCall, _ operation: Operation, _ known: [String]) throws(ServiceError) -> RequestMembers {
        try RequestMembers(parsing: call.body, of: operation.rawValue, known: known)
    }

    /// The queue that `QueueUrl` names.
    static func queue(_ members: RequestMembers) throws(ServiceError) -> String {
        let url = try required("QueueUrl", members)
        guard let name = QueueName(url: url) else {
            throw ServiceError(QueueError(.invalidAddress, "The address \(url) is not valid for this endpoint."))
        }
        return name.text
    }

    static func required(_ name: String, _ members: RequestMembers) throws(ServiceError) -> String {
        guard let text = try members.text(name) else { throw ServiceError(QueueError.missing(name)) }
        return text
    }

    static func url(of queue: String, _ call: ServiceCall) -> String { "\(call.origin)/\(TemplateScope.accountID)/\(queue)" }

    static func arn(of queue: String) -> String { "arn:aws:sqs:\(TemplateScope.region):\(TemplateScope.accountID):\(queue)" }
}
