import BrokerCore
import MQTTCodec
import NIOCore
import Records

/// What a store has to hold, by the meaning of the changes alone.
struct KeptState: Equatable {
    struct Waiting: Equatable {
        var topic: String
        var payload: [UInt8]
        var qos: QoS
        var retain: Bool
        var sequence: UInt64?
        var isReleased = false
    }

    struct Kept: Equatable {
        var record: SessionRecord
        var subscriptions: [String: SubscriptionOptions] = [:]
        var deliveries: [UInt64: Waiting] = [:]
        /// By packet identifier and shard.
        var received: [[Int]: ReceivedRecord] = [:]
    }

    var sessions: [UInt64: Kept] = [:]
    var records: [RecordKey: [UInt8]] = [:]

    init() {}

    /// What a start has found.
    init(_ found: [RestoredSession], _ records: [KeptRecord]) {
        for session in found {
            var kept = Kept(record: session.record)
            for (filter, options) in session.subscriptions { kept.subscriptions[filter] = options }
            for delivery in session.deliveries {
                kept.deliveries[delivery.place] = Waiting(
                    topic: delivery.message.topicName, payload: Array(delivery.message.payload.readableBytesView), qos: delivery.qos,
                    retain: delivery.retain, sequence: delivery.sequence, isReleased: delivery.isReleased)
            }
            for part in session.received { kept.received[[Int(part.packetID), part.cell.index]] = part }
            sessions[session.record.epoch] = kept
        }
        for record in records { self.records[record.key] = record.fields }
    }

    mutating func apply(_ batch: ChangeBatch) { for change in batch.changes { apply(change, bodies: batch.bodies) } }

    private mutating func apply(_ change: StoreChange, bodies: [Message]) {
        switch change {
        case .putSession(let record): sessions[record.epoch, default: Kept(record: record)].record = record
        case .endSession(let epoch): sessions[epoch] = nil
        case .subscribe(let epoch, let filter, let options): sessions[epoch]?.subscriptions[filter] = options
        case .unsubscribe(let epoch, let filter): sessions[epoch]?.subscriptions[filter] = nil
        case .enqueue(let delivery):
            let message = bodies[delivery.body]
            sessions[delivery.session]?.deliveries[delivery.place] = Waiting(
                topic: message.topicName, payload: Array(message.payload.readableBytesView), qos: delivery.qos, retain: delivery.retain,
                sequence: delivery.sequence)
        case .sent(let epoch, let place, let sequence):
            sessions[epoch]?.deliveries[place]?.sequence = sequence
            sessions[epoch]?.deliveries[place]?.isReleased = false
        case .released(let epoch, let place): sessions[epoch]?.deliveries[place]?.isReleased = true
        case .remove(let epoch, let place): sessions[epoch]?.deliveries[place] = nil
        case .received(let part): sessions[part.session]?.received[[Int(part.packetID), part.cell.index]] = part
        case .forget(let epoch, let packetID):
            if let parts = sessions[epoch]?.received { sessions[epoch]?.received = parts.filter { $0.key[0] != Int(packetID) } }
        case .handOver, .taken, .handedOver: break  // nothing that a workload does
        }
    }

    mutating func apply(_ changes: [RecordChange]) {
        for change in changes {
            switch change {
            case .put(let record): records[record.key] = record.fields
            case .remove(let key): records[key] = nil
            case .removeAll(let start):
                records = records.filter { $0.key.kind != start.kind || !$0.key.bytes.starts(with: start.bytes) }
            }
        }
    }
}
