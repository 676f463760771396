import BrokerCore
import MQTTCodec
import NIOCore

/// A session's own row.
enum SessionFields {
    static func write(_ record: SessionRecord, to buffer: inout ByteBuffer, _ clock: WallClock) {
        buffer.writeField(record.clientID)
        buffer.writeOptional(record.principal) { $0.writeField($1) }
        buffer.writeInteger(Int64(record.expirySeconds))
        buffer.writeField(record.slowConsumer.rawValue)
        buffer.writeInteger(UInt8(record.cell.index))
        buffer.writeOptional(record.disconnectedAt) { $0.writeInteger(clock.milliseconds(at: $1)) }
        buffer.writeOptional(record.will) { buffer, kept in
            buffer.writeField(kept.will.topic)
            buffer.writeField(kept.will.payload)
            buffer.writeInteger(kept.will.qos.rawValue)
            buffer.writeInteger(UInt8(kept.will.retain ? 1 : 0))
            buffer.writeField(kept.will.properties.encoded)
            buffer.writeOptional(kept.due) { $0.writeInteger(clock.milliseconds(at: $1)) }
        }
        buffer.writeInteger(record.sequence)
    }

    static func read(epoch: UInt64, from buffer: inout ByteBuffer, _ clock: WallClock) throws(RecordBytes.Damaged) -> SessionRecord {
        let clientID = try buffer.text()
        let principal = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in try buffer.text() }
        let expirySeconds = Int(try buffer.number(Int64.self))
        guard let slowConsumer = SlowConsumerPolicy(rawValue: try buffer.text()) else { throw RecordBytes.Damaged() }
        let cell = Int(try buffer.number(UInt8.self))
        guard cell < ShardSet.capacity else { throw RecordBytes.Damaged() }
        let disconnectedAt = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in clock.instant(at: try buffer.number()) }
        let will = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in try Self.will(from: &buffer, clock) }
        var record = SessionRecord(
            epoch: epoch, clientID: clientID, principal: principal, expirySeconds: expirySeconds, slowConsumer: slowConsumer,
            cell: ShardID(cell), disconnectedAt: disconnectedAt, will: will)
        // What earlier versions wrote ends here.
        if buffer.readableBytes > 0 { record.sequence = try buffer.number() }
        return record
    }

    private static func will(from buffer: inout ByteBuffer, _ clock: WallClock) throws(RecordBytes.Damaged) -> WillRecord {
        let topic = try buffer.field()
        let payload = try buffer.field()
        guard let qos = QoS(rawValue: try buffer.number()) else { throw RecordBytes.Damaged() }
        let retain = try buffer.number(UInt8.self) == 1
        let properties = Properties(forwarded: try buffer.field())
        let due = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in clock.instant(at: try buffer.number()) }
        return WillRecord(will: Will(topic: topic, payload: payload, qos: qos, retain: retain, properties: properties), due: due)
    }

    static func write(_ options: SubscriptionOptions, to buffer: inout ByteBuffer) {
        buffer.writeInteger(options.qos.rawValue)
        buffer.writeInteger(UInt8(options.noLocal ? 1 : 0))
        buffer.writeInteger(UInt8(options.retainAsPublished ? 1 : 0))
        buffer.writeInteger(UInt8(options.excludesParent ? 1 : 0))
        buffer.writeInteger(options.identifier)
    }

    static func options(from buffer: inout ByteBuffer) throws(RecordBytes.Damaged) -> SubscriptionOptions {
        guard let qos = QoS(rawValue: try buffer.number()) else { throw RecordBytes.Damaged() }
        var options = SubscriptionOptions(qos: qos)
        options.noLocal = try buffer.number(UInt8.self) == 1
        options.retainAsPublished = try buffer.number(UInt8.self) == 1
        options.excludesParent = try buffer.number(UInt8.self) == 1
        options.identifier = try buffer.number()
        return options
    }
}
