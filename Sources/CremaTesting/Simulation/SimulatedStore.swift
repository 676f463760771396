package import BrokerCore
import MQTTCodec
import NIOCore
import Synchronization

/// A store on a disk that is memory: what was committed is there after a crash, and nothing else is.
package final class SimulatedStore: SessionStore {
    private struct State {
        var waiting: [ChangeBatch] = []
        var isBehind = false
        var disk: SimulatedDisk
    }

    private let state: Mutex<State>

    package convenience init() { self.init(SimulatedDisk()) }

    private init(_ disk: SimulatedDisk) { state = Mutex(State(disk: disk)) }

    package func append(_ batch: ChangeBatch) { state.withLock { $0.waiting.append(batch) } }

    /// Whether rules have handed over too much.
    package var isBehind: Bool {
        get { state.withLock { $0.isBehind } }
        set { state.withLock { $0.isBehind = newValue } }
    }

    package var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Writes what was handed over, or its first part, as one transaction; answers how far each shard is.
    func commit(atMost count: Int, retained: RetainedStore) -> [(ShardID, UInt64)] {
        let changed = retained.takeChanges()
        return state.withLock { state in
            let batches = state.waiting.prefix(count)
            state.waiting.removeFirst(batches.count)
            var last: [ShardID: UInt64] = [:]
            for batch in batches {
                state.disk.apply(batch)
                last[batch.shard] = batch.number
            }
            for change in changed { state.disk.retained[change.topic] = change.message == nil ? nil : change }
            return last.sorted { $0.key < $1.key }
        }
    }

    /// The disk as it is, for the process that comes after a crash of the one that has this store.
    package func afterCrash() -> SimulatedStore { SimulatedStore(state.withLock { $0.disk }) }

    /// What a start finds.
    func start(retained: RetainedStore) -> [RestoredSession] {
        state.withLock { state in
            for change in state.disk.retained.values.sorted(by: { String(buffer: $0.topic) < String(buffer: $1.topic) }) {
                if let message = change.message { retained.restore(message, by: change.publisher) }
            }
            return state.disk.sessions.values.sorted { $0.record.epoch < $1.record.epoch }.filter { session in
                // Of two sessions of one client the later one counts.
                !state.disk.sessions.values.contains {
                    ExactText($0.record.clientID) == ExactText(session.record.clientID) && $0.record.epoch > session.record.epoch
                }
            }
        }
    }
}

/// Sessions as they are on the disk.
private struct SimulatedDisk {
    var sessions: [UInt64: RestoredSession] = [:]
    var retained: [ByteBuffer: RetainedChange] = [:]

    mutating func apply(_ batch: ChangeBatch) {
        for change in batch.changes { apply(change, bodies: batch.bodies) }
    }

    private mutating func apply(_ change: StoreChange, bodies: [Message]) {
        switch change {
        case .putSession(let record):
            if sessions[record.epoch] == nil { sessions[record.epoch] = RestoredSession(record) }
            sessions[record.epoch]?.record = record
        case .endSession(let session): sessions[session] = nil
        case .subscribe(let session, let filter, let options):
            sessions[session]?.subscriptions.removeAll { $0.filter == filter }
            sessions[session]?.subscriptions.append((filter, options))
        case .unsubscribe(let session, let filter): sessions[session]?.subscriptions.removeAll { $0.filter == filter }
        case .enqueue(let delivery):
            sessions[delivery.session]?.deliveries.append(
                RestoredDelivery(
                    place: delivery.place, message: bodies[delivery.body], qos: delivery.qos, retain: delivery.retain,
                    identifiers: delivery.identifiers, share: delivery.share, sequence: delivery.sequence, isReleased: false))
        case .sent(let session, let place, let sequence): update(session, place) { $0.sequence = sequence }
        case .released(let session, let place): update(session, place) { $0.isReleased = true }
        case .remove(let session, let place): sessions[session]?.deliveries.removeAll { $0.place == place }
        case .received(let part): sessions[part.session]?.received.append(part)
        case .forget(let session, let packetID): sessions[session]?.received.removeAll { $0.packetID == packetID }
        }
    }

    private mutating func update(_ session: UInt64, _ place: UInt64, _ body: (inout RestoredDelivery) -> Void) {
        guard let index = sessions[session]?.deliveries.firstIndex(where: { $0.place == place }) else { return }
        if var delivery = sessions[session]?.deliveries[index] {
            body(&delivery)
            sessions[session]?.deliveries[index] = delivery
        }
    }
}
