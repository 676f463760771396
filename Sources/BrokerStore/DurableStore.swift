package import BrokerCore
import Foundation
import GRDB
package import Logging
package import Records
import Synchronization

/// The durable store: one SQLite file in the data directory, with one writer.
///
/// What a start finds is in ``takeState()``; retained messages are where they belong already. Shards hand over what they change from then on.
package final class DurableStore: SessionStore, RecordStore {
    /// The file's name in the data directory; beside it lies its write-ahead log.
    package static let fileName = "crema.db"

    package let durability: Durability
    private let inbox = StoreInbox()
    private let commits = RecordCommits()
    private let backlog: RecordBacklog
    private let recordNumber = Atomic<UInt64>(0)
    private let found: Mutex<(state: RestoredState, records: [KeptRecord], lastBody: Int64, time: StoreTime, queue: DatabaseQueue?)>
    private let writer: Mutex<StoreWriter?>
    /// Until the writer has ended.
    private let lock: Mutex<DirectoryLock?>
    private let retained: RetainedStore
    private let path: String
    private let limits: StoreLimits
    private let log: Logger
    /// Names of damaged files that were set aside.
    package let setAside: [String]

    /// Opens the store of a directory, which is made if there is none.
    ///
    /// A file that does not pass its checks is set aside, with its log, under a name that tells the time, and a new one is begun.
    /// `retained` gets the retained messages that were kept; of `limits` are those of what may wait.
    ///
    /// - Throws: ``StoreError`` when there can be no store: the directory cannot be written, or another broker has it.
    package init(
        directory: String, durability: Durability, retained: RetainedStore, limits: StoreLimits = StoreLimits(),
        waiting: BrokerLimits = BrokerLimits(), log: Logger, timeOfDay: @escaping @Sendable () -> Int64 = StoreTime.systemTimeOfDay
    ) throws(StoreError) {
        backlog = RecordBacklog(waiting)
        let path = directory + "/" + Self.fileName
        self.path = path
        self.limits = limits
        self.log = log
        self.durability = durability
        self.retained = retained
        var aside: [String] = []
        let opened: (queue: DatabaseQueue, contents: StoreContents, time: StoreTime)
        try StoreFiles.make(directory)
        lock = Mutex(try DirectoryLock(directory))
        try StoreFiles.prepare(directory, path)
        do {
            opened = try Self.open(path, limits, timeOfDay)
        } catch let error {
            guard StoreFiles.isDamage(error) else {
                StoreFiles.forgetLog(of: path)
                throw StoreError(directory, error)
            }
            let name = try StoreFiles.setAside(path)
            aside.append(name)
            log.critical(
                "the store is damaged",
                metadata: [
                    "effect": "it was set aside, and the broker begins without what it held", "file": "\(path)", "setAside": "\(name)",
                    "reason": "\(error)",
                ])
            try StoreFiles.prepare(directory, path)
            do { opened = try Self.open(path, limits, timeOfDay) } catch { throw StoreError(directory, error) }
        }
        StoreFiles.forgetLog(of: path)
        setAside = aside
        Self.tell(opened.time, log)
        retained.restore(opened.contents.retained)
        found = Mutex((opened.contents.state, opened.contents.records, opened.contents.lastBody, opened.time, opened.queue))
        writer = Mutex(nil)
    }

    private static func open(
        _ path: String, _ limits: StoreLimits, _ timeOfDay: @escaping @Sendable () -> Int64
    ) throws -> (DatabaseQueue, StoreContents, StoreTime) {
        let queue = try StoreSchema.open(path, limits)
        try StoreSchema.migrator.migrate(queue)
        if try queue.read(StoreSchema.migrator.hasBeenSuperseded) { throw StoreError.Newer() }
        let time = try queue.read { db in try StoreTime(db, timeOfDay) }
        let contents = try queue.read { db in try StoreContents(db, time.clock) }
        try queue.writeWithoutTransaction { db in
            try StoreContents.removeLeftovers(db)
            try FreePages.enable(db, limits)
        }
        return (queue, contents, time)
    }

    /// What becomes of expiries is not to be a riddle when somebody has set the clock.
    private static func tell(_ time: StoreTime, _ log: Logger) {
        guard let passed = time.passed else { return }
        if passed < -1_000 {
            log.warning(
                "the time of day was set back",
                metadata: ["effect": "no time counts as passed since the store was written last", "seconds": "\(passed / -1_000)"])
        } else if passed > StoreTime.toldMilliseconds {
            log.warning(
                "the store was written long ago",
                metadata: ["effect": "what expires has aged by as much, by the time of day", "days": "\(passed / 86_400_000)"])
        }
    }

    /// What was found of sessions; once.
    package func takeState() -> RestoredState {
        found.withLock { found in
            defer { found.state = RestoredState() }
            return found.state
        }
    }

    /// The records that were found, of some kinds, in the order of their kinds and keys; once.
    package func takeRecords(of kinds: [RecordKind] = RecordKind.allCases) -> [KeptRecord] {
        found.withLock { found in
            let taken = found.records.filter { kinds.contains($0.key.kind) }
            found.records.removeAll { kinds.contains($0.key.kind) }
            return taken
        }
    }

    /// Begins to write.
    ///
    /// - Parameters:
    ///   - fault: For tests: called before each change that is written and before each commit; throws what a disk would.
    ///   - renewed: For tests: called when the log was written and synced once more, after trouble.
    ///   - tell: Is told how far, for one shard or for all, on the writer's thread.
    package func start(
        fault: (@Sendable () throws -> Void)? = nil, renewed: (@Sendable () -> Void)? = nil,
        tell: @escaping @Sendable (ShardID?, StoreProgress) -> Void
    ) {
        let new = StoreWriter(
            path: path, inbox: inbox, commits: commits, backlog: backlog, durability: durability, retained: retained, limits: limits,
            setAside: setAside.count, log: log, fault: fault, renewed: renewed, tell: tell)
        let begun: (lastBody: Int64, time: StoreTime, queue: DatabaseQueue)? = found.withLock { found in
            defer { found.queue = nil }
            return found.queue.map { (found.lastBody, found.time, $0) }
        }
        guard let begun else { return }
        writer.withLock { $0 = new }
        new.start(lastBody: begun.lastBody, begun.time, begun.queue)
    }

    package func append(_ batch: ChangeBatch) { inbox.append(batch) }

    package func append(_ changes: [RecordChange]) {
        if changes.isEmpty { return }
        backlog.add(changes)
        inbox.append(changes)
        recordNumber.wrappingAdd(1, ordering: .relaxed)
    }

    package var number: UInt64 { recordNumber.load(ordering: .relaxed) }

    package var isFailing: Bool { commits.isFailing }

    package var isBehind: Bool { backlog.isBeyondLimit }

    package var isFull: Bool { isFailing && isBehind }

    package func settle() async throws(NotKept) {
        // Where nobody waits for the disk, nobody is to be that far ahead of it either.
        guard durability == .strict || isBehind else {
            if isFailing || commits.isOver { throw NotKept() }
            return
        }
        guard await commits.reached(inbox.number) else { throw NotKept() }
    }

    /// Writes what was handed over, and ends; blocks until then.
    package func close() {
        inbox.close()
        writer.withLock { $0 }?.waitForEnd()
        lock.withLock { $0 = nil }
    }

    package var statistics: StoreStatistics { writer.withLock { $0 }?.figures ?? StoreStatistics(durability: durability.description) }
}
