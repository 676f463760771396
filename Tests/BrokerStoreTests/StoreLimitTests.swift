import BrokerCore
import CremaTesting
import Foundation
import GRDB
import Records
import Synchronization
import Testing

@testable import BrokerStore

/// Each of the store's limits at its value; ``RoomTests`` have those of the room that the file and its log take.
@Suite struct StoreLimitTests {
    private let fixture = StoreFixture()

    @Test("The page of limits says what the store keeps to, and of each which values it takes")
    func page() throws {
        let page = LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8))
        #expect(page.differences(of: .store, from: StoreLimits(), StoreLimits.names) == [])
        #expect(Set(StoreLimits.ranges.keys) == Set(StoreLimits.names.map(\.name)))
        for (name, path) in StoreLimits.names {
            let range = try #require(StoreLimits.ranges[name])
            #expect(range.contains(StoreLimits()[keyPath: path]))
            let text = try #require(page.rows(of: .store).first { $0.name == name }?.text)
            #expect(
                text.filter { $0 != "," }.contains(
                    "(\(range.lowerBound) to \(range.upperBound == 1 << 40 ? "1 TiB" : "\(range.upperBound)"))"))
        }
    }

    @Test("SQLite is told of them", arguments: [1, 1 << 40])
    func settings(scale: Int) throws {
        try fixture.put([:])
        var limits = StoreLimits()
        limits.storeLogBytesMax = max(4_096, scale)
        limits.storeLogBytesKeptMax = scale
        limits.storeCacheBytesMax = max(1_024, scale)
        let found = try StoreSchema.open(fixture.file, limits).writeWithoutTransaction { db in
            try ["wal_autocheckpoint", "journal_size_limit", "cache_size"].map { try Int.fetchOne(db, sql: "PRAGMA \($0)") }
        }
        #expect(found == [limits.storeLogBytesMax / 4_096, scale, -limits.storeCacheBytesMax / 1_024])
    }

    private static func changes(_ numbers: ClosedRange<UInt64>, bytes: Int = 1) -> [RecordChange] {
        numbers.map { .put(KeptRecord(RecordKey(.queueMessage, 1, $0), Array(repeating: 7, count: bytes))) }
    }

    // MARK: Giving back

    @Test("A transaction gives back as much as it may", arguments: [64, 10])
    func step(pages: Int) async throws {
        var limits = StoreLimits()
        limits.storeFreeBytesKeptMax = 4_096
        limits.storeFreeBytesPerStepMax = pages * 4_096
        limits.storeFreeMillisecondsMin = 60_000
        let store = try fixture.open(limits: limits)
        store.start { _, _ in }
        store.append(Self.changes(1...300, bytes: 6_000))
        try await store.settle()
        store.append([.removeAll(RecordKey(.queueMessage, 1))])
        store.close()
        let empty = try await StoreSchema.open(fixture.file, limits).writeWithoutTransaction { [limits] db in
            var free = FreePages(limits)
            // The second time is too early for it.
            return try (0..<3).map { _ in
                defer { _ = try? free.giveBack(db) }
                return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            }
        }
        #expect(empty[0] > 300 && empty[1] == empty[0] - pages && empty[2] == empty[1])
    }

    // MARK: Gathering

    /// Holds the writer where a transaction begins, until it is let on.
    private final class Gate: Sendable {
        private let arrivals = Mutex(0)
        private let isHeld = Atomic<Bool>(true)
        private let passing = DispatchSemaphore(value: 0)

        func pass() {
            guard isHeld.load(ordering: .acquiring) else { return }
            arrivals.withLock { $0 += 1 }
            passing.wait()
        }

        /// Waits until the writer is here for the time that is told, the first being 1.
        func wait(for arrival: Int) { while arrivals.withLock({ $0 }) < arrival { Thread.sleep(forTimeInterval: 0.001) } }
        func letOn() { passing.signal() }

        func open() {
            isHeld.store(false, ordering: .releasing)
            passing.signal()
        }
    }

    /// A store whose writer has just seen load, and is about to gather: ten changes wait for it.
    private func loaded(_ limits: StoreLimits, _ gate: Gate) throws -> DurableStore {
        let store = try fixture.open(limits: limits)
        store.start(fault: gate.pass) { _, _ in }
        store.append(Self.changes(1...1))
        gate.wait(for: 1)
        store.append(Self.changes(2...80))
        gate.letOn()  // its one change
        gate.wait(for: 2)
        gate.letOn()  // its commit
        gate.wait(for: 3)
        store.append(Self.changes(101...110))
        gate.open()
        return store
    }

    @Test("A transaction begins once as much has come as it gathers", .timeLimit(.minutes(1)))
    func gatheredChanges() async throws {
        var limits = StoreLimits()
        limits.storeGatherChangesMax = 100
        limits.storeGatherMillisecondsMax = 600_000
        let store = try loaded(limits, Gate())
        store.append(Self.changes(111...199))
        while store.statistics.commits < 2 { try await Task.sleep(for: .milliseconds(1)) }
        try await Task.sleep(for: .milliseconds(50))
        #expect(store.statistics.commits == 2, "one is missing")
        store.append(Self.changes(200...200))
        try await store.settle()
        #expect(store.statistics.commits == 3 && store.statistics.changes == 180)
        store.close()
    }

    @Test("A transaction begins when it has waited as long as it may", .timeLimit(.minutes(1)))
    func gatheredTime() async throws {
        var limits = StoreLimits()
        limits.storeGatherChangesMax = 1_000_000
        limits.storeGatherMillisecondsMax = 1
        let store = try loaded(limits, Gate())
        try await store.settle()
        #expect(store.statistics.changes == 90)
        store.close()
    }

    @Test("A stop waits for nothing that is gathered", .timeLimit(.minutes(1)))
    func gatheringAtAStop() throws {
        var limits = StoreLimits()
        limits.storeGatherMillisecondsMax = 600_000
        try loaded(limits, Gate()).close()
        #expect(try fixture.open().takeRecords().count == 90)
    }

    // MARK: Trying again

    @Test("After trouble the disk is tried again when it is time, and at a stop", .timeLimit(.minutes(1)), arguments: [1, 600_000])
    func retry(milliseconds: Int) async throws {
        struct Trouble: Error {}
        let hasFailed = Mutex(false)
        var limits = StoreLimits()
        limits.storeRetryMilliseconds = milliseconds
        let store = try fixture.open(limits: limits)
        store.start(
            fault: {
                let isFirst = hasFailed.withLock { hasFailed in
                    defer { hasFailed = true }
                    return !hasFailed
                }
                if isFirst { throw Trouble() }
            }, tell: { _, _ in })
        store.append(Self.changes(1...1))
        while store.statistics.errors == 0 { try await Task.sleep(for: .milliseconds(1)) }
        if milliseconds == 1 {
            while store.isFailing { try await Task.sleep(for: .milliseconds(1)) }
        } else {
            store.append(Self.changes(2...2))
            try await Task.sleep(for: .milliseconds(300))
            #expect(store.isFailing)
        }
        store.close()
        #expect(try fixture.open().takeRecords().count == (milliseconds == 1 ? 1 : 2))
    }
}
