import BrokerCore
import BrokerStore
import Foundation
import MQTTCodec
import Records
import Synchronization
import Testing

/// Records of events and queues in the same file, by the same writer as sessions.
@Suite struct RecordTests {
    private struct DiskFault: Error {}

    private static func put(_ kind: RecordKind, _ name: String, _ text: String) -> RecordChange {
        .put(KeptRecord(RecordKey(kind, name), Array(text.utf8)))
    }

    private static func texts(_ records: [KeptRecord]) -> [String] {
        records.map { "\($0.key.kind) \(String(decoding: $0.key.bytes, as: UTF8.self)) \(String(decoding: $0.fields, as: UTF8.self))" }
    }

    private func records(_ fixture: StoreFixture) throws -> [String] {
        let store = try fixture.open()
        let records = store.takeRecords()
        store.start { _, _ in }
        store.close()
        return Self.texts(records)
    }

    @Test func whatWasHandedOverIsThereInTheOrderOfItsKeys() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        store.start { _, _ in }
        store.append([Self.put(.eventRule, "b", "1"), Self.put(.bus, "z", "2"), Self.put(.eventRule, "a", "3")])
        try await store.settle()
        store.append([Self.put(.eventRule, "b", "4"), .remove(RecordKey(.bus, "z")), Self.put(.topicRule, "t", "5")])
        store.append([Self.put(.topicRule, "u", "6"), .remove(RecordKey(.topicRule, "t"))])
        try await store.settle()
        store.close()
        #expect(try records(fixture) == ["eventRule a 3", "eventRule b 4", "topicRule u 6"])
    }

    @Test func whatBeginsWithAKeyIsRemovedTogether() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        store.start { _, _ in }
        func message(_ queue: UInt64, _ number: UInt64) -> RecordChange {
            .put(KeptRecord(RecordKey(.queueMessage, queue, number), [1]))
        }
        store.append([message(1, 1), message(1, .max), message(2, 1), message(3, 7), message(2, .max)])
        store.append([.removeAll(RecordKey(.queueMessage, 2)), message(2, 9)])
        try await store.settle()
        store.close()
        let found = try fixture.open().takeRecords().map { [$0.key.number(at: 0), $0.key.number(at: 1)] }
        #expect(found == [[1, 1], [1, .max], [2, 9], [3, 7]])
    }

    @Test func aFlippedBitSetsTheFileAside() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        store.start { _, _ in }
        store.append([Self.put(.eventRule, "rule-to-find", "fields-to-find")])
        try await store.settle()
        store.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        bytes[try #require(bytes.firstRange(of: Data("fields-to-find".utf8))).lowerBound] ^= 1
        try bytes.write(to: URL(fileURLWithPath: fixture.file))
        let next = try fixture.open()
        #expect(next.setAside.count == 1 && next.takeRecords().isEmpty)
    }

    @Test("Whichever write fails, whoever waits is told, and in the end all is there", arguments: 1...6)
    func everyWriteMayFailOnce(number: Int) async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        let left = Mutex(number)
        let fault: @Sendable () throws -> Void = {
            let isNow = left.withLock { left in
                left -= 1
                return left == 0
            }
            if isNow { throw DiskFault() }
        }
        let told = Told()
        store.start(fault: fault, tell: { _, progress in told.append(progress) })
        var refused = 0
        for (place, changes) in [
            [Self.put(.bus, "a", "1"), Self.put(.bus, "b", "2")], [.remove(RecordKey(.bus, "a")), Self.put(.bus, "c", "3")],
        ].enumerated() {
            store.append(changes)
            do throws(NotKept) { try await store.settle() } catch {
                refused += 1
                #expect(store.isFailing || told.all.contains(.recovered))
                told.wait(for: .recovered)
            }
            #expect(place == 1 || refused == (number <= 3 ? 1 : 0))
        }
        #expect(refused == 1 && !store.isFailing)
        store.close()
        #expect(try records(fixture) == ["bus b 2", "bus c 3"])
    }

    @Test("What waits is counted until it is on disk, by records and by bytes", arguments: [(3, 1_000_000), (100_000, 40)])
    func whatWaitsIsCounted(changes: Int, bytes: Int) async throws {
        let fixture = StoreFixture()
        var limits = BrokerLimits()
        (limits.storeChangesWaitingMax, limits.storeBytesWaitingMax) = (changes, bytes)
        let store = try fixture.open(waiting: limits)
        let isBroken = Atomic<Bool>(true)
        let told = Told()
        store.start(
            fault: { if isBroken.load(ordering: .relaxed) { throw DiskFault() } }, tell: { _, progress in told.append(progress) })
        // Key and field are ten bytes.
        for number in 1...3 { store.append([Self.put(.bus, "k\(number)", "12345678")]) }
        told.wait(for: .failing)
        #expect(!store.isBehind && !store.isFull)
        store.append([Self.put(.bus, "k4", "12345678"), .remove(RecordKey(.bus, "k5"))])
        #expect(store.isBehind && store.isFull)
        isBroken.store(false, ordering: .relaxed)
        told.wait(for: .relieved)
        #expect(!store.isBehind && !store.isFull)
        store.close()
        #expect(try records(fixture).count == 4)
    }

    @Test func relaxedWaitsForNoDisk() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open(.relaxed(milliseconds: 60_000))
        // Nothing writes yet.
        store.append([Self.put(.bus, "a", "1")])
        try await store.settle()
        store.start { _, _ in }
        store.close()
        #expect(try records(fixture) == ["bus a 1"])
        // Nothing would ever write it.
        store.append([Self.put(.bus, "b", "1")])
        await #expect(throws: NotKept.self) { try await store.settle() }
    }

    @Test func oneFileHoldsSessionsAndRecords() async throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        store.start { _, _ in }
        store.append(ChangeBatch(changes: [.putSession(SessionRecord(1, "one"))]))
        store.append([Self.put(.bus, "a", "1")])
        try await store.settle()
        store.close()
        let next = try fixture.open()
        #expect(next.takeSessions().map(\.record.clientID) == ["one"] && Self.texts(next.takeRecords()) == ["bus a 1"])
    }
}
