/// What became of messages since the program started.
///
/// `sent` = `deleted` + `expired` + `purged` + the messages that are there now; a dead letter is moved, not sent again, also when it comes back.
package struct QueueCounters: Sendable, Equatable {
    package var sent: UInt64 = 0
    /// Times that a message was handed to a receiver.
    package var received: UInt64 = 0
    /// Messages that a receiver deleted.
    package var deleted: UInt64 = 0
    /// Messages dropped because they were older than their queue keeps them.
    package var expired: UInt64 = 0
    /// Messages that went to another queue because they had been received too often.
    package var deadLettered: UInt64 = 0
    /// Messages that a task moved out of a dead-letter queue.
    package var moved: UInt64 = 0
    /// Messages removed by a purge, or with their queue.
    package var purged: UInt64 = 0
    /// Messages that a FIFO queue did not take because it had got the same before.
    package var deduplicated: UInt64 = 0
    /// Messages refused for want of room or of their size.
    package var refused: UInt64 = 0

    package init() {}
}

/// Counters and gauges of all queues.
package struct QueueStatistics: Sendable, Equatable {
    package var counters = QueueCounters()
    package var queues = 0
    package var visible = 0
    package var inFlight = 0
    package var delayed = 0
    /// As `queuesBytesMax` counts them.
    package var bytes = 0
    package var waiters = 0

    package init() {}
}
