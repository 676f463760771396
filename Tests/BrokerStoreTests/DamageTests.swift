import BrokerCore
import BrokerStore
import Foundation
import MQTTCodec
import NIOCore
import Testing

/// A store that is not as it was written is set aside, and nothing of it is served.
@Suite struct DamageTests {
    private let fixture = StoreFixture()

    private func write() throws {
        let message = Message(topic: "a", payload: Array("a payload that is looked for".utf8), qos: .atLeastOnce)
        _ = try fixture.afterWriting(
            ChangeBatch(
                bodies: [message],
                changes: [
                    .putSession(SessionRecord(1, "client-to-find")), .enqueue(DeliveryRecord(1, 1)),
                    .subscribe(session: 1, filter: "filter-to-find", SubscriptionOptions(qos: .atLeastOnce)),
                ]))
    }

    /// Changes one bit of the first byte of a text in the file.
    private func flip(_ text: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        let place = try #require(bytes.firstRange(of: Data(text.utf8))).lowerBound
        bytes[place] ^= 0x01
        try bytes.write(to: URL(fileURLWithPath: fixture.file))
    }

    @Test func aDatabaseOfAnotherProgramIsRefusedAndLeftAsItIs() throws {
        try write()
        // `application_id`, in the file's header.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        #expect(Array(bytes[68..<72]) == Array("CREM".utf8))
        bytes.replaceSubrange(68..<72, with: [0, 0, 0, 1])
        try bytes.write(to: URL(fileURLWithPath: fixture.file))
        #expect(throws: StoreError.self) { _ = try fixture.open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.file)) == bytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == [DurableStore.fileName])
    }

    @Test("One bit that has changed is found", arguments: ["a payload that is looked for", "client-to-find", "filter-to-find"])
    func aFlippedBitIsFound(text: String) throws {
        try write()
        try flip(text)
        let store = try fixture.open()
        #expect(store.setAside.count == 1)
        #expect(store.takeSessions().isEmpty)
        #expect(FileManager.default.fileExists(atPath: try #require(store.setAside.first)))
        store.start { _, _ in }
        #expect(store.statistics.setAside == 1)
        store.close()
    }

    @Test("A file that is no store is set aside", arguments: [Data("not a database, by far".utf8), Data(repeating: 0xA5, count: 70_000)])
    func somethingElseIsSetAside(bytes: Data) throws {
        try write()
        try bytes.write(to: URL(fileURLWithPath: fixture.file))
        let store = try fixture.open()
        #expect(store.setAside.count == 1)
        store.start { _, _ in }
        store.close()
        #expect(try fixture.afterWriting(ChangeBatch(changes: [.putSession(SessionRecord(5))])).count == 1)
    }

    @Test func aCutFileIsNeverHalfServed() throws {
        let changes: [StoreChange] = (1...2_000).map { .putSession(SessionRecord($0, "client-\($0)")) }
        _ = try fixture.afterWriting(ChangeBatch(changes: changes))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        try bytes.prefix(bytes.count / 2 / 4_096 * 4_096).write(to: URL(fileURLWithPath: fixture.file))
        let store = try fixture.open()
        #expect(store.setAside.count == 1 && store.takeSessions().isEmpty)
        store.start { _, _ in }
        store.close()
    }

    @Test func nobodyElseMayReadTheFiles() throws {
        let store = try fixture.open()
        store.start { _, _ in }
        store.append(ChangeBatch(changes: [.putSession(SessionRecord(1))]))
        for suffix in ["", "-wal"] {
            let rights = try FileManager.default.attributesOfItem(atPath: fixture.file + suffix)[.posixPermissions] as? Int
            #expect(rights == 0o600)
        }
        store.close()
    }

    @Test func twoBrokersCannotHaveOneDirectory() throws {
        let store = try fixture.open()
        #expect(throws: StoreError.self) { _ = try fixture.open() }
        store.start { _, _ in }
        store.close()
        #expect(try fixture.read().isEmpty)
    }

    @Test func aDirectoryThatCannotBeIsNamed() throws {
        _ = FileManager.default.createFile(atPath: fixture.directory, contents: Data())
        let error = #expect(throws: StoreError.self) { _ = try fixture.open() }
        #expect(error?.description.hasPrefix("data: \(fixture.directory) cannot be made") == true)
    }
}
