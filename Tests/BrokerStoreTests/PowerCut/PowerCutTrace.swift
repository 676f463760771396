import BrokerCore
import BrokerStore
import CremaTesting
import Foundation
import Logging
import MQTTCodec
import NIOCore
import Records
import Synchronization

/// What a store did to its disk while it was given a workload, and what it had said of that by then.
struct PowerCutTrace {
    enum Event: Sendable {
        case disk(DiskStep)
        /// A sync of a file failed.
        case lostSync(String)
        /// A file was replaced by one that is safe.
        case renewed(String, [UInt8])
        /// From here on the store may have this step.
        case handedOver(Int)
        /// From here on it has to have it, and all before it.
        case committed(Int)
    }

    /// What lay in the directory at first.
    let found: [String: [UInt8]]
    private(set) var events: [Event] = []
    /// After so many steps.
    private(set) var states: [KeptState]
    /// By topic: from which step on what was retained.
    private(set) var retained: [String: [(step: Int, payload: [UInt8]?)]] = [:]

    /// A file of its own, as the store makes it before SQLite has it.
    static let nothing: [String: [UInt8]] = [DurableStore.fileName: []]

    /// Gives a workload to a store, which is closed and opened again in between; some of its syncs fail, in percent, while it writes.
    init(
        seed: UInt64, steps: Int, syncsThatFail: Int = 0, from found: [String: [UInt8]] = nothing, holding state: KeptState = KeptState(),
        retained: [String: [UInt8]] = [:]
    ) async throws {
        self.found = found
        states = [state]
        for topic in StoreWorkload.topics { self.retained[topic] = [(0, retained[topic])] }
        let place = StoreFixture()
        try place.put(found)
        var random = SeededRandom(seed: seed)
        let noted = NotedEvents(syncsThatFail: syncsThatFail, seed: random.next())
        let disk = WatchedDisk(place.directory) { noted.answer($0) }
        defer { withExtendedLifetime(disk) {} }
        var workload = StoreWorkload(from: state, seed: random.next())
        var number = 0
        for last in [steps * 2 / 3, steps] {
            let kept = RetainedStore(isKept: true)
            let store = try place.open(retained: kept, limits: Self.limits)
            guard store.setAside.isEmpty else { throw UnexpectedlyDamaged() }
            let log = DurableStore.fileName + "-wal"
            let renewed: @Sendable () -> Void = { [file = place.file + "-wal"] in
                if let bytes = FileManager.default.contents(atPath: file) { noted.append(.renewed(log, Array(bytes))) }
            }
            store.start(renewed: renewed) { _, progress in
                if case .committed(let number) = progress { noted.append(.committed(Int(number))) }
            }
            noted.isRunning = true
            while number < last {
                number += 1
                noted.append(.handedOver(number))
                let step = workload.next()
                note(step, number, workload.state)
                if let (topic, payload) = step.retained {
                    _ = kept.update(Message(topic: topic, payload: payload ?? [], qos: .atLeastOnce, retain: true))
                }
                if let batch = step.batch { store.append(batch) } else { store.append(step.records) }
                guard random.happens(percent: 50) else { continue }
                do throws(NotKept) {
                    try await store.settle()
                    noted.append(.committed(number))
                } catch { while store.isFailing { try await Task.sleep(for: .milliseconds(1)) } }
                // Time to give pages back.
                if random.happens(percent: 30) { try await Task.sleep(for: .milliseconds(5)) }
            }
            noted.isRunning = false
            while (try? await store.settle()) == nil { try await Task.sleep(for: .milliseconds(1)) }
            store.close()
            noted.append(.committed(number))
        }
        events = noted.all
    }

    struct UnexpectedlyDamaged: Error {}

    /// So small a log that it is brought into the file every few steps, and free pages that are given back at once.
    static var limits: StoreLimits {
        var limits = StoreLimits()
        limits.storeFreeBytesKeptMax = 6 * 4_096
        limits.storeFreeBytesPerStepMax = 3 * 4_096
        limits.storeFreeMillisecondsMin = 1
        limits.storeLogBytesMax = 24 * 4_096
        limits.storeLogBytesKeptMax = 60_000
        limits.storeRetryMilliseconds = 2
        return limits
    }

    private mutating func note(_ step: StoreWorkload.Step, _ number: Int, _ state: KeptState) {
        states.append(state)
        if let (topic, payload) = step.retained { retained[topic, default: []].append((number, payload)) }
    }

    /// Why what a start has found is not what it had to find; nothing when it is.
    func complaint(_ state: KeptState, _ kept: RetainedStore, committed: Int, handedOver: Int) -> String? {
        guard let step = (committed...handedOver).first(where: { states[$0] == state }) else {
            let other = states.firstIndex(of: state)
            return "it holds \(other.map { "what it held after step \($0)" } ?? "what it never held")"
        }
        var count = 0
        for topic in StoreWorkload.topics {
            let payload = kept.message(for: .init(string: topic)).map { Array($0.payload.readableBytesView) }
            if payload != nil { count += 1 }
            let history = retained[topic] ?? []
            let latest = history.last { $0.step <= step }
            let isRight =
                payload == latest?.payload || history.contains { $0.step > step && $0.step <= handedOver && $0.payload == payload }
            if !isRight { return "\(topic) is not what it was after step \(step) or later" }
        }
        return count == kept.count ? nil : "more is retained than ever was"
    }
}

/// Events of several threads, in their order.
private final class NotedEvents: Sendable {
    private struct State {
        var events: [PowerCutTrace.Event] = []
        var isRunning = false
        var random: SeededRandom
    }

    private let state: Mutex<State>
    private let syncsThatFail: Int

    init(syncsThatFail: Int, seed: UInt64) {
        state = Mutex(State(random: SeededRandom(seed: seed)))
        self.syncsThatFail = syncsThatFail
    }

    var all: [PowerCutTrace.Event] { state.withLock(\.events) }

    /// Whether syncs may fail.
    var isRunning: Bool {
        get { state.withLock(\.isRunning) }
        set { state.withLock { $0.isRunning = newValue } }
    }

    func append(_ event: PowerCutTrace.Event) { state.withLock { $0.events.append(event) } }

    func answer(_ step: DiskStep) -> DiskAnswer {
        state.withLock { state in
            if case .sync(let name, _) = step {
                if state.isRunning, state.random.happens(percent: syncsThatFail) {
                    state.events.append(.lostSync(name))
                    return .failed(1_034)  // SQLITE_IOERR_FSYNC
                }
                state.events.append(.disk(step))
                // Where the trace says so it is safe; this directory is not meant to last.
                return .pretended
            }
            state.events.append(.disk(step))
            return .carriedOut
        }
    }
}
