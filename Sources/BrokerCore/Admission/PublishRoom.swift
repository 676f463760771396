import Synchronization

/// Room for what the rest of the program publishes and event loops cannot route yet: one for all shards.
///
/// A client that publishes too fast is not read any further. A call by HTTP has brought all that it has, so it waits for its answer instead,
/// and when too much waits, further calls are refused before they do anything.
package final class PublishRoom: Sendable {
    private let bytesMax: Atomic<Int>
    private let waiting = Atomic<Int>(0)
    private let refused = Atomic<UInt64>(0)
    private let dropped = Atomic<UInt64>(0)

    init(limits: BrokerLimits) { bytesMax = Atomic(limits.publishBytesWaitingMax) }

    /// Takes another limit: what waits stays.
    func take(_ limits: BrokerLimits) { bytesMax.store(limits.publishBytesWaitingMax, ordering: .relaxed) }

    /// Whether a call may publish; counts it as refused if not.
    ///
    /// Those that have asked before may bring more than fits, each as much as one call may have.
    package func admits() -> Bool {
        if waiting.load(ordering: .relaxed) < bytesMax.load(ordering: .relaxed) { return true }
        refused.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    /// Nobody can be told that there is no room for these.
    package func drop(_ count: Int) { dropped.wrappingAdd(UInt64(count), ordering: .relaxed) }

    func take(_ bytes: Int) { waiting.wrappingAdd(bytes, ordering: .relaxed) }

    func give(_ bytes: Int) { waiting.wrappingSubtract(bytes, ordering: .relaxed) }

    /// Adds what was counted here, once for all shards.
    package func count(into statistics: inout BrokerStatistics) {
        statistics.publishesRefused = refused.load(ordering: .relaxed)
        statistics.publishBytesWaiting = waiting.load(ordering: .relaxed)
        let dropped = dropped.load(ordering: .relaxed)
        if dropped > 0 { statistics.messagesDropped["publish_full", default: 0] += dropped }
    }
}
