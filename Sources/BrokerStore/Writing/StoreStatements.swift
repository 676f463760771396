import BrokerCore
import Foundation
import GRDB
import NIOCore
import Records

/// The statements of one connection, and what one transaction does with them.
///
/// Every change may be made twice: it is then as if it was made once.
struct StoreStatements {
    /// Bytes of a message that is kept beside what is said of its one delivery; longer ones have a row of their own.
    static let inlineBytesMax = 700

    private let db: Database
    private let putSession: Statement
    private let putSubscription: Statement
    private let removeSubscription: Statement
    private let putBody: Statement
    private let putDelivery: Statement
    private let setState: Statement
    private let removeDelivery: Statement
    private let removeBody: Statement
    private let putReceived: Statement
    private let forgetReceived: Statement
    private let putRetained: Statement
    private let removeRetained: Statement
    private let putRecord: Statement
    private let removeRecord: Statement
    private let removeRecords: Statement

    init(_ db: Database) throws {
        self.db = db
        putSession = try db.makeStatement(sql: "INSERT OR REPLACE INTO sessions VALUES (?, ?)")
        putSubscription = try db.makeStatement(sql: "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)")
        removeSubscription = try db.makeStatement(sql: "DELETE FROM subscriptions WHERE session = ? AND filter = ?")
        putBody = try db.makeStatement(sql: "INSERT OR REPLACE INTO bodies VALUES (?, ?)")
        putDelivery = try db.makeStatement(sql: "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)")
        setState = try db.makeStatement(sql: "UPDATE deliveries SET state = ? WHERE session = ? AND place = ?")
        removeDelivery = try db.makeStatement(sql: "DELETE FROM deliveries WHERE session = ? AND place = ? RETURNING body")
        removeBody = try db.makeStatement(
            sql: "DELETE FROM bodies WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE body = ?1)")
        putReceived = try db.makeStatement(sql: "INSERT OR REPLACE INTO received VALUES (?, ?, ?, ?)")
        forgetReceived = try db.makeStatement(sql: "DELETE FROM received WHERE session = ? AND packet = ?")
        putRetained = try db.makeStatement(sql: "INSERT OR REPLACE INTO retained VALUES (?, ?)")
        removeRetained = try db.makeStatement(sql: "DELETE FROM retained WHERE topic = ?")
        putRecord = try db.makeStatement(sql: "INSERT OR REPLACE INTO records VALUES (?, ?, ?)")
        removeRecord = try db.makeStatement(sql: "DELETE FROM records WHERE kind = ? AND key = ?")
        removeRecords = try db.makeStatement(sql: "DELETE FROM records WHERE kind = ? AND key >= ? AND key < ?")
    }

    func put(_ session: SessionRecord, _ clock: WallClock) throws {
        var fields = ByteBuffer()
        SessionFields.write(session, to: &fields, clock)
        let record = RecordBytes.seal(fields, key: RecordBytes.key(session.epoch))
        try putSession.execute(arguments: [Int64(clamping: session.epoch), record])
    }

    func end(_ session: UInt64) throws {
        let key = Int64(clamping: session)
        let bodies = try Int64.fetchAll(
            db.cachedStatement(sql: "SELECT DISTINCT body FROM deliveries WHERE session = ? AND body IS NOT NULL"), arguments: [key])
        for table in ["deliveries", "subscriptions", "received"] {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE session = ?").execute(arguments: [key])
        }
        try db.cachedStatement(sql: "DELETE FROM sessions WHERE epoch = ?").execute(arguments: [key])
        for body in bodies { try removeBody.execute(arguments: [body]) }
    }

    func subscribe(_ session: UInt64, _ filter: String, _ options: SubscriptionOptions) throws {
        var fields = ByteBuffer()
        SessionFields.write(options, to: &fields)
        let record = RecordBytes.seal(fields, key: StoreKeys.subscription(session, filter))
        try putSubscription.execute(arguments: [Int64(clamping: session), filter, record])
    }

    func unsubscribe(_ session: UInt64, _ filter: String) throws {
        try removeSubscription.execute(arguments: [Int64(clamping: session), filter])
    }

    func put(body message: Message, id: Int64, _ clock: WallClock) throws {
        var fields = ByteBuffer()
        MessageRecord.write(message, to: &fields, clock)
        try putBody.execute(arguments: [id, RecordBytes.seal(fields, key: RecordBytes.key(UInt64(clamping: id)))])
    }

    /// A delivery; `message` where its body has no row of its own.
    func put(_ delivery: DeliveryRecord, body: Int64?, message: Message?, _ clock: WallClock) throws {
        let key = StoreKeys.delivery(delivery.session, delivery.place)
        var fields = ByteBuffer()
        DeliveryFields(delivery).write(to: &fields)
        if let message { MessageRecord.write(message, to: &fields, clock) }
        let state = CheckedNumber.seal(DeliveryState(sequence: delivery.sequence, isReleased: false).number, key: key)
        var keyWithBody = key
        if let body { keyWithBody.writeInteger(UInt64(bitPattern: body)) }
        try putDelivery.execute(arguments: [
            Int64(clamping: delivery.session), Int64(clamping: delivery.place), state, body, RecordBytes.seal(fields, key: keyWithBody),
        ])
    }

    func set(_ state: DeliveryState, of session: UInt64, at place: UInt64) throws {
        let sealed = CheckedNumber.seal(state.number, key: StoreKeys.delivery(session, place))
        try setState.execute(arguments: [sealed, Int64(clamping: session), Int64(clamping: place)])
    }

    /// PUBREC has come: what was sent is not needed any more, its number is.
    func release(_ session: UInt64, at place: UInt64) throws {
        let key = StoreKeys.delivery(session, place)
        let known = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT state FROM deliveries WHERE session = ? AND place = ?"),
            arguments: [Int64(clamping: session), Int64(clamping: place)])
        guard let known else { return }
        var state = DeliveryState(try CheckedNumber.unseal(known, key: key))
        state.isReleased = true
        try set(state, of: session, at: place)
    }

    func remove(_ session: UInt64, at place: UInt64) throws {
        let body = try Int64.fetchOne(removeDelivery, arguments: [Int64(clamping: session), Int64(clamping: place)])
        if let body { try removeBody.execute(arguments: [body]) }
    }

    func put(_ received: ReceivedRecord) throws {
        var fields = ByteBuffer()
        fields.writeInteger(received.expected.rawValue)
        fields.writeInteger(received.done.rawValue)
        let record = RecordBytes.seal(fields, key: StoreKeys.received(received.session, received.packetID, received.cell))
        try putReceived.execute(arguments: [Int64(clamping: received.session), Int64(received.packetID), received.cell.index, record])
    }

    func forget(_ session: UInt64, _ packetID: UInt16) throws {
        try forgetReceived.execute(arguments: [Int64(clamping: session), Int64(packetID)])
    }

    func put(_ handOver: HandOverRecord, _ message: Message, _ clock: WallClock) throws {
        var fields = ByteBuffer()
        fields.writeInteger(UInt8(clamping: handOver.cell.index))
        fields.writeInteger(handOver.done.rawValue)
        fields.writeOptional(handOver.share) { $0.writeField($1) }
        MessageRecord.write(message, to: &fields, clock)
        let (session, place) = (handOver.id.session, handOver.id.place)
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO handOvers VALUES (?, ?, ?)").execute(arguments: [
            Int64(clamping: session), Int64(clamping: place), RecordBytes.seal(fields, key: StoreKeys.delivery(session, place)),
        ])
    }

    func take(_ handOver: HandOverID, by shard: ShardID, _ cells: ShardSet) throws {
        let record = RecordBytes.seal(ByteBuffer(integer: cells.rawValue), key: StoreKeys.taken(handOver, shard))
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?)").execute(arguments: [
            Int64(clamping: handOver.session), Int64(clamping: handOver.place), shard.index, record,
        ])
    }

    /// With who has taken it.
    func remove(_ handOver: HandOverID) throws {
        for table in ["handOvers", "taken"] {
            try db.cachedStatement(sql: "DELETE FROM \(table) WHERE session = ? AND place = ?")
                .execute(arguments: [Int64(clamping: handOver.session), Int64(clamping: handOver.place)])
        }
    }

    func put(_ retained: RetainedChange, _ clock: WallClock) throws {
        let topic = Data(retained.topic.readableBytesView)
        guard let message = retained.message else { return try removeRetained.execute(arguments: [topic]) }
        var fields = ByteBuffer()
        fields.writeOptional(retained.publisher.clientID) { $0.writeField($1) }
        fields.writeOptional(retained.publisher.principal) { $0.writeField($1) }
        MessageRecord.write(message, to: &fields, clock)
        try putRetained.execute(arguments: [topic, RecordBytes.seal(fields, key: retained.topic)])
    }

    func put(_ record: KeptRecord) throws {
        let sealed = RecordBytes.seal(ByteBuffer(bytes: record.fields), key: StoreKeys.record(record.key.kind.rawValue, record.key.bytes))
        try putRecord.execute(arguments: [Int64(record.key.kind.rawValue), Data(record.key.bytes), sealed])
    }

    func remove(_ key: RecordKey) throws { try removeRecord.execute(arguments: [Int64(key.kind.rawValue), Data(key.bytes)]) }

    /// Everything whose key begins so; what follows in a key are numbers or texts, and nothing that is beyond nine such bytes.
    func removeAll(_ key: RecordKey) throws {
        let end = Data(key.bytes + Array(repeating: 0xFF, count: 9))
        try removeRecords.execute(arguments: [Int64(key.kind.rawValue), Data(key.bytes), end])
    }
}

/// What a row's checksum covers beside its fields: a row must not be taken for another one.
enum StoreKeys {
    static func subscription(_ session: UInt64, _ filter: String) -> ByteBuffer {
        var key = RecordBytes.key(session)
        key.writeString(filter)
        return key
    }

    static func record(_ kind: UInt8, _ bytes: [UInt8]) -> ByteBuffer {
        var key = RecordBytes.key(UInt64(kind))
        key.writeBytes(bytes)
        return key
    }

    static func delivery(_ session: UInt64, _ place: UInt64) -> ByteBuffer { RecordBytes.key(session, place) }

    static func taken(_ handOver: HandOverID, _ shard: ShardID) -> ByteBuffer {
        RecordBytes.key(handOver.session, handOver.place, UInt64(shard.index))
    }

    static func received(_ session: UInt64, _ packetID: UInt16, _ cell: ShardID) -> ByteBuffer {
        RecordBytes.key(session, UInt64(packetID), UInt64(cell.index))
    }
}

/// How far a message has got on its way to its client.
struct DeliveryState: Equatable {
    /// Its number among what was sent; `nil` while it waits.
    var sequence: UInt64?
    var isReleased: Bool

    init(sequence: UInt64?, isReleased: Bool) {
        self.sequence = sequence
        self.isReleased = isReleased
    }

    init(_ number: UInt64) {
        sequence = number >> 1 == 0 ? nil : number >> 1
        isReleased = number & 1 == 1
    }

    var number: UInt64 { (sequence ?? 0) << 1 | (isReleased ? 1 : 0) }
}
