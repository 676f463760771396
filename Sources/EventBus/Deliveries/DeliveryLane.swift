import HeapModule

/// Names a pending delivery; they are numbered in the order in which they came.
struct DeliveryID: Hashable, Comparable, Sendable {
    let number: UInt64

    static func < (left: DeliveryID, right: DeliveryID) -> Bool { left.number < right.number }
}

/// The queue of one target: what waits for its turn, and how much is under way.
struct DeliveryLane {
    /// A delivery and when it may be tried.
    struct Turn: Comparable {
        let dueAt: Int64
        let id: DeliveryID

        static func < (left: Turn, right: Turn) -> Bool { (left.dueAt, left.id) < (right.dueAt, right.id) }
    }

    /// The one that is due first, and of those the oldest, comes first.
    var waiting: Heap<Turn> = []
    var inFlight = 0
    /// Of all deliveries, those under way among them.
    var count = 0
    var bytes = 0
    /// The target asked to be left alone until then.
    var pausedUntil = Int64.min
    /// The earliest time for which an alarm is set.
    var alarmAt: Int64?
}

/// What holds for the deliveries of one target.
struct DeliveryTerms: Sendable {
    /// How often a target may be called; several targets may share a pace.
    struct Pace: Sendable, Equatable {
        let name: String
        let perSecond: Int
    }

    /// So many destinations' paces are remembered without a look at whether that is of use still.
    static let pacersKeptMin = 256

    /// Whose queue it is.
    let lane: String
    let policy: RetryPolicy
    var pace: Pace?
    /// The name of the function that is called; several targets may share it.
    var function: String?
}

/// The calls of one function, whatever targets they are for.
struct FunctionCalls {
    var inFlight = 0
    /// The lanes that wait for one to end, in the order in which they came.
    private(set) var waiting: [String] = []

    mutating func wait(_ lane: String) {
        if !waiting.contains(lane) { waiting.append(lane) }
    }

    mutating func takeWaiting() -> [String] {
        defer { waiting = [] }
        return waiting
    }
}

/// When the targets of one pace may be called next.
struct Pacer {
    private var earliestMicroseconds = Int64.min

    /// In milliseconds.
    var earliest: Int64 { earliestMicroseconds == .min ? .min : (earliestMicroseconds + 999) / 1_000 }

    /// Notes a call.
    ///
    /// One that is late by less than the clock's millisecond does not delay the next, so that the pace is kept in the long run.
    mutating func called(at now: Int64, perSecond: Int) {
        let now = now * 1_000
        let isOnTime = earliestMicroseconds > now - 1_000
        earliestMicroseconds = (isOnTime ? earliestMicroseconds : now) + 1_000_000 / Int64(max(1, perSecond))
    }
}
