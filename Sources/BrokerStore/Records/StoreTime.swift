import BrokerCore
import Foundation
import GRDB
import NIOCore

/// The store's own time, which never goes back: what was kept gets no older by more than the time that has passed (record 0018).
///
/// While the process runs it follows the broker's clock, whatever becomes of the time of day. Between two processes as much time has passed as
/// the time of day says, and none if that was set back.
struct StoreTime: Sendable {
    /// So much time without a write is told at start.
    static let toldMilliseconds: Int64 = 30 * 86_400_000
    /// Between two times that are written.
    private static let intervalNanoseconds: Int64 = 1_000_000_000

    /// Between the broker's clock and the store's time.
    let clock: WallClock
    /// What the time of day says has passed since the store was written last; `nil` for a new one.
    let passed: Int64?
    private let timeOfDay: @Sendable () -> Int64
    private var writtenAt: Int64?

    /// Reads when the store was written last; `timeOfDay` answers milliseconds since 1970.
    ///
    /// - Throws: for a row that is not as it was written, and what SQLite finds.
    init(_ db: Database, _ timeOfDay: @escaping @Sendable () -> Int64) throws {
        let now = timeOfDay()
        var storeTime = now
        var passed: Int64?
        if let sealed = try Data.fetchOne(db, sql: "SELECT record FROM clock WHERE id = 1") {
            var fields = try RecordBytes.unseal(sealed, key: RecordBytes.key(1))
            let (last, lastTimeOfDay) = (try fields.number(Int64.self), try fields.number(Int64.self))
            let difference = now.subtractingReportingOverflow(lastTimeOfDay)
            passed = difference.overflow ? .max : difference.partialValue
            let sum = last.addingReportingOverflow(max(0, passed ?? 0))
            storeTime = sum.overflow ? last : sum.partialValue
        }
        self.passed = passed
        self.timeOfDay = timeOfDay
        clock = WallClock(Instant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)), isMilliseconds: storeTime)
    }

    /// Writes what the next start is to count from, unless that was just written.
    mutating func write(_ db: Database) throws {
        let now = Instant(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
        if let writtenAt, now.nanoseconds - writtenAt < Self.intervalNanoseconds { return }
        var fields = ByteBuffer()
        fields.writeInteger(clock.milliseconds(at: now))
        fields.writeInteger(timeOfDay())
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO clock VALUES (1, ?)")
            .execute(arguments: [RecordBytes.seal(fields, key: RecordBytes.key(1))])
        writtenAt = now.nanoseconds
    }

    static let systemTimeOfDay: @Sendable () -> Int64 = { Int64(Date().timeIntervalSince1970 * 1_000) }
}
