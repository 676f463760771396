import Synchronization

/// Connections of one listener: how many are open, and how many there were.
///
/// Safe from any thread.
package final class ConnectionCount: Sendable {
    private let openNow = Atomic<Int>(0)
    private let acceptedInAll = Atomic<UInt64>(0)
    private let filled = Atomic<UInt64>(0)

    package init() {}

    package var open: Int { openNow.load(ordering: .relaxed) }
    package var accepted: UInt64 { acceptedInAll.load(ordering: .relaxed) }
    /// How often the listener came to have as many open as it may: further ones waited.
    package var timesFull: UInt64 { filled.load(ordering: .relaxed) }

    func becameFull() { filled.add(1, ordering: .relaxed) }

    func opened() {
        openNow.add(1, ordering: .relaxed)
        acceptedInAll.add(1, ordering: .relaxed)
    }

    func closed() { openNow.subtract(1, ordering: .relaxed) }
}
