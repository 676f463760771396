import BrokerCore
import Records
import Synchronization

/// How many records were handed over and are not on disk, and whether that is as much as may wait.
///
/// Shards count their own changes themselves; records come from many threads.
final class RecordBacklog: Sendable {
    private let changesMax: Int
    private let bytesMax: Int
    private let state = Mutex((changes: 0, bytes: 0))
    /// Asked for each message, so without a lock.
    private let beyond = Atomic<Bool>(false)

    init(_ limits: BrokerLimits) {
        changesMax = limits.storeChangesWaitingMax
        bytesMax = limits.storeBytesWaitingMax
    }

    /// Whether more waits than may.
    var isBeyondLimit: Bool { beyond.load(ordering: .relaxed) }

    func add(_ records: [RecordChange]) { count(records, 1) }

    /// Answers whether there is room again.
    func remove(_ records: [RecordChange]) -> Bool {
        let wasBeyond = isBeyondLimit
        count(records, -1)
        return wasBeyond && !isBeyondLimit
    }

    private func count(_ records: [RecordChange], _ sign: Int) {
        if records.isEmpty { return }
        let bytes = records.reduce(0) { $0 + $1.bytes }
        state.withLock { state in
            state.changes += sign * records.count
            state.bytes += sign * bytes
            beyond.store(state.changes > changesMax || state.bytes > bytesMax, ordering: .relaxed)
        }
    }
}

extension RecordChange {
    fileprivate var bytes: Int {
        switch self {
        case .put(let record): record.key.bytes.count + record.fields.count
        case .remove(let key), .removeAll(let key): key.bytes.count
        }
    }
}
