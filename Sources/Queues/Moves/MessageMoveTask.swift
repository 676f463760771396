/// A task that takes messages out of a dead-letter queue: back to where they came from, or to one other queue.
///
/// See "StartMessageMoveTask" in the Amazon SQS API reference. Tasks are in memory: a restart ends them, with each message in one of the two
/// queues.
package struct MessageMoveTask: Sendable, Equatable {
    package enum Status: String, Sendable {
        case running = "RUNNING"
        case completed = "COMPLETED"
        case cancelled = "CANCELLED"
        case failed = "FAILED"
    }

    /// What a caller asks for.
    package struct Request: Sendable {
        /// Messages a second that may be asked for.
        static let perSecond = 1...500

        /// The dead-letter queue's name.
        package var source: String
        /// The other queue's name; `nil` for the queue that each message comes from.
        package var destination: String?
        package var messagesPerSecondMax: Int?
        /// The queues that its caller may send to; `nil` for every one.
        package var targets: Set<String>?

        package init(source: String, destination: String? = nil, messagesPerSecondMax: Int? = nil, targets: Set<String>? = nil) {
            self.source = source
            self.destination = destination
            self.messagesPerSecondMax = messagesPerSecondMax
            self.targets = targets
        }
    }

    /// Messages that one turn moves: others come in between.
    static let messagesPerTurnMax = 500
    static let turnMilliseconds: Int64 = 10
    /// Tasks of one queue that are remembered, as the service lists them.
    static let rememberedMax = 10

    package let handle: String
    package let request: Request
    /// Milliseconds since 1970.
    package let startedMilliseconds: Int64
    /// Messages that were there when it began.
    package let toMove: Int
    package internal(set) var moved = 0
    package internal(set) var status = Status.running
    /// In the service's words; `nil` unless it failed.
    package internal(set) var failure: String?
    /// When its next turn is.
    var nextTurn: Int64

    init(_ request: Request, handle: String, toMove: Int, now: Int64) {
        self.request = request
        self.handle = handle
        self.toMove = toMove
        startedMilliseconds = now
        nextTurn = now
    }

    package static func == (one: MessageMoveTask, other: MessageMoveTask) -> Bool { one.handle == other.handle }

    /// Messages that it may move by a time.
    func allowance(at now: Int64) -> Int {
        guard let rate = request.messagesPerSecondMax else { return Self.messagesPerTurnMax }
        let seconds = Double(max(0, now - startedMilliseconds)) / 1_000
        // The first at once, and never more than a turn takes.
        return min(Self.messagesPerTurnMax, Int(seconds * Double(rate)) + 1 - moved)
    }
}
