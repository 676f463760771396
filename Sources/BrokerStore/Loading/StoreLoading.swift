import BrokerCore
import Dispatch
import Foundation
import GRDB
import NIOCore
import Records
import Synchronization

/// Everything that a store file holds, each row checked.
struct StoreContents {
    var state = RestoredState()
    var retained = RetainedStore.Restored([])
    /// In the order of their kinds and keys.
    var records: [KeptRecord] = []
    var lastBody: Int64 = 0

    /// Reads a file that was opened and has this version's tables.
    ///
    /// - Throws: ``RecordBytes/Damaged`` for a row that is not as it was written, and what SQLite finds.
    init(_ db: Database, _ clock: WallClock) throws {
        // What retained messages are found by is made on another thread, while the rest is read.
        let kept = try Self.loadRetained(db, clock)
        let retained = Mutex(RetainedStore.Restored([]))
        let isMade = DispatchGroup()
        DispatchQueue.global().async(group: isMade) {
            let made = RetainedStore.Restored(kept)
            retained.withLock { $0 = made }
        }
        defer {
            isMade.wait()
            self.retained = retained.withLock { $0 }
        }
        var places: [UInt64: Int] = [:]
        places.reserveCapacity(try Int.fetchOne(db, sql: "SELECT count(*) FROM sessions") ?? 0)
        try loadSessions(db, clock, &places)
        try loadSubscriptions(db, places)
        try loadDeliveries(db, clock, places)
        try loadReceived(db, places)
        try loadHandOvers(db, clock)
        try loadRecords(db)
    }

    private mutating func loadSessions(_ db: Database, _ clock: WallClock, _ places: inout [UInt64: Int]) throws {
        let rows = try StoreRows(db, "SELECT epoch, record FROM sessions ORDER BY epoch")
        while try rows.next() {
            let epoch = try rows.number(0)
            var fields = try rows.fields(1, key: RowKey(epoch))
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

    private mutating func loadBodies(_ db: Database, _ clock: WallClock) throws -> [Int64: Message] {
        var bodies: [Int64: Message] = [:]
        let rows = try StoreRows(db, "SELECT id, record FROM bodies")
        while try rows.next() {
            let id = try rows.integer(0)
            var fields = try rows.fields(1, key: RowKey(UInt64(clamping: id)))
            bodies[id] = try MessageRecord.read(from: &fields, clock)
            lastBody = max(lastBody, id)
        }
        return bodies
    }

    private mutating func loadDeliveries(_ db: Database, _ clock: WallClock, _ places: [UInt64: Int]) throws {
        let bodies = try loadBodies(db, clock)
        let rows = try StoreRows(db, "SELECT session, place, state, body, record FROM deliveries ORDER BY session, place")
        // Rows of one session come together.
        var current: UInt64?
        var deliveries: [RestoredDelivery] = []
        while try rows.next() {
            let session = try rows.number(0)
            if session != current {
                keep(deliveries, of: current, places)
                deliveries.removeAll(keepingCapacity: true)
                current = session
            }
            deliveries.append(try Self.delivery(rows, RowKey(session, try rows.number(1)), bodies, clock))
        }
        keep(deliveries, of: current, places)
    }

    /// In an array of their size: the one that they were gathered in is that of the next session.
    private mutating func keep(_ deliveries: [RestoredDelivery], of session: UInt64?, _ places: [UInt64: Int]) {
        if let place = session.flatMap({ places[$0] }) { state.sessions[place].deliveries = Array(deliveries[...]) }
    }

    private static func delivery(
        _ rows: StoreRows, _ key: RowKey, _ bodies: [Int64: Message], _ clock: WallClock
    ) throws -> RestoredDelivery {
        let progress = DeliveryState(try CheckedNumber.unseal(try rows.integer(2), key: key))
        let fields: DeliveryFields
        let message: Message
        if rows.isNull(3) {
            var bytes = try rows.fields(4, key: key)
            fields = try DeliveryFields(from: &bytes)
            message = try MessageRecord.read(from: &bytes, clock)
        } else {
            let body = try rows.integer(3)
            guard let known = bodies[body] else { throw RecordBytes.Damaged() }
            message = known
            var keyWithBody = key
            keyWithBody.third = UInt64(bitPattern: body)
            fields = try unsafe rows.withBytes(4) { bytes in
                let count = try unsafe RecordBytes.checked(bytes, key: keyWithBody)
                let fields = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<count])
                if let plain = unsafe DeliveryFields(plain: fields) { return plain }
                var copy = unsafe ByteBuffer(bytes: fields)
                return try DeliveryFields(from: &copy)
            }
        }
        return RestoredDelivery(
            place: key.second ?? 0, message: message, qos: fields.qos, retain: fields.retain, identifiers: fields.identifiers,
            share: fields.share, sequence: progress.sequence, isReleased: progress.isReleased)
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

    private static func loadRetained(_ db: Database, _ clock: WallClock) throws -> [RetainedChange] {
        var retained: [RetainedChange] = []
        let rows = try StoreRows(db, "SELECT topic, record FROM retained")
        while try rows.next() {
            let topic = try rows.bytes(0)
            var fields = try RecordBytes.unseal(try rows.bytes(1), key: topic)
            let clientID = try fields.optional { (fields) throws(RecordBytes.Damaged) in try fields.text() }
            let principal = try fields.optional { (fields) throws(RecordBytes.Damaged) in try fields.text() }
            let message = try MessageRecord.read(from: &fields, clock)
            retained.append(
                RetainedChange(topic: topic, message: message, publisher: Publisher(clientID: clientID, principal: principal)))
        }
        return retained
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
