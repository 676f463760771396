import Queues
import Synchronization

/// A queue table under a clock that the test moves, with identifiers that it can foresee.
struct QueueFixture {
    var table: QueueTable
    /// Milliseconds since 1970.
    var now: Int64 = 1_767_323_045_500

    init(limits: QueueLimits = QueueLimits(), _ queues: [String: [String: String]] = ["orders": [:]]) throws {
        let last = Identifiers()
        table = QueueTable(limits: limits, makeID: { last.next() })
        // Those that others name as their dead-letter queue come first.
        for (name, attributes) in queues.sorted(by: {
            ($0.value["RedrivePolicy"] == nil ? 0 : 1, $0.key) < ($1.value["RedrivePolicy"] == nil ? 0 : 1, $1.key)
        }) {
            try create(name, attributes)
        }
    }

    private final class Identifiers: Sendable {
        private let last = Atomic<Int>(0)
        func next() -> String { "id\(last.wrappingAdd(1, ordering: .relaxed).newValue)" }
    }

    mutating func create(_ name: String, _ attributes: [String: String] = [:]) throws(QueueError) {
        try table.create(QueueName(name), attributes: attributes, tags: [:], now: now)
    }

    @discardableResult
    mutating func send(_ body: String, to queue: String = "orders", delay: Int? = nil) throws(QueueError) -> String {
        try table.send(NewQueueMessage(body: body, delaySeconds: delay), to: queue, now: now).id
    }

    /// Sends to a FIFO queue.
    @discardableResult
    mutating func send(
        _ body: String, group: String?, id: String? = nil, to queue: String = "orders.fifo"
    ) throws(QueueError) -> SentMessage {
        let identity = MessageIdentity(groupID: group, deduplicationID: id)
        return try table.send(NewQueueMessage(body: body, identity: identity).digested(for: queue), to: queue, now: now)
    }

    /// Receives what is there now.
    mutating func receive(
        _ queue: String = "orders", _ most: Int = 1, visibility: Int? = nil
    ) throws(QueueError) -> [ReceivedMessage] {
        let request = ReceiveRequest(queue: queue, messagesMax: most, visibilityTimeout: visibility, waitTimeSeconds: 0)
        guard case .messages(let messages) = try table.receive(request, now: now) else { return [] }
        return messages
    }

    mutating func bodies(_ queue: String = "orders", _ most: Int = 10, visibility: Int? = nil) throws(QueueError) -> [String] {
        try receive(queue, most, visibility: visibility).map(\.body)
    }

    /// Waits for messages; `nil` when the answer came at once.
    mutating func wait(_ queue: String = "orders", seconds: Int = 20, _ most: Int = 1) throws(QueueError) -> WaiterID? {
        let request = ReceiveRequest(queue: queue, messagesMax: most, waitTimeSeconds: seconds)
        guard case .waiting(let waiter) = try table.receive(request, now: now) else { return nil }
        return waiter
    }

    mutating func pass(seconds: Int64) {
        now += seconds * 1_000
        table.advance(to: now)
    }

    mutating func attribute(_ name: String, of queue: String = "orders") throws(QueueError) -> String? {
        try table.attributes(of: queue, now: now)[name]
    }

    /// Visible, in flight, delayed.
    mutating func counts(_ queue: String = "orders") throws(QueueError) -> [Int] {
        let attributes = try table.attributes(of: queue, now: now)
        return ["", "NotVisible", "Delayed"].compactMap { attributes["ApproximateNumberOfMessages\($0)"].flatMap { Int($0) } }
    }
}

func redrive(to queue: String, after count: Int) -> [String: String] {
    ["RedrivePolicy": #"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:\#(queue)","maxReceiveCount":\#(count)}"#]
}

/// The code of the error that a call throws; `nil` when it throws none.
func code(_ call: () throws(QueueError) -> Void) -> QueueError.Code? {
    do throws(QueueError) { try call() } catch { return error.code }
    return nil
}
