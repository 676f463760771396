import DequeModule
import NIOCore

/// Lets the TLS handshakes of one event loop take turns with everything else that it does (record 0035).
///
/// A step of a handshake takes the loop as long as dozens of messages. When a whole fleet comes back at once, thousands of steps are ready
/// together; one after the other they would keep those who are connected from being served for seconds. Lives on the event loop; not
/// Sendable.
final class HandshakePace {
    /// Whoever waits for its turn with a step.
    protocol Waiting: AnyObject {
        /// Whether a step of its handshake was made already.
        var hasBegun: Bool { get }
        func proceed()
    }

    /// What handshakes have of the loop's time before its sockets are looked at again; the step that is under way then is still made.
    static let turnTimeMax = TimeAmount.milliseconds(4)
    /// Until the next turn, so that the loop waits for its sockets once: what is due when it looks goes before them.
    static let pause = TimeAmount.microseconds(100)

    private let eventLoop: any EventLoop
    private let clock: () -> NIODeadline
    /// Those that have begun go first: what was spent on them would be lost if their time ran out behind strangers.
    private var begun = Deque<any Waiting>()
    private var new = Deque<any Waiting>()
    private var spent = TimeAmount.zero
    private var isTurnDue = false

    init(eventLoop: any EventLoop, clock: @escaping () -> NIODeadline = NIODeadline.now) {
        self.eventLoop = eventLoop
        self.clock = clock
    }

    /// Proceeds with a step at once while the turn has time, otherwise when it is next.
    func take(_ step: any Waiting) {
        if spent < Self.turnTimeMax, begun.isEmpty, step.hasBegun || new.isEmpty { return proceed(with: step) }
        if step.hasBegun { begun.append(step) } else { new.append(step) }
    }

    private func proceed(with step: any Waiting) {
        let start = clock()
        step.proceed()
        spent = spent + (clock() - start)
        if isTurnDue { return }
        isTurnDue = true
        // Counted from behind what else is due now.
        let loop = eventLoop.assumeIsolated()
        loop.execute { loop.scheduleTask(in: Self.pause) { self.beginTurn() } }
    }

    private func beginTurn() {
        isTurnDue = false
        spent = .zero
        while spent < Self.turnTimeMax, let next = begun.popFirst() ?? new.popFirst() { proceed(with: next) }
    }
}
