import BrokerCore
import BrokerStore
import Foundation
import GRDB
import MQTTCodec
import Records
import Testing

/// The file and its log take no more room for ever than what they once held.
@Suite(.timeLimit(.minutes(5))) struct RoomTests {
    private let fixture = StoreFixture()

    private func bytes(_ suffix: String = "") throws -> Int {
        try FileManager.default.attributesOfItem(atPath: fixture.file + suffix)[.size] as? Int ?? 0
    }

    private static var limits: StoreLimits {
        var limits = StoreLimits()
        limits.storeLogBytesMax = 100 * 4_096
        limits.storeLogBytesKeptMax = 500_000
        limits.storeFreeBytesKeptMax = 50 * 4_096
        limits.storeFreeBytesPerStepMax = 64 * 4_096
        limits.storeFreeMillisecondsMin = 1
        return limits
    }

    private static func messages(_ numbers: ClosedRange<UInt64>) -> [RecordChange] {
        numbers.map { .put(KeptRecord(RecordKey(.queueMessage, 1, $0), Array(repeating: UInt8(truncatingIfNeeded: $0), count: 6_000))) }
    }

    private static let all = RecordChange.removeAll(RecordKey(.queueMessage, 1))

    /// Waits for the file to be as short as this.
    private func waitUntilShort(_ most: Int) async throws { while try bytes() > most { try await Task.sleep(for: .milliseconds(2)) } }

    @Test func whatIsEmptyIsGivenBackWhileTheStoreIsInUse() async throws {
        let store = try fixture.open(limits: Self.limits)
        store.start { _, _ in }
        store.append(Self.messages(1...1_000))
        store.append([.put(KeptRecord(RecordKey(.bus, "kept"), [1, 2, 3]))])
        try await store.settle()
        #expect(try bytes() + bytes("-wal") > 6_000_000)
        store.append([Self.all])
        try await store.settle()
        let pages = Self.limits.storeFreeBytesKeptMax + Self.limits.storeFreeBytesPerStepMax + 50 * 4_096
        try await waitUntilShort(pages)
        // A store that gives back goes on to take.
        store.append(Self.messages(7...9))
        try await store.settle()
        store.close()
        #expect(try bytes() <= pages)
        let found = try fixture.open().takeRecords()
        #expect(found.map(\.key.kind) == [.queueMessage, .queueMessage, .queueMessage, .bus])
        #expect(found[0].fields == Array(repeating: 7, count: 6_000))
    }

    @Test func someEmptyPagesStayForWhatComes() async throws {
        var limits = Self.limits
        limits.storeFreeBytesKeptMax = 100_000 * 4_096
        let store = try fixture.open(limits: limits)
        store.start { _, _ in }
        store.append(Self.messages(1...300))
        try await store.settle()
        store.append([Self.all])
        try await store.settle()
        store.close()
        let before = try bytes()
        #expect(before > 300 * 6_000)
        let again = try fixture.open(limits: limits)
        again.start { _, _ in }
        again.append(Self.messages(1...300))
        try await again.settle()
        again.close()
        #expect(try bytes() == before)
    }

    @Test func theLogIsBoundedUnderLoad() async throws {
        let store = try fixture.open(limits: Self.limits)
        store.start { _, _ in }
        var most = 0
        for round in 1...300 as ClosedRange<UInt64> {
            store.append(Self.messages(round % 10 * 20 + 1...round % 10 * 20 + 20))
            try await store.settle()
            most = max(most, try bytes("-wal"))
        }
        // Twenty messages are forty pages, and those above them.
        #expect(most > 100 * 4_096 && most < (Self.limits.storeLogBytesMax / 4_096 + 100) * 4_120)
        store.close()
    }

    @Test func aLogThatOneTransactionHasMadeLongGetsShortAgain() async throws {
        let store = try fixture.open(limits: Self.limits)
        store.start { _, _ in }
        store.append(Self.messages(1...1_000))
        try await store.settle()
        #expect(try bytes("-wal") > 8_000_000)
        for _ in 0..<2 {
            store.append(Self.messages(1...1))
            try await store.settle()
        }
        #expect(try bytes("-wal") <= Self.limits.storeLogBytesKeptMax)
        store.close()
    }

    /// Nobody reads beside the writer: a reader could keep the log from beginning anew.
    @Test func nobodyReadsBesideTheWriter() throws {
        let store = try fixture.open()
        var configuration = Configuration()
        configuration.readonly = true
        #expect(throws: DatabaseError.self) {
            _ = try DatabaseQueue(path: fixture.file, configuration: configuration).read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM records")
            }
        }
        store.start { _, _ in }
        store.close()
    }

    @Test("A file from before is written anew at start, unless it holds much", arguments: [16_384, 10])
    func aFileFromBefore(rewrittenPagesMax: Int) async throws {
        var limits = Self.limits
        limits.storeFreeBytesKeptMax = 100_000 * 4_096
        var store = try fixture.open(limits: limits)
        store.start { _, _ in }
        store.append(Self.messages(1...500))
        try await store.settle()
        store.append([Self.all] + Self.messages(3...200))
        store.close()
        let file = try DatabaseQueue(path: fixture.file)
        try await file.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA auto_vacuum = NONE; VACUUM") }
        try file.close()
        limits.storeRewrittenBytesMax = rewrittenPagesMax * 4_096
        limits.storeFreeBytesKeptMax = 10 * 4_096
        store = try fixture.open(limits: limits)
        store.start { _, _ in }
        store.append([Self.all] + Self.messages(3...4))
        try await store.settle()
        if rewrittenPagesMax > 10 { try await waitUntilShort(60 * 4_096) }
        store.close()
        #expect(try (bytes() < 60 * 4_096) == (rewrittenPagesMax > 10))
        #expect(try fixture.open().takeRecords().count == 2)
    }
}
