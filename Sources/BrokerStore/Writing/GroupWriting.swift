import BrokerCore
import Records

/// Writes what several turns of several shards changed, in one transaction.
struct GroupWriting {
    private struct Key: Hashable {
        var session: UInt64
        var place: UInt64
    }

    private let statements: StoreStatements
    private let clock: WallClock
    /// Messages that came and went within the group: their clients were faster than the disk, and nothing of them is written.
    private var passing: Set<Key> = []

    /// Called before each change; throws what a disk would.
    private let fault: (@Sendable () throws -> Void)?

    init(_ statements: StoreStatements, _ clock: WallClock, fault: (@Sendable () throws -> Void)?) {
        self.statements = statements
        self.clock = clock
        self.fault = fault
    }

    mutating func write(_ group: StoreGroup, retained: [RetainedChange], lastBody: inout Int64) throws {
        findPassing(group.batches)
        for batch in group.batches { try write(batch, lastBody: &lastBody) }
        try write(group.records)
        for change in retained {
            try fault?()
            try statements.put(change, clock)
        }
    }

    /// Of several changes of one record only the last is written.
    private func write(_ records: [RecordChange]) throws {
        var last: [RecordKey: Int] = [:]
        for (place, change) in records.enumerated() {
            if let key = change.key { last[key] = place }
        }
        for (place, change) in records.enumerated() {
            if let key = change.key, last[key] != place { continue }
            try fault?()
            switch change {
            case .put(let record): try statements.put(record)
            case .remove(let key): try statements.remove(key)
            case .removeAll(let key): try statements.removeAll(key)
            }
        }
    }

    private mutating func findPassing(_ group: [ChangeBatch]) {
        var removed: Set<Key> = []
        for batch in group {
            for case .remove(let session, let place) in batch.changes { removed.insert(Key(session: session, place: place)) }
        }
        if removed.isEmpty { return }
        for batch in group {
            for case .enqueue(let delivery) in batch.changes {
                let key = Key(session: delivery.session, place: delivery.place)
                if removed.contains(key) { passing.insert(key) }
            }
        }
    }

    private func isPassing(_ session: UInt64, _ place: UInt64) -> Bool {
        !passing.isEmpty && passing.contains(Key(session: session, place: place))
    }

    private func write(_ batch: ChangeBatch, lastBody: inout Int64) throws {
        var uses = Array(repeating: 0, count: batch.bodies.count)
        for case .enqueue(let delivery) in batch.changes where !isPassing(delivery.session, delivery.place) { uses[delivery.body] += 1 }
        var ids: [Int64?] = Array(repeating: nil, count: batch.bodies.count)
        for (body, count) in uses.enumerated() where count > 0 {
            let message = batch.bodies[body]
            guard count > 1 || message.size > StoreStatements.inlineBytesMax else { continue }
            lastBody += 1
            ids[body] = lastBody
            try statements.put(body: message, id: lastBody, clock)
        }
        for change in batch.changes {
            try fault?()
            try write(change, bodies: batch.bodies, ids: ids)
        }
    }

    private func write(_ change: StoreChange, bodies: [Message], ids: [Int64?]) throws {
        switch change {
        case .enqueue(let delivery):
            if isPassing(delivery.session, delivery.place) { return }
            let id = ids[delivery.body]
            try statements.put(delivery, body: id, message: id == nil ? bodies[delivery.body] : nil, clock)
        case .remove(let session, let place):
            if !isPassing(session, place) { try statements.remove(session, at: place) }
        case .sent(let session, let place, let sequence):
            if isPassing(session, place) { return }
            try statements.set(DeliveryState(sequence: sequence, isReleased: false), of: session, at: place)
        case .released(let session, let place):
            if !isPassing(session, place) { try statements.release(session, at: place) }
        case .received(let received): try statements.put(received)
        case .forget(let session, let packetID): try statements.forget(session, packetID)
        case .putSession(let session): try statements.put(session, clock)
        case .endSession(let session): try statements.end(session)
        case .subscribe(let session, let filter, let options): try statements.subscribe(session, filter, options)
        case .handOver(let handOver): try statements.put(handOver, bodies[handOver.body], clock)
        case .taken(let handOver, let shard, let cells): try statements.take(handOver, by: shard, cells)
        case .handedOver(let handOver): try statements.remove(handOver)
        case .unsubscribe(let session, let filter): try statements.unsubscribe(session, filter)
        }
    }
}

extension RecordChange {
    /// The one record that it is about.
    fileprivate var key: RecordKey? {
        switch self {
        case .put(let record): record.key
        case .remove(let key): key
        case .removeAll: nil
        }
    }
}
