import BrokerCore
import CremaTesting
import MQTTCodec
import Records

/// What shards and the event side hand to a store, step by step, by chance.
struct StoreWorkload {
    /// One thing that is handed over.
    struct Step {
        /// The batch's number is the step's.
        var batch: ChangeBatch?
        var records: [RecordChange] = []
        /// A topic and what is retained there from now on.
        var retained: (topic: String, payload: [UInt8]?)?
    }

    static let topics = (0..<4).map { "retained/\($0)" }

    private(set) var state: KeptState
    private var random: SeededRandom
    private var number: UInt64
    private var lastEpoch: UInt64
    private var lastPlace: UInt64

    /// Goes on from what a start has found.
    init(from state: KeptState = KeptState(), seed: UInt64) {
        self.state = state
        random = SeededRandom(seed: seed)
        number = 0
        lastEpoch = state.sessions.keys.max() ?? 0
        lastPlace = state.sessions.values.flatMap(\.deliveries.keys).max() ?? 0
    }

    mutating func next() -> Step {
        number += 1
        var step = Step()
        switch Int.random(in: 0..<10, using: &random) {
        // Now and then nearly everything goes, and leaves pages without content behind.
        case _ where number % 12 == 10:
            step.batch = ChangeBatch(number, changes: state.sessions.keys.sorted().dropLast().map { .endSession($0) })
            if let batch = step.batch { state.apply(batch) }
        case _ where number % 12 == 11: step.records = (1...3).map { .removeAll(RecordKey(.queueMessage, $0)) }
        case 0, 1: step.records = recordChanges()
        case 2:
            let payload = random.happens(percent: 25) ? nil : bytes(upTo: 3_000) + Array("\(number)".utf8)
            step.retained = (Self.topics.randomElement(using: &random) ?? "retained/0", payload)
            step.batch = batch()
            step.batch?.changesRetained = true
        default: step.batch = batch()
        }
        state.apply(step.records)
        return step
    }

    private mutating func bytes(upTo count: Int) -> [UInt8] {
        Array(repeating: UInt8.random(in: 1...255, using: &random), count: Int.random(in: 0...count, using: &random))
    }

    private mutating func recordChanges() -> [RecordChange] {
        (0...Int.random(in: 0..<4, using: &random)).map { _ in
            let queue = UInt64.random(in: 1...3, using: &random)
            let key = RecordKey(.queueMessage, queue, UInt64.random(in: 1...20, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0: return .removeAll(RecordKey(.queueMessage, queue))
            case 1, 2: return .remove(key)
            case 3, 4: return .put(KeptRecord(RecordKey(.eventRule, "rule-\(queue)"), bytes(upTo: 100)))
            default: return .put(KeptRecord(key, bytes(upTo: 2_000)))
            }
        }
    }

    private mutating func batch() -> ChangeBatch {
        var batch = ChangeBatch(shard: ShardID(Int.random(in: 0..<2, using: &random)), number: number)
        for _ in 0...Int.random(in: 0..<5, using: &random) { add(to: &batch) }
        return batch
    }

    private mutating func add(to batch: inout ChangeBatch) {
        var one = ChangeBatch(shard: batch.shard, number: batch.number)
        let epochs = state.sessions.keys.sorted()
        guard let epoch = epochs.randomElement(using: &random), epochs.count > 2, !random.happens(percent: 5) else {
            lastEpoch += 1
            one.changes = [.putSession(record(lastEpoch))]
            state.apply(one)
            batch.changes += one.changes
            return
        }
        let places = state.sessions[epoch].map { $0.deliveries.keys.sorted() } ?? []
        let packet = UInt16.random(in: 1...8, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: one.changes = [.endSession(epoch)]
        case 1: one.changes = [.putSession(record(epoch))]
        case 2: one.changes = [.subscribe(session: epoch, filter: "a/\(packet)", SubscriptionOptions(qos: .exactlyOnce))]
        case 3: one.changes = [.unsubscribe(session: epoch, filter: "a/\(packet)")]
        case 4, 5: one.changes = [.received(ReceivedRecord(session: epoch, packetID: packet, cell: batch.shard, expected: ShardSet()))]
        case 6: one.changes = [.forget(session: epoch, packetID: packet)]
        case 7, 8, 9: one.changes = places.first.map { [.sent(session: epoch, place: $0, sequence: $0)] } ?? []
        case 10: one.changes = places.first.map { [.released(session: epoch, place: $0)] } ?? []
        case 11, 12, 13: one.changes = places.first.map { [.remove(session: epoch, place: $0)] } ?? []
        default: one = message(for: epochs, in: batch)
        }
        state.apply(one)
        batch.changes += one.changes.map { $0.moved(by: batch.bodies.count) }
        batch.bodies += one.bodies
    }

    private mutating func record(_ epoch: UInt64) -> SessionRecord {
        var record = SessionRecord(epoch, "client-\(epoch)")
        record.expirySeconds = Int.random(in: 1...1_000, using: &random)
        record.principal = random.happens(percent: 50) ? "CN=\(epoch)" : nil
        return record
    }

    /// A message for some of the sessions: short and long ones, with a row of their own or without.
    private mutating func message(for epochs: [UInt64], in batch: ChangeBatch) -> ChangeBatch {
        var one = ChangeBatch(shard: batch.shard, number: batch.number)
        let payload = bytes(upTo: random.happens(percent: 30) ? 9_000 : 500)
        one.bodies = [Message(topic: "a/\(number)", payload: payload, qos: .exactlyOnce)]
        for epoch in epochs.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)) {
            lastPlace += 1
            let qos: QoS = random.happens(percent: 50) ? .exactlyOnce : .atLeastOnce
            one.changes.append(
                .enqueue(DeliveryRecord(epoch, lastPlace, qos: qos, sequence: random.happens(percent: 50) ? lastPlace : nil)))
        }
        return one
    }
}

extension StoreChange {
    /// With its message at a later place.
    fileprivate func moved(by count: Int) -> StoreChange {
        guard case .enqueue(var delivery) = self else { return self }
        delivery.body += count
        return .enqueue(delivery)
    }
}
