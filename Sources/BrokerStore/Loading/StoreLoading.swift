import BrokerCore
import Foundation
import GRDB
import NIOCore
import Records

/// Everything that a store file holds, each row checked.
struct StoreContents {
    var state = RestoredState()
    var retained: [RetainedChange] = []
    /// In the order of their kinds and keys.
    var records: [KeptRecord] = []
    var lastBody: Int64 = 0

    /// Reads a file that was opened and has this version's tables.
    ///
    /// - Throws: ``RecordBytes/Damaged`` for a row that is not as it was written, and what SQLite finds.
    init(_ db: Database, _ clock: WallClock) throws {
        var places: [UInt64: Int] = [:]
        try loadSessions(db, clock, &places)
        try loadSubscriptions(db, places)
        try loadDeliveries(db, clock, places)
        try loadReceived(db, places)
        try loadHandOvers(db, clock)
        try loadRetained(db, clock)
        try loadRecords(db)
    }

    private mutating func loadSessions(_ db: Database, _ clock: WallClock, _ places: inout [UInt64: Int]) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT epoch, record FROM sessions ORDER BY epoch")
        while let row = try rows.next() {
            let epoch = try UInt64(row: row, at: 0)
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 1), key: RecordBytes.key(epoch))
            let record = try SessionFields.read(epoch: epoch, from: &fields, clock)
            places[epoch] = state.sessions.count
            state.sessions.append(RestoredSession(record))
        }
    }

    private mutating func loadSubscriptions(_ db: Database, _ places: [UInt64: Int]) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT session, filter, record FROM subscriptions")
        while let row = try rows.next() {
            let session = try UInt64(row: row, at: 0)
            let filter: String = try row.decode(atIndex: 1)
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 2), key: StoreKeys.subscription(session, filter))
            let options = try SessionFields.options(from: &fields)
            if let place = places[session] { state.sessions[place].subscriptions.append((filter, options)) }
        }
    }

    private mutating func loadDeliveries(_ db: Database, _ clock: WallClock, _ places: [UInt64: Int]) throws {
        var bodies: [Int64: Message] = [:]
        let bodyRows = try Row.fetchCursor(db, sql: "SELECT id, record FROM bodies")
        while let row = try bodyRows.next() {
            let id: Int64 = try row.decode(atIndex: 0)
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 1), key: RecordBytes.key(UInt64(clamping: id)))
            bodies[id] = try MessageRecord.read(from: &fields, clock)
            lastBody = max(lastBody, id)
        }
        let rows = try Row.fetchCursor(
            db, sql: "SELECT session, place, state, body, record FROM deliveries ORDER BY session, place")
        // Rows of one session come together: its place is looked up once.
        var current: (session: UInt64, place: Int?) = (0, places[0])
        var key = ByteBuffer()
        while let row = try rows.next() {
            let session = try UInt64(row: row, at: 0)
            let position = try UInt64(row: row, at: 1)
            let body = try row.decode(Int64?.self, atIndex: 3)
            RecordBytes.setKey(&key, session, position)
            if session != current.session { current = (session, places[session]) }
            let progress = DeliveryState(try CheckedNumber.unseal(try row.decode(atIndex: 2), key: key))
            if let body { key.writeInteger(UInt64(bitPattern: body)) }
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 4), key: key)
            let delivery = try DeliveryFields(from: &fields)
            let message: Message
            if let body {
                guard let known = bodies[body] else { throw RecordBytes.Damaged() }
                message = known
            } else {
                message = try MessageRecord.read(from: &fields, clock)
            }
            guard let place = current.place else { continue }
            state.sessions[place].deliveries.append(
                RestoredDelivery(
                    place: position, message: message, qos: delivery.qos, retain: delivery.retain, identifiers: delivery.identifiers,
                    share: delivery.share, sequence: progress.sequence, isReleased: progress.isReleased))
        }
    }

    private mutating func loadReceived(_ db: Database, _ places: [UInt64: Int]) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT session, packet, cell, record FROM received")
        while let row = try rows.next() {
            let session = try UInt64(row: row, at: 0)
            guard let packetID = UInt16(exactly: try row.decode(Int64.self, atIndex: 1)) else { throw RecordBytes.Damaged() }
            let cell = try Self.cell(try row.decode(Int64.self, atIndex: 2))
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 3), key: StoreKeys.received(session, packetID, cell))
            let expected = ShardSet(rawValue: try fields.number())
            // What earlier versions wrote ends here.
            let done = fields.readableBytes > 0 ? ShardSet(rawValue: try fields.number()) : ShardSet(cell)
            guard let place = places[session] else { continue }
            state.sessions[place].received.append(
                ReceivedRecord(session: session, packetID: packetID, cell: cell, expected: expected, done: done))
        }
    }

    private mutating func loadHandOvers(_ db: Database, _ clock: WallClock) throws {
        var taken: [HandOverID: ShardSet] = [:]
        let parts = try Row.fetchCursor(db, sql: "SELECT session, place, cell, record FROM taken")
        while let row = try parts.next() {
            let id = HandOverID(session: try UInt64(row: row, at: 0), place: try UInt64(row: row, at: 1))
            let cell = try Self.cell(try row.decode(Int64.self, atIndex: 2))
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 3), key: StoreKeys.taken(id, cell))
            taken[id, default: ShardSet()].formUnion(ShardSet(rawValue: try fields.number()))
        }
        let rows = try Row.fetchCursor(db, sql: "SELECT session, place, record FROM handOvers ORDER BY session, place")
        while let row = try rows.next() {
            let id = HandOverID(session: try UInt64(row: row, at: 0), place: try UInt64(row: row, at: 1))
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 2), key: StoreKeys.delivery(id.session, id.place))
            let cell = try Self.cell(Int64(try fields.number(UInt8.self)))
            let done = ShardSet(rawValue: try fields.number())
            let share = try fields.optional { (fields) throws(RecordBytes.Damaged) in try fields.text() }
            state.handOvers.append(
                RestoredHandOver(
                    id: id, cell: cell, done: done, message: try MessageRecord.read(from: &fields, clock), share: share,
                    taken: taken.removeValue(forKey: id) ?? ShardSet()))
        }
        state.willsTaken = taken
    }

    private static func cell(_ number: Int64) throws(RecordBytes.Damaged) -> ShardID {
        guard let cell = Int(exactly: number), (0..<ShardSet.capacity).contains(cell) else { throw RecordBytes.Damaged() }
        return ShardID(cell)
    }

    private mutating func loadRetained(_ db: Database, _ clock: WallClock) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT topic, record FROM retained")
        while let row = try rows.next() {
            let topic = ByteBuffer(bytes: try row.decode(Data.self, atIndex: 0))
            var fields = try RecordBytes.unseal(try row.decode(atIndex: 1), key: topic)
            let clientID = try fields.optional { (fields) throws(RecordBytes.Damaged) in try fields.text() }
            let principal = try fields.optional { (fields) throws(RecordBytes.Damaged) in try fields.text() }
            let message = try MessageRecord.read(from: &fields, clock)
            retained.append(
                RetainedChange(topic: topic, message: message, publisher: Publisher(clientID: clientID, principal: principal)))
        }
    }

    private mutating func loadRecords(_ db: Database) throws {
        let rows = try Row.fetchCursor(db, sql: "SELECT kind, key, record FROM records ORDER BY kind, key")
        while let row = try rows.next() {
            guard let number = UInt8(exactly: try row.decode(Int64.self, atIndex: 0)) else { throw RecordBytes.Damaged() }
            let key = [UInt8](try row.decode(Data.self, atIndex: 1))
            let fields = try RecordBytes.unseal(try row.decode(atIndex: 2), key: StoreKeys.record(number, key))
            guard let kind = RecordKind(rawValue: number) else { throw StoreError.Newer() }
            records.append(KeptRecord(RecordKey(kind, bytes: key), Array(fields.readableBytesView)))
        }
    }

    /// Removes rows that belong to nothing, which a crash at an unlucky moment may leave.
    static func removeLeftovers(_ db: Database) throws {
        try db.inTransaction(.immediate) {
            for table in ["deliveries", "subscriptions", "received"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE session NOT IN (SELECT epoch FROM sessions)")
            }
            try db.execute(
                sql: "DELETE FROM bodies WHERE NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.body = bodies.id)")
            try db.execute(
                sql: """
                    DELETE FROM taken WHERE session NOT IN (SELECT epoch FROM sessions)
                        AND NOT EXISTS (SELECT 1 FROM handOvers WHERE handOvers.session = taken.session AND handOvers.place = taken.place)
                    """)
            return .commit
        }
    }
}

extension UInt64 {
    /// A column that holds a number from 0 up.
    fileprivate init(row: Row, at column: Int) throws {
        guard let value = UInt64(exactly: try row.decode(Int64.self, atIndex: column)) else { throw RecordBytes.Damaged() }
        self = value
    }
}
