/// When a message was accepted, in the four bytes that a ``Message`` has to spare.
///
/// In steps of 65,536 ns, so that it comes round again after 78 hours: no connected client waits that long for a message. Taken from
/// the time of the turn, which is known anyway, never from a clock.
package struct AcceptTime: Sendable, Equatable {
    private static let step: Int64 = 16
    private let ticks: UInt32

    /// Of what is not measured: the broker's own figures, what was kept on disk, retained messages for new subscriptions.
    package static let unknown = AcceptTime(ticks: 0)

    package init(_ now: Instant) {
        // 0 is taken.
        ticks = max(1, UInt32(truncatingIfNeeded: now.nanoseconds >> Self.step))
    }

    private init(ticks: UInt32) { self.ticks = ticks }

    package var isKnown: Bool { ticks != 0 }

    /// Nanoseconds from then to now.
    package func age(at now: Instant) -> Int64 {
        let passed = UInt32(truncatingIfNeeded: now.nanoseconds >> Self.step) &- ticks
        // What is accepted on another loop may be a step ahead of this one's turn.
        return passed > .max / 2 ? 0 : Int64(passed) << Self.step
    }
}
