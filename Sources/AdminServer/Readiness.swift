import Synchronization

/// Whether the program serves: what `/readyz` answers.
///
/// Shared by everything that starts, drains and asks.
package final class Readiness: Sendable {
    package enum State: UInt8, Sendable, CaseIterable, AtomicRepresentable {
        /// Not every listener accepts yet.
        case starting
        case ready
        /// Shutting down: clients are to go elsewhere.
        case draining
    }

    private let current = Atomic(State.starting)

    package init() {}

    package var state: State { current.load(ordering: .acquiring) }

    /// Every listener accepts.
    ///
    /// Has no effect once draining has begun.
    package func becameReady() {
        _ = current.compareExchange(expected: .starting, desired: .ready, ordering: .releasing)
    }

    package func drainingBegan() {
        current.store(.draining, ordering: .releasing)
    }
}
