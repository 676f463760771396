import GRDB

/// The tables, as they came about: a migration that has landed is never changed.
enum StoreSchema {
    /// `CREM`: the file is Crema's.
    static let applicationID: Int32 = 0x4352_454D

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("sessions and retained messages") { db in
            try db.execute(
                sql: """
                    PRAGMA application_id = \(applicationID);
                    CREATE TABLE sessions (epoch INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
                    CREATE TABLE subscriptions (
                        session INTEGER NOT NULL, filter TEXT NOT NULL, record BLOB NOT NULL, PRIMARY KEY (session, filter)
                    ) STRICT, WITHOUT ROWID;
                    -- Messages that wait for more than one session, and long ones.
                    CREATE TABLE bodies (id INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;
                    -- `state` says whether it was sent; without `body` the message is in `record`.
                    CREATE TABLE deliveries (
                        session INTEGER NOT NULL, place INTEGER NOT NULL, state INTEGER NOT NULL, body INTEGER, record BLOB NOT NULL,
                        PRIMARY KEY (session, place)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX deliveriesByBody ON deliveries (body) WHERE body IS NOT NULL;
                    -- QoS 2 messages that came and were not released.
                    CREATE TABLE received (
                        session INTEGER NOT NULL, packet INTEGER NOT NULL, cell INTEGER NOT NULL, record BLOB NOT NULL,
                        PRIMARY KEY (session, packet, cell)
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE retained (topic BLOB PRIMARY KEY, record BLOB NOT NULL) STRICT;
                    """)
        }
        migrator.registerMigration("records of events and queues") { db in
            try db.execute(
                sql: """
                    -- What queues, buses, rules and deliveries are, each under its kind and key.
                    CREATE TABLE records (
                        kind INTEGER NOT NULL, key BLOB NOT NULL, record BLOB NOT NULL, PRIMARY KEY (kind, key)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("messages on their way between event loops") { db in
            try db.execute(
                sql: """
                    CREATE TABLE handOvers (
                        session INTEGER NOT NULL, place INTEGER NOT NULL, record BLOB NOT NULL, PRIMARY KEY (session, place)
                    ) STRICT, WITHOUT ROWID;
                    -- The shards that have done their part of one.
                    CREATE TABLE taken (
                        session INTEGER NOT NULL, place INTEGER NOT NULL, cell INTEGER NOT NULL, record BLOB NOT NULL,
                        PRIMARY KEY (session, place, cell)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("the store's time") { db in
            try db.execute(sql: "CREATE TABLE clock (id INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT")
        }
        return migrator
    }

    /// - Throws: for a database of another program, which is left as it is.
    private static func refuseForeign(_ db: Database) throws {
        // GRDB's table of migrations comes before the first of them.
        let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'grdb_%' AND name NOT LIKE 'sqlite_%'"
        guard try Int32.fetchOne(db, sql: "PRAGMA application_id") != applicationID, try Int.fetchOne(db, sql: tables) != 0 else { return }
        throw StoreError.Foreign()
    }

    /// One connection, as the writer wants it: what it has committed is on the disk.
    static func open(_ path: String, _ limits: StoreLimits) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "crema.store"
        configuration.busyMode = .immediateError
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            try refuseForeign(db)
            // Nobody else may have the file open; so no memory has to be shared with anybody either.
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            // Before there is anything in the file: to a file that has something it would write.
            if try Int.fetchOne(db, sql: "PRAGMA page_count") == 0 { try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode = WAL")
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = \(limits.logPages);
                    PRAGMA journal_size_limit = \(limits.storeLogBytesKeptMax);
                    PRAGMA cache_size = -\(limits.storeCacheBytesMax / 1_024);
                    """)
            guard mode == "wal", try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
                throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: "the file does not take a write-ahead log (\(mode ?? "none"))")
            }
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}
