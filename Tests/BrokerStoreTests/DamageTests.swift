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

    @Test func aDatabaseOfAnotherProgramIsRefusedAndLeftAsItIs() throws {
        try write()
        // `application_id`, in the file's header.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        #expect(Array(bytes[68..<72]) == Array("CREM".utf8))
        bytes.replaceSubrange(68..<72, with: [0, 0, 0, 1])
        try bytes.write(to: URL(fileURLWithPath: fixture.file))
        #expect(throws: StoreError.self) { _ = try fixture.open() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: fixture.file)) == bytes)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted() == [DurableStore.fileName, "crema.lock"])
    }

    @Test("Threat 60: one bit that has changed is found", arguments: ["a payload that is looked for", "client-to-find", "filter-to-find"])
    func aFlippedBitIsFound(text: String) throws {
        try write()
        try fixture.flip(text)
        let store = try fixture.open()
        #expect(store.setAside.count == 1)
        #expect(store.takeSessions().isEmpty)
        #expect(FileManager.default.fileExists(atPath: try #require(store.setAside.first)))
        store.start { _, _ in }
        #expect(store.statistics.setAside == 1)
        store.close()
    }

    @Test func theLogIsSetAsideAsItWasFound() throws {
        let long = Message(topic: "a", payload: Array(repeating: 7, count: 40_000) + Array("the-end-of-it".utf8), qos: .atLeastOnce)
        _ = try fixture.afterWriting(ChangeBatch(bodies: [long], changes: [.putSession(SessionRecord(1)), .enqueue(DeliveryRecord(1, 1))]))
        // As a crash leaves them: what came last is in the log alone.
        let store = try fixture.open()
        store.start { _, _ in }
        store.append(ChangeBatch(changes: [.putSession(SessionRecord(2, "only-in-the-log"))]))
        while store.statistics.commits == 0 { Thread.sleep(forTimeInterval: 0.005) }
        let crashed = StoreFixture()
        var files: [String: [UInt8]] = [:]
        for suffix in ["", "-wal"] {
            files[DurableStore.fileName + suffix] = Array(try Data(contentsOf: URL(fileURLWithPath: fixture.file + suffix)))
        }
        store.close()
        let log = try #require(files[DurableStore.fileName + "-wal"])
        #expect(Data(log).firstRange(of: Data("only-in-the-log".utf8)) != nil)
        try crashed.put(files)
        try crashed.flip("the-end-of-it")
        let name = try #require(try crashed.open().setAside.first)
        let kept = Array(try Data(contentsOf: URL(fileURLWithPath: name + "-wal")))
        let isAsFound = kept == log
        #expect(isAsFound, "\(kept.count) bytes of \(log.count)")
        #expect(Data(try Data(contentsOf: URL(fileURLWithPath: name))).firstRange(of: Data("the-end-of-it".utf8)) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: crashed.directory).filter { $0.hasSuffix(".found") } == [])
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

    @Test("Threat 60: a cut file is never half served") func aCutFileIsNeverHalfServed() throws {
        let changes: [StoreChange] = (1...2_000).map { .putSession(SessionRecord($0, "client-\($0)")) }
        _ = try fixture.afterWriting(ChangeBatch(changes: changes))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.file))
        try bytes.prefix(bytes.count / 2 / 4_096 * 4_096).write(to: URL(fileURLWithPath: fixture.file))
        let store = try fixture.open()
        #expect(store.setAside.count == 1 && store.takeSessions().isEmpty)
        store.start { _, _ in }
        store.close()
    }

    @Test("Threat 59: nobody else may read the files") func nobodyElseMayReadTheFiles() throws {
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
