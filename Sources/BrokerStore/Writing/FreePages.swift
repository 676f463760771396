import Dispatch
import GRDB

/// Gives pages without content back to the file system, some at a time (record 0021).
///
/// A transaction moves the last pages of the file to free places; the file becomes shorter when the log is brought into it.
struct FreePages {
    /// Between two tries while the disk is full.
    private static let secondsWithoutRoom = 60

    private let limits: StoreLimits
    private var next = DispatchTime.now()
    private var hasGivenBack = false

    init(_ limits: StoreLimits) { self.limits = limits }

    /// Does what is due; answers whether there is more to do after a pause.
    mutating func giveBack(_ db: Database) throws -> Bool {
        if DispatchTime.now() < next { return true }
        next = .now() + .milliseconds(limits.storeFreeMillisecondsMin)
        do {
            if try isTooMuch(db) {
                try db.execute(sql: "PRAGMA incremental_vacuum(\(limits.freePagesPerStep))")
                hasGivenBack = true
                return true
            }
            if hasGivenBack { _ = try db.checkpoint(.truncate) }
            hasGivenBack = false
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            // Nobody waits for it, and the log needs room first.
            next = .now() + .seconds(Self.secondsWithoutRoom)
        }
        return false
    }

    private func isTooMuch(_ db: Database) throws -> Bool {
        let free = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA freelist_count")) ?? 0
        if free <= limits.freePagesKept { return false }
        let pages = try Int.fetchOne(db.cachedStatement(sql: "PRAGMA page_count")) ?? 0
        return try free > pages / 4 && Self.canGiveBack(db)
    }

    /// A file from before that was possible has to be written anew for it.
    private static func canGiveBack(_ db: Database) throws -> Bool {
        try Int.fetchOne(db.cachedStatement(sql: "PRAGMA auto_vacuum")) == 2
    }

    /// Writes such a file anew, where that takes no time that anybody would notice.
    static func enable(_ db: Database, _ limits: StoreLimits) throws {
        if try canGiveBack(db) { return }
        let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        guard pages - free <= limits.rewrittenPagesMax else { return }
        do {
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
            _ = try db.checkpoint(.truncate)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            // There may be room at another start; the file is as it was.
        }
    }
}
