import BrokerCore
import BrokerStore
import Records
import Synchronization
import Testing

/// A disk that is full again and again.
@Suite(.timeLimit(.minutes(5))) struct FullDiskTests {
    /// What grows takes room; what gets shorter gives it to somebody else.
    private final class SmallDisk: Sendable {
        private struct State {
            var sizes: [String: Int] = [:]
            var room = Int.max
            var refusals = 0
        }

        private let state = Mutex(State())

        var refusals: Int { state.withLock(\.refusals) }

        func leave(_ bytes: Int) { state.withLock { $0.room = bytes } }

        func answer(_ step: DiskStep) -> DiskAnswer {
            state.withLock { state in
                switch step {
                case .sync: return .pretended
                case .create(let name): state.sizes[name] = 0
                case .delete(let name, _): state.sizes[name] = nil
                case .truncate(let name, let size): state.sizes[name] = min(state.sizes[name] ?? 0, size)
                case .write(let name, let offset, let bytes):
                    let more = max(0, offset + bytes.count - (state.sizes[name] ?? 0))
                    guard more <= state.room else {
                        state.refusals += 1
                        return .full
                    }
                    state.room -= more
                    state.sizes[name, default: 0] += more
                }
                return .carriedOut
            }
        }
    }

    @Test func filledAndFreedAHundredTimes() async throws {
        let fixture = StoreFixture()
        let small = SmallDisk()
        let disk = WatchedDisk(fixture.directory) { small.answer($0) }
        defer { withExtendedLifetime(disk) {} }
        var limits = PowerCutTrace.limits
        limits.storeRetryMilliseconds = 2
        let store = try fixture.open(limits: limits)
        let told = Told()
        store.start { _, progress in told.append(progress) }
        var workload = StoreWorkload(seed: 11)
        for round in 1...100 {
            small.leave(round * 331 % 40_000)
            var wasRefused = false
            while !wasRefused {
                let step = workload.next()
                if let batch = step.batch { store.append(batch) } else { store.append(step.records) }
                do throws(NotKept) { try await store.settle() } catch { wasRefused = true }
            }
            // It may have recovered by now: what a refused attempt has written counts no more when it tries again, and may fit then.
            small.leave(.max)
            while store.isFailing { try await Task.sleep(for: .milliseconds(1)) }
            try await store.settle()
            #expect(told.all.filter { $0 == .recovered }.count == round)
        }
        #expect(small.refusals >= 100)
        store.close()
        let found = try fixture.open(retained: RetainedStore(isKept: true), limits: limits)
        #expect(found.setAside.isEmpty && KeptState(found.takeSessions(), found.takeRecords()) == workload.state)
    }
}
