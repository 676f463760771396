import BrokerCore
import Dispatch
import Foundation
import GRDB
import Logging
import Synchronization

/// Writes what shards hand over, a group of batches in one transaction, on a thread of its own (record 0018).
///
/// A group is written at once while little comes. When more came during the last one than a few changes, it gathers for a moment, so that
/// thousands of answers share one sync.
final class StoreWriter: Sendable {
    /// Changes in one group from which on there is load.
    private static let loadChanges = 64

    private let path: String
    private let inbox: StoreInbox
    private let durability: Durability
    private let retained: RetainedStore
    private let limits: StoreLimits
    private let statistics: Mutex<StoreStatistics>
    private let commits: RecordCommits
    private let backlog: RecordBacklog
    private let log: Logger
    private let fault: (@Sendable () throws -> Void)?
    private let renewed: (@Sendable () -> Void)?
    private let tell: @Sendable (ShardID?, StoreProgress) -> Void
    private let ended = DispatchSemaphore(value: 0)
    /// Changes of the group that the disk did not take, and that is tried again.
    private let retried = Atomic(0)

    /// `tell` is called on the writer's thread; without a shard it is for all of them.
    init(
        path: String, inbox: StoreInbox, commits: RecordCommits, backlog: RecordBacklog, durability: Durability, retained: RetainedStore,
        limits: StoreLimits, setAside: Int, log: Logger,
        fault: (@Sendable () throws -> Void)?, renewed: (@Sendable () -> Void)?, tell: @escaping @Sendable (ShardID?, StoreProgress) -> Void
    ) {
        self.path = path
        self.inbox = inbox
        self.commits = commits
        self.backlog = backlog
        self.durability = durability
        self.retained = retained
        self.limits = limits
        self.log = log
        self.fault = fault
        self.renewed = renewed
        self.tell = tell
        var statistics = StoreStatistics(durability: durability.description)
        statistics.setAside = UInt64(setAside)
        self.statistics = Mutex(statistics)
    }

    var figures: StoreStatistics {
        var figures = statistics.withLock { $0 }
        figures.waitingChanges = inbox.waitingChanges + retried.load(ordering: .relaxed)
        return figures
    }

    func start(lastBody: Int64, _ time: StoreTime, _ opened: DatabaseQueue) {
        let thread = Thread { self.run(lastBody: lastBody, time, opened) }
        thread.name = "crema-store"
        thread.start()
    }

    /// Returns when everything is written, or cannot be; whoever asks again is answered at once.
    func waitForEnd() {
        ended.wait()
        ended.signal()
    }

    // MARK: The thread

    private func run(lastBody: Int64, _ begun: StoreTime, _ opened: DatabaseQueue) {
        var lastBody = lastBody
        var time = begun
        var connection: DatabaseQueue? = opened
        var pending = StoreGroup()
        // Whether a sync may have failed.
        var isLogDoubtful = false
        while true {
            do {
                if isLogDoubtful {
                    try StoreFiles.renewLog(of: path)
                    isLogDoubtful = false
                    renewed?()
                }
                let queue = try connection ?? reopen()
                connection = queue
                try queue.writeWithoutTransaction { db in try self.write(in: db, &pending, &lastBody, &time) }
                try? queue.close()
                break
            } catch {
                // What a failed sync has left in the file is not known, and not asked again: another connection begins from what is there.
                try? connection?.close()
                connection = nil
                // What found no room was not to be synced yet, and what is somebody else's now is not ours to renew.
                let code = (error as? DatabaseError)?.resultCode
                if code != .SQLITE_FULL, code != .SQLITE_BUSY { isLogDoubtful = true }
                retried.store(pending.changes, ordering: .relaxed)
                noteFailure(error)
                if inbox.isClosing { break }
                inbox.pause(milliseconds: limits.storeRetryMilliseconds)
            }
        }
        if !pending.isEmpty { log.error("the store could not write its last changes", metadata: ["file": "\(path)"]) }
        commits.end()
        ended.signal()
    }

    /// A new connection, after everything that the log holds has been brought into the file and synced there.
    private func reopen() throws -> DatabaseQueue {
        let queue = try StoreSchema.open(path, limits)
        try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        return queue
    }

    private func write(in db: Database, _ pending: inout StoreGroup, _ lastBody: inout Int64, _ time: inout StoreTime) throws {
        let statements = try StoreStatements(db)
        if statistics.withLock({ $0.isFailing }) {
            // Proves that a transaction gets through before anybody is told so.
            try commit(pending, statements, db, &lastBody, &time)
            pending = StoreGroup()
            retried.store(0, ordering: .relaxed)
        }
        var isLoaded = false
        var free = FreePages(limits)
        while let first = try next(in: db, &free) {
            pending = first
            gather(into: &pending, isLoaded: isLoaded)
            try commit(pending, statements, db, &lastBody, &time)
            isLoaded = pending.batches.count + pending.records.count > 1 && pending.changes >= Self.loadChanges
            pending = StoreGroup()
        }
        try time.write(db)
    }

    /// What was handed over; while there is nothing, room is given back.
    private func next(in db: Database, _ free: inout FreePages) throws -> StoreGroup? {
        while inbox.waitingChanges == 0, !inbox.isClosing, try free.giveBack(db) {
            inbox.gather(milliseconds: limits.storeFreeMillisecondsMin, enough: 1)
        }
        return inbox.take()
    }

    private func gather(into pending: inout StoreGroup, isLoaded: Bool) {
        let count = pending.changes
        switch durability {
        case .relaxed(let milliseconds): inbox.gather(milliseconds: milliseconds, enough: .max)
        case .strict, .memory:
            guard isLoaded, count < limits.storeGatherChangesMax else { return }
            inbox.gather(milliseconds: limits.storeGatherMillisecondsMax, enough: limits.storeGatherChangesMax - count)
        }
        pending.append(inbox.takeNow())
    }

    private func commit(
        _ group: StoreGroup, _ statements: StoreStatements, _ db: Database, _ lastBody: inout Int64, _ time: inout StoreTime
    ) throws {
        let began = DispatchTime.now().uptimeNanoseconds
        let changed = retained.takeChanges()
        do {
            var writing = GroupWriting(statements, time.clock, fault: fault)
            try db.inTransaction(.immediate) {
                try writing.write(group, retained: changed, lastBody: &lastBody)
                try time.write(db)
                try fault?()
                return .commit
            }
        } catch {
            retained.putBack(changed)
            throw error
        }
        let nanoseconds = DispatchTime.now().uptimeNanoseconds - began
        let changes = group.changes + changed.count
        statistics.withLock { statistics in
            statistics.commits += 1
            statistics.changes += UInt64(changes)
            statistics.commitSeconds += Double(nanoseconds) / 1_000_000_000
            statistics.commitLatency.record(nanoseconds: Int64(clamping: nanoseconds))
        }
        // Before anybody hears that something was written: who goes on at once is not to be refused.
        if statistics.withLock({ $0.isFailing }) { noteRecovery() }
        var last: [ShardID: UInt64] = [:]
        for batch in group.batches { last[batch.shard] = batch.number }
        commits.commit(upTo: group.number)
        for (shard, number) in last { tell(shard, .committed(upTo: number)) }
        if backlog.remove(group.records) { tell(nil, .relieved) }
    }

    // MARK: Trouble

    private func noteFailure(_ error: any Error) {
        let isNews = statistics.withLock { statistics in
            defer { statistics.isFailing = true }
            statistics.errors += 1
            return !statistics.isFailing
        }
        commits.fail()
        guard isNews else { return }
        log.error(
            "the store cannot write",
            metadata: [
                "file": "\(path)", "reason": "\(error)", "effect": "what would have to be on disk is refused until it writes again",
            ])
        tell(nil, .failing)
    }

    private func noteRecovery() {
        statistics.withLock { $0.isFailing = false }
        commits.recover()
        log.notice("the store writes again", metadata: ["file": "\(path)"])
        tell(nil, .recovered)
    }
}
