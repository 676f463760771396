/// When each message of an open loop should leave: message n of the whole run at `start + n / rate`, publishers in turn.
///
/// Latency is counted from these times and not from the send, so that a broker that stalls is charged for the messages that it kept
/// from being sent (no coordinated omission).
package struct OpenLoopSchedule: Equatable, Sendable {
    /// Nanoseconds of the monotonic clock.
    package var start: UInt64
    /// Nanoseconds between two messages of the whole run.
    package var interval: Double
    package var publishers: Int

    /// Plans `rate` messages per second over all publishers; more than 0.
    package init(start: UInt64, rate: Double, publishers: Int) {
        self.start = start
        interval = 1e9 / rate
        self.publishers = publishers
    }

    /// Nanoseconds between two messages of one publisher.
    package var intervalPerPublisher: Double { interval * Double(publishers) }

    /// When a publisher's `message` (its own count in this phase, from 0) should leave.
    package func intendedAt(publisher: Int, message: UInt64) -> UInt64 {
        start + UInt64((Double(message) * Double(publishers) + Double(publisher)) * interval)
    }
}
