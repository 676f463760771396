package import Records

/// All queues, and the rules by which their messages move.
///
/// It waits for nothing and knows no clock: every call says what time it is, in milliseconds since 1970, and whoever waits for messages is
/// named in ``takeAnswers()`` once there is a word for it. What of it is to outlive the process is in `takeChanges`.
package struct QueueTable: Sendable {
    let limits: QueueLimits
    let makeID: @Sendable () -> String
    var queues: [String: Queue] = [:]
    /// The names that templates declare.
    var declared: Set<String> = []
    var counters = QueueCounters()
    /// What all messages count towards `queuesBytesMax`.
    var bytes = 0
    var waiters = 0
    /// The queues that somebody waits at.
    var awaited: Set<String> = []
    /// The queues that have got dead letters, in order, until those who wait there are served.
    var refilled: [String] = []
    /// The tasks that move dead letters, by the queue that they empty, the latest last.
    var moves: [String: [MessageMoveTask]] = [:]
    private var answers: [WaiterAnswer] = []
    private var lastNumber: UInt64 = 0
    /// A million messages in a millisecond would outrun the clock by their numbers.
    static let numbersPerMillisecondBits = 20
    /// Whether there is a store: then changes are noted.
    var isKept = false
    /// Whether the store takes nothing now: what would have to be in it is refused.
    package var isStoreFailing = false
    private var changes: [RecordChange] = []

    /// - Parameters:
    ///   - limits: named limits.
    ///   - makeID: identifiers that nobody else has and nobody can guess.
    package init(limits: QueueLimits = QueueLimits(), makeID: @escaping @Sendable () -> String) {
        self.limits = limits
        self.makeID = makeID
    }

    /// Numbers of queues, messages and waiters.
    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    /// A message's: above all that were given before a restart, also to messages that are gone, for receivers of FIFO queues go by it.
    mutating func nextMessageNumber(now: Int64) -> UInt64 {
        skipNumbers(upTo: UInt64(clamping: now) << Self.numbersPerMillisecondBits)
        return nextNumber()
    }

    mutating func skipNumbers(upTo number: UInt64) { lastNumber = max(lastNumber, number) }

    // MARK: - What is kept

    mutating func note(_ change: RecordChange) { changes.append(change) }

    /// What is to be kept of what has changed since this was asked last, in order.
    package mutating func takeChanges() -> [RecordChange] {
        if changes.isEmpty { return [] }
        defer { changes = [] }
        return changes
    }

    func requireStore() throws(QueueError) {
        if isStoreFailing { throw .notKept }
    }

    // Nobody holds a queue while it is changed: that would copy its messages.
    func settings(of name: String) throws(QueueError) -> QueueSettings {
        guard let settings = queues[name]?.settings else { throw .queueDoesNotExist }
        return settings
    }

    // MARK: - Time

    /// When ``advance(to:)`` must be called next for the sake of those who wait, and of tasks; `nil` when there are none.
    package var nextDeadline: Int64? {
        var deadline = nextMove
        for name in awaited {
            guard let queue = queues[name] else { continue }
            for time in [queue.waiters.deadline, queue.nextWaking] {
                if let time { deadline = min(deadline ?? .max, time) }
            }
        }
        return deadline
    }

    /// Brings all queues to a time: answers who waited for it, drops what is too old, moves what tasks are to move.
    package mutating func advance(to now: Int64) {
        for name in queues.keys { advance(name, to: now) }
        if !moves.isEmpty { moveMessages(now: now) }
    }

    /// Brings one queue to a time.
    mutating func advance(_ name: String, to now: Int64) {
        let before = queues[name]?.bytes ?? 0
        let expired = queues[name]?.advance(to: now) ?? []
        bytes -= before - (queues[name]?.bytes ?? 0)
        if !expired.isEmpty, let queue = queues[name] {
            counters.expired += UInt64(expired.count)
            for sequence in expired { noteRemoval(sequence, from: queue.number) }
        }
        guard awaited.contains(name) else { return }
        serve(name, now: now)
        let overdue = queues[name]?.waiters.removeOverdue(at: now) ?? []
        for waiter in overdue { answer(waiter, .success([])) }
        forgetWaiting(name)
    }

    // MARK: - Who waits

    /// The words to those who waited, each once.
    package mutating func takeAnswers() -> [WaiterAnswer] {
        defer { answers = [] }
        return answers
    }

    mutating func answer(_ waiter: WaiterID, _ result: Result<[ReceivedMessage], QueueError>) {
        waiters -= 1
        answers.append(WaiterAnswer(waiter: waiter, result: result))
    }

    /// Forgets somebody who does not wait any longer.
    package mutating func cancel(_ waiter: WaiterID, at name: String) {
        guard queues[name]?.waiters.remove(waiter) == true else { return }
        waiters -= 1
        forgetWaiting(name)
    }

    mutating func forgetWaiting(_ name: String) {
        if queues[name]?.waiters.isEmpty ?? true { awaited.remove(name) }
    }

    // MARK: - Statistics

    /// Everything as it is at a time.
    package mutating func statistics(at now: Int64) -> QueueStatistics {
        advance(to: now)
        var statistics = QueueStatistics()
        statistics.counters = counters
        statistics.queues = queues.count
        statistics.bytes = bytes
        statistics.waiters = waiters
        for queue in queues.values {
            statistics.visible += queue.visibleCount
            statistics.inFlight += queue.inFlight
            statistics.delayed += queue.delayed
        }
        return statistics
    }
}
