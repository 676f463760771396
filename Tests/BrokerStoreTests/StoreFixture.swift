import BrokerCore
import BrokerStore
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Synchronization
import Testing

/// A directory for one store after another, and what each one is given.
final class StoreFixture {
    let directory: String
    let retained = RetainedStore(isKept: true)

    init() {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("crema-store-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var file: String { directory + "/" + DurableStore.fileName }

    func open(
        retained: RetainedStore? = nil, _ durability: Durability = .strict, limits: StoreLimits = StoreLimits(),
        waiting: BrokerLimits = BrokerLimits()
    ) throws -> DurableStore {
        // Some tests have hundreds of stores that are damaged.
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return try DurableStore(
            directory: directory, durability: durability, retained: retained ?? self.retained, limits: limits, waiting: waiting,
            log: log)
    }

    /// Makes the directory with these files.
    func put(_ files: [String: [UInt8]]) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name)) }
    }

    /// Changes one bit of the first byte of a text in the file.
    func flip(_ text: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let place = try #require(bytes.firstRange(of: Data(text.utf8))).lowerBound
        bytes[place] ^= 0x01
        try bytes.write(to: URL(fileURLWithPath: file))
    }

    /// Writes changes through a store that is opened for them, and answers what the next start finds.
    func afterWriting(_ batches: ChangeBatch...) throws -> [RestoredSession] {
        let store = try open()
        store.start { _, _ in }
        for batch in batches { store.append(batch) }
        store.close()
        return try read()
    }

    func read() throws -> [RestoredSession] { try readState().sessions }

    func readState() throws -> RestoredState {
        let store = try open(retained: RetainedStore(isKept: true))
        let state = store.takeState()
        store.start { _, _ in }
        store.close()
        return state
    }
}

extension DurableStore {
    /// The sessions that were found; once, with all else that was found of them.
    func takeSessions() -> [RestoredSession] { takeState().sessions }
}

/// What a store has told.
final class Told: Sendable {
    private let list = Mutex<[StoreProgress]>([])
    var all: [StoreProgress] { list.withLock { $0 } }
    func append(_ progress: StoreProgress) { list.withLock { $0.append(progress) } }

    /// Two minutes at the most: a thread that waits for good would keep the whole run from ending.
    func wait(for progress: StoreProgress) {
        let deadline = ContinuousClock.now + .seconds(120)
        while !all.contains(progress) {
            guard ContinuousClock.now < deadline else {
                Issue.record("the store did not tell \(progress)")
                return
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }
}

extension ChangeBatch {
    init(_ number: UInt64 = 1, shard: Int = 0, bodies: [Message] = [], changes: [StoreChange]) {
        self.init(shard: ShardID(shard), number: number)
        self.bodies = bodies
        self.changes = changes
    }
}

extension SessionRecord {
    init(_ epoch: UInt64, _ clientID: String = "c") {
        self.init(
            epoch: epoch, clientID: clientID, principal: nil, expirySeconds: 60, slowConsumer: .dropNewest, cell: ShardID(0),
            disconnectedAt: nil, will: nil)
    }
}

extension DeliveryRecord {
    init(_ session: UInt64, _ place: UInt64, body: Int = 0, qos: QoS = .atLeastOnce, sequence: UInt64? = nil) {
        self.init(
            session: session, place: place, body: body, qos: qos, retain: false, sequence: sequence, identifiers: nil, share: nil)
    }
}
