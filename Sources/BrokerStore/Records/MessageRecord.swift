import BrokerCore
import MQTTCodec
import NIOCore

/// A message as it is kept.
enum MessageRecord {
    static func write(_ message: Message, to buffer: inout ByteBuffer, _ clock: WallClock) {
        buffer.writeInteger(message.qos.rawValue)
        buffer.writeInteger(UInt8(message.retain ? 1 : 0))
        buffer.writeInteger(message.hops)
        buffer.writeField(message.topic)
        buffer.writeField(message.payload)
        buffer.writeOptional(message.properties?.forwarded) { $0.writeField($1) }
        buffer.writeOptional(message.properties?.expiresAt) { $0.writeInteger(clock.milliseconds(at: $1)) }
    }

    static func read(from buffer: inout ByteBuffer, _ clock: WallClock) throws(RecordBytes.Damaged) -> Message {
        guard let qos = QoS(rawValue: try buffer.number()) else { throw RecordBytes.Damaged() }
        let retain = try buffer.number(UInt8.self) == 1
        let hops = try buffer.number(UInt8.self)
        var message = Message(topic: try buffer.field(), payload: try buffer.field(), qos: qos, retain: retain, hops: hops)
        let forwarded = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in try buffer.field() }
        let expiresAt = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in clock.instant(at: try buffer.number()) }
        if forwarded != nil || expiresAt != nil { message.properties = MessageProperties(forwarded: forwarded, expiresAt: expiresAt) }
        return message
    }
}

/// What is kept of one message for one session, beside the message.
struct DeliveryFields {
    var qos: QoS
    var retain: Bool
    var identifiers: [UInt32]?
    var share: String?

    init(_ record: DeliveryRecord) {
        qos = record.qos
        retain = record.retain
        identifiers = record.identifiers
        share = record.share
    }

    /// Of a row that has nothing beside: almost every one whose message is elsewhere.
    init?(plain fields: UnsafeRawBufferPointer) {
        guard fields.count == 4, unsafe fields[2] == 0, unsafe fields[3] == 0, let qos = QoS(rawValue: unsafe fields[0]) else { return nil }
        self.qos = qos
        retain = unsafe fields[1] == 1
    }

    func write(to buffer: inout ByteBuffer) {
        buffer.writeInteger(qos.rawValue)
        buffer.writeInteger(UInt8(retain ? 1 : 0))
        buffer.writeOptional(identifiers) { buffer, identifiers in
            buffer.writeInteger(UInt32(identifiers.count))
            for identifier in identifiers { buffer.writeInteger(identifier) }
        }
        buffer.writeOptional(share) { $0.writeField($1) }
    }

    init(from buffer: inout ByteBuffer) throws(RecordBytes.Damaged) {
        guard let qos = QoS(rawValue: try buffer.number()) else { throw RecordBytes.Damaged() }
        self.qos = qos
        retain = try buffer.number(UInt8.self) == 1
        identifiers = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in
            var list: [UInt32] = []
            for _ in 0..<(try buffer.number(UInt32.self)) { list.append(try buffer.number()) }
            return list
        }
        share = try buffer.optional { (buffer) throws(RecordBytes.Damaged) in try buffer.text() }
    }
}
