package import BrokerCore
import MQTTCodec
import NIOCore
import Synchronization

/// A store on a disk that is memory: what was committed is there after a crash, and nothing else is.
package final class SimulatedStore: SessionStore {
    private struct State {
        var waiting: [ChangeBatch] = []
        var isBehind = false
        var isFailing = false
        var disk: SimulatedDisk
    }

    private let state: Mutex<State>

    package convenience init() { self.init(SimulatedDisk()) }

    private init(_ disk: SimulatedDisk) { state = Mutex(State(disk: disk)) }

    package func append(_ batch: ChangeBatch) { state.withLock { $0.waiting.append(batch) } }

    /// Messages that are on the disk as on their way.
    package var handOversKept: Int { state.withLock { $0.disk.found.handOvers.count } }

    /// Whether rules have handed over too much.
    package var isBehind: Bool {
        get { state.withLock { $0.isBehind } }
        set { state.withLock { $0.isBehind = newValue } }
    }

    /// Whether it would say that the disk takes nothing.
    package var isFailing: Bool {
        get { state.withLock { $0.isFailing } }
        set { state.withLock { $0.isFailing = newValue } }
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
    func start(retained: RetainedStore) -> RestoredState {
        state.withLock { state in
            let kept = state.disk.retained.values.sorted { String(buffer: $0.topic) < String(buffer: $1.topic) }
            retained.restore(RetainedStore.Restored(kept))
            return state.disk.found
        }
    }
}

/// Sessions as they are on the disk.
private struct SimulatedDisk {
    var sessions: [UInt64: RestoredSession] = [:]
    var retained: [ByteBuffer: RetainedChange] = [:]
    private var handOvers: [HandOverID: RestoredHandOver] = [:]
    private var taken: [HandOverID: ShardSet] = [:]

    var found: RestoredState {
        var state = RestoredState()
        state.sessions = sessions.values.sorted { $0.record.epoch < $1.record.epoch }
        for (id, handOver) in handOvers.sorted(by: { ($0.key.session, $0.key.place) < ($1.key.session, $1.key.place) }) {
            state.handOvers.append(handOver)
            state.handOvers[state.handOvers.count - 1].taken = taken[id] ?? ShardSet()
        }
        state.willsTaken = taken.filter { handOvers[$0.key] == nil && sessions[$0.key.session] != nil }
        return state
    }

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
        case .handOver(let handOver):
            handOvers[handOver.id] = RestoredHandOver(
                id: handOver.id, cell: handOver.cell, done: handOver.done, message: bodies[handOver.body], share: handOver.share,
                taken: ShardSet())
        case .taken(let handOver, _, let cells): taken[handOver, default: ShardSet()].formUnion(cells)
        case .handedOver(let handOver):
            handOvers[handOver] = nil
            taken[handOver] = nil
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
