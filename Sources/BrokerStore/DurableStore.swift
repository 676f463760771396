package import BrokerCore
import Foundation
import GRDB
package import Logging
package import Records
import Synchronization

/// The durable store: one SQLite file in the data directory, with one writer.
///
/// What a start finds is in ``sessions``; retained messages are where they belong already. Shards hand over what they change from then on.
package final class DurableStore: SessionStore, RecordStore {
    /// The file's name in the data directory; beside it lies its write-ahead log.
    package static let fileName = "crema.db"

    package let durability: Durability
    private let inbox = StoreInbox()
    private let commits = RecordCommits()
    private let backlog: RecordBacklog
    private let recordNumber = Atomic<UInt64>(0)
    private let found: Mutex<(sessions: [RestoredSession], records: [KeptRecord], lastBody: Int64, queue: DatabaseQueue?)>
    private let writer: Mutex<StoreWriter?>
    private let retained: RetainedStore
    private let path: String
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
        directory: String, durability: Durability, retained: RetainedStore, limits: BrokerLimits = BrokerLimits(), log: Logger
    ) throws(StoreError) {
        backlog = RecordBacklog(limits)
        let path = directory + "/" + Self.fileName
        self.path = path
        self.log = log
        self.durability = durability
        self.retained = retained
        var aside: [String] = []
        let opened: (queue: DatabaseQueue, contents: StoreContents)
        try StoreFiles.prepare(directory, path)
        do {
            opened = try Self.open(path)
        } catch let error {
            guard StoreFiles.isDamage(error) else { throw StoreError(directory, error) }
            let name = try StoreFiles.setAside(path)
            aside.append(name)
            log.critical(
                "the store is damaged: it was set aside, and the broker begins without what it held",
                metadata: ["file": "\(path)", "setAside": "\(name)", "reason": "\(error)"])
            try StoreFiles.prepare(directory, path)
            do { opened = try Self.open(path) } catch { throw StoreError(directory, error) }
        }
        setAside = aside
        for kept in opened.contents.retained {
            if let message = kept.message { retained.restore(message, by: kept.publisher) }
        }
        found = Mutex((opened.contents.sessions, opened.contents.records, opened.contents.lastBody, opened.queue))
        writer = Mutex(nil)
    }

    private static func open(_ path: String) throws -> (DatabaseQueue, StoreContents) {
        let queue = try StoreSchema.open(path)
        try StoreSchema.migrator.migrate(queue)
        if try queue.read(StoreSchema.migrator.hasBeenSuperseded) { throw StoreError.Newer() }
        let contents = try queue.read { db in try StoreContents(db, WallClock()) }
        try queue.writeWithoutTransaction { db in
            try StoreContents.removeLeftovers(db, keeping: contents.sessions.map(\.record.epoch))
        }
        return (queue, contents)
    }

    /// The sessions that were found; once.
    package func takeSessions() -> [RestoredSession] {
        found.withLock { found in
            defer { found.sessions = [] }
            return found.sessions
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
    ///   - tell: Is told how far, for one shard or for all, on the writer's thread.
    package func start(
        fault: (@Sendable () throws -> Void)? = nil, tell: @escaping @Sendable (ShardID?, StoreProgress) -> Void
    ) {
        let new = StoreWriter(
            path: path, inbox: inbox, commits: commits, backlog: backlog, durability: durability, retained: retained,
            setAside: setAside.count, log: log,
            fault: fault, tell: tell)
        let begun: (lastBody: Int64, queue: DatabaseQueue)? = found.withLock { found in
            defer { found.queue = nil }
            return found.queue.map { (found.lastBody, $0) }
        }
        guard let begun else { return }
        writer.withLock { $0 = new }
        new.start(lastBody: begun.lastBody, begun.queue)
    }

    package func append(_ batch: ChangeBatch) { inbox.append(batch, enough: StoreWriter.groupChanges) }

    package func append(_ changes: [RecordChange]) {
        if changes.isEmpty { return }
        backlog.add(changes)
        inbox.append(changes, enough: StoreWriter.groupChanges)
        recordNumber.wrappingAdd(1, ordering: .relaxed)
    }

    package var number: UInt64 { recordNumber.load(ordering: .relaxed) }

    package var isFailing: Bool { commits.isFailing }

    package var isBehind: Bool { backlog.isBeyondLimit }

    package var isFull: Bool { isFailing && isBehind }

    package func settle() async throws(NotKept) {
        // Where nobody waits for the disk, nobody is to be that far ahead of it either.
        guard durability == .strict || isBehind else {
            if isFailing { throw NotKept() }
            return
        }
        guard await commits.reached(inbox.number) else { throw NotKept() }
    }

    /// Writes what was handed over, and ends; blocks until then.
    package func close() {
        inbox.close()
        writer.withLock { $0 }?.waitForEnd()
    }

    package var statistics: StoreStatistics { writer.withLock { $0 }?.figures ?? StoreStatistics(durability: durability.description) }
}
