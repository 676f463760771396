import BrokerCore
import BrokerStore
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Synchronization

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
        retained: RetainedStore? = nil, _ durability: Durability = .strict, limits: BrokerLimits = BrokerLimits()
    ) throws -> DurableStore {
        try DurableStore(
            directory: directory, durability: durability, retained: retained ?? self.retained, limits: limits, log: Logger(label: "test"))
    }

    /// Writes changes through a store that is opened for them, and answers what the next start finds.
    func afterWriting(_ batches: ChangeBatch...) throws -> [RestoredSession] {
        let store = try open()
        store.start { _, _ in }
        for batch in batches { store.append(batch) }
        store.close()
        return try read()
    }

    func read() throws -> [RestoredSession] {
        let store = try open(retained: RetainedStore(isKept: true))
        let sessions = store.takeSessions()
        store.start { _, _ in }
        store.close()
        return sessions
    }
}

/// What a store has told.
final class Told: Sendable {
    private let list = Mutex<[StoreProgress]>([])
    var all: [StoreProgress] { list.withLock { $0 } }
    func append(_ progress: StoreProgress) { list.withLock { $0.append(progress) } }

    func wait(for progress: StoreProgress) { while !all.contains(progress) { Thread.sleep(forTimeInterval: 0.005) } }
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
