import DequeModule

/// A request for messages.
package struct ReceiveRequest: Sendable {
    package let queue: String
    package var messagesMax: Int
    /// Seconds for which what is received is hidden; `nil` for what the queue says.
    package var visibilityTimeout: Int?
    /// Seconds to wait for a message; `nil` for what the queue says.
    package var waitTimeSeconds: Int?

    package init(queue: String, messagesMax: Int = 1, visibilityTimeout: Int? = nil, waitTimeSeconds: Int? = nil) {
        self.queue = queue
        self.messagesMax = messagesMax
        self.visibilityTimeout = visibilityTimeout
        self.waitTimeSeconds = waitTimeSeconds
    }

    func check() throws(QueueError) {
        guard (1...10).contains(messagesMax) else {
            throw .invalid("\(messagesMax)", "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
        }
        if let waitTimeSeconds, !(0...20).contains(waitTimeSeconds) {
            throw .invalid("\(waitTimeSeconds)", "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
        }
        if let visibilityTimeout { try Self.check(visibilityTimeout: visibilityTimeout) }
    }

    /// Seconds for which a receiver can have a message: twelve hours, the service's.
    static let visibilityTimeoutMax = 43_200

    static func check(visibilityTimeout: Int) throws(QueueError) {
        guard (0...visibilityTimeoutMax).contains(visibilityTimeout) else {
            throw .invalid("\(visibilityTimeout)", "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")
        }
    }
}

/// Whoever waits for messages, as its caller knows it.
package struct WaiterID: Hashable, Sendable {
    package let number: UInt64
}

/// The word to somebody who waits.
package struct WaiterAnswer: Sendable {
    package let waiter: WaiterID
    /// None when the time is up; an error when the queue is deleted.
    package let result: Result<[ReceivedMessage], QueueError>
}

/// The receivers that wait for messages of one queue, first come, first served.
struct WaitingReceivers {
    struct Waiter {
        let id: WaiterID
        let request: ReceiveRequest
        let deadline: Int64
    }

    private var waiters = Deque<Waiter>()
    /// When the first of them must be told that there is nothing; it may be early, never late.
    private(set) var deadline: Int64?

    var first: Waiter? { waiters.first }
    var count: Int { waiters.count }
    var isEmpty: Bool { waiters.isEmpty }

    mutating func append(_ waiter: Waiter) {
        waiters.append(waiter)
        deadline = min(deadline ?? .max, waiter.deadline)
    }

    mutating func removeFirst() {
        waiters.removeFirst()
        if waiters.isEmpty { deadline = nil }
    }

    /// False when it does not wait here.
    mutating func remove(_ id: WaiterID) -> Bool {
        guard let position = waiters.firstIndex(where: { $0.id == id }) else { return false }
        waiters.remove(at: position)
        if waiters.isEmpty { deadline = nil }
        return true
    }

    /// Takes out all whose time is up.
    mutating func removeOverdue(at now: Int64) -> [WaiterID] {
        guard let deadline, deadline <= now else { return [] }
        let overdue = waiters.filter { $0.deadline <= now }.map(\.id)
        waiters.removeAll { $0.deadline <= now }
        self.deadline = waiters.lazy.map(\.deadline).min()
        return overdue
    }

    mutating func removeAll() -> [WaiterID] {
        defer { self = WaitingReceivers() }
        return waiters.map(\.id)
    }
}
