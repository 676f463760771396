import BrokerCore
import BrokerServer
import BrokerStore
import Documents
import Logging
import Records

/// The durable store of a site, if its configuration names a directory.
struct SiteStore {
    /// What outlives the process, as operators read it.
    static let kept =
        "persistent sessions with their subscriptions, queues and wills, retained messages, what came by API, SQS queues with their messages, deliveries that wait, dead letters, archives and replays"
    /// What does not, whatever the durability.
    static let inMemory = "statistics, and how often a delivery was tried and a message received"

    private let durable: DurableStore?
    private let retained: RetainedStore
    let durability: Durability

    /// Opens the store.
    ///
    /// - Throws: what keeps it from being opened; a damaged one is set aside instead, with a line in the log.
    init(_ configuration: Configuration, log: Logger) throws {
        guard let store = configuration.store else {
            durable = nil
            durability = .memory
            retained = RetainedStore(limits: KnownLimits.broker(configuration.limits))
            log.info("durability: memory: a restart forgets \(Self.kept), \(Self.inMemory)", metadata: .event("durability"))
            return
        }
        durability =
            switch store.durability {
            case .relaxed(let milliseconds): .relaxed(milliseconds: milliseconds)
            case .strict: .strict
            }
        retained = RetainedStore(limits: KnownLimits.broker(configuration.limits), isKept: true)
        durable = try DurableStore(
            directory: store.directory, durability: durability, retained: retained, limits: KnownLimits.store(configuration.limits),
            waiting: KnownLimits.broker(configuration.limits), log: Logger(label: "crema.store"))
        log.info(
            "durability: \(durability) in \(store.directory): kept: \(Self.kept); in memory: \(Self.inMemory)",
            metadata: [Logger.MetadataValue.eventKey: "durability", "retained": "\(retained.count)"])
    }

    /// Takes what events and queues are to keep; nil when they are in memory.
    var records: (any RecordStore)? { durable }

    /// What is for when all rules and queues are there.
    private static let late: [RecordKind] = [.delivery, .deadLetter]

    /// What was kept of queues and of what came by API; once.
    func takeRecords() -> [KeptRecord] { durable?.takeRecords(of: RecordKind.allCases.filter { !Self.late.contains($0) }) ?? [] }

    /// What was kept of deliveries and dead letters; once.
    func takeLateRecords() -> [KeptRecord] { durable?.takeRecords(of: Self.late) ?? [] }

    /// What the broker is to begin with; once.
    func take(log: Logger) -> KeptState? {
        guard let durable else { return nil }
        let state = durable.takeState()
        if !state.sessions.isEmpty {
            let messages = state.sessions.reduce(0) { $0 + $1.deliveries.count }
            log.info("restored", metadata: ["sessions": "\(state.sessions.count)", "messages": "\(messages)"])
        }
        return KeptState(
            store: durable, durability: durability, retained: retained, state: state, close: { durable.close() })
    }

    /// Begins to write what the broker changes.
    func start(for broker: Broker) {
        durable?.start { [weak broker] shard, progress in broker?.storeProgressed(shard, progress) }
    }

    var statistics: StoreStatistics? { durable?.statistics }
}
