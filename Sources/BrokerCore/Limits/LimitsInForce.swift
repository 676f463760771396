import Synchronization

extension BrokerLimits {
    /// Limits that a running broker keeps: what they bound was laid out by them.
    package static let keptUntilRestart: Set<String> = [
        "addressesTrackedMax", "clientIDsTrackedMax", "handOffBytesMax", "storeChangesWaitingMax", "storeBytesWaitingMax",
    ]

    /// These limits after a reload brings others.
    ///
    /// - Returns: the limits, and the names of those that are others now, in alphabetical order.
    package func reloaded(as next: BrokerLimits) -> (limits: BrokerLimits, changed: [String]) {
        var limits = self
        var changed: [String] = []
        for (name, path) in Self.names where !Self.keptUntilRestart.contains(name) && self[keyPath: path] != next[keyPath: path] {
            limits[keyPath: path] = next[keyPath: path]
            changed.append(name)
        }
        return (limits, changed.sorted())
    }
}

/// The limits that hold now, for those who are no shard.
///
/// Held for one look.
package final class LimitsInForce: Sendable {
    private let limits: Mutex<BrokerLimits>

    package init(_ limits: BrokerLimits) { self.limits = Mutex(limits) }

    package var current: BrokerLimits { limits.withLock { $0 } }

    package func replace(by next: BrokerLimits) { limits.withLock { $0 = next } }
}
