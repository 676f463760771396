/// How much one publisher may send now: a closed loop of outstanding messages, or a schedule.
///
/// A message is outstanding until every subscriber has it and, at QoS 1 and 2, the broker has acknowledged it. Counting deliveries and not
/// only acknowledgements bounds what a broker must queue; at QoS 0 deliveries are all there is to count.
package struct PublisherFlow: Sendable {
    /// The most messages outstanding, in any mode: packet identifiers must not run out.
    package static let windowMax: UInt64 = 32_768

    private var window: UInt64
    /// Whether a message is outstanding until it was delivered; not while its subscriber is away.
    package var waitsForDelivery = true
    private let waitsForAcknowledgement: Bool
    /// Messages that every subscriber of an event loop has, by event loop.
    private var delivered: [UInt64]
    private var acknowledged: UInt64 = 0
    package private(set) var sent: UInt64 = 0
    /// Messages that may have been sent by now, as the phase or its schedule says.
    package private(set) var due: UInt64 = 0
    /// ``sent`` when the phase began.
    package private(set) var phaseBase: UInt64 = 0

    /// Allows `window` messages outstanding (at least 1, cut to ``windowMax``), with subscribers on `audiences` event loops.
    package init(window: Int, waitsForAcknowledgement: Bool, audiences: Int) {
        self.window = min(UInt64(max(window, 1)), Self.windowMax)
        self.waitsForAcknowledgement = waitsForAcknowledgement
        delivered = Array(repeating: 0, count: audiences)
    }

    /// Messages that may be sent at once.
    package var sendable: Int {
        var completed = waitsForAcknowledgement ? acknowledged : sent
        if waitsForDelivery {
            for count in delivered where count < completed { completed = count }
        }
        let room = window - min(window, sent - completed)
        return Int(min(room, due - sent))
    }

    /// Allows no more outstanding than a broker takes; at least 1.
    package mutating func limitWindow(_ count: Int) { window = min(window, UInt64(max(count, 1))) }

    package mutating func beginPhase() {
        phaseBase = sent
        due = sent
    }

    /// Allows `count` more messages.
    package mutating func allow(_ count: UInt64) { due += count }

    /// Ends a phase: what has not been sent is not sent any more.
    package mutating func stop() { due = sent }

    package mutating func didSend(_ count: Int) { sent += UInt64(count) }

    /// Notes that the subscribers of one event loop have the first `count` messages.
    package mutating func didDeliver(_ count: UInt64, audience: Int) { delivered[audience] = max(delivered[audience], count) }

    package mutating func didAcknowledge(_ count: UInt64) { acknowledged = count }
}
