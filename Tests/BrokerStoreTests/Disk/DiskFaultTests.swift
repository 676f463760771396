import BrokerCore
import BrokerStore
import CremaTesting
import Records
import Synchronization
import Testing

/// Whatever SQLite asks of the disk may fail, once or for a while: whoever waits is told, nothing is lost, and when the disk is well again, so is the store.
@Suite(.timeLimit(.minutes(5))) struct DiskFaultTests {
    /// Fails from one step on, until so many have failed.
    private final class Fault: Sendable {
        private struct State {
            var taken = 0
            var failed = 0
        }

        private let state = Mutex(State())
        private let first: Int
        private let count: Int
        private let isFull: Bool

        init(first: Int, count: Int, isFull: Bool) {
            (self.first, self.count, self.isFull) = (first, count, isFull)
        }

        var taken: Int { state.withLock(\.taken) }
        var failed: Int { state.withLock(\.failed) }

        func answer(_ step: DiskStep) -> DiskAnswer {
            state.withLock { state in
                state.taken += 1
                if state.taken < first || state.failed >= count { return Self.success(step) }
                // A full disk goes on to sync, to cut off and to delete.
                guard !isFull || step.takesRoom else { return Self.success(step) }
                state.failed += 1
                return isFull ? .full : step.failure
            }
        }

        private static func success(_ step: DiskStep) -> DiskAnswer { if case .sync = step { .pretended } else { .carriedOut } }
    }

    private struct Outcome {
        var taken: Int
        var failedOpens = 0
        var refused = 0
        var told: [StoreProgress]
    }

    private static let steps = 8

    /// Gives a workload to a store over a disk with a fault, and checks what is there in the end.
    private func run(_ fault: Fault, _ what: String) async throws -> Outcome {
        let fixture = StoreFixture()
        let disk = WatchedDisk(fixture.directory) { fault.answer($0) }
        defer { withExtendedLifetime(disk) {} }
        var limits = PowerCutTrace.limits
        limits.storeLogBytesMax = 8 * 4_096
        // So that each step has somebody who waits for it.
        limits.storeFreeBytesKeptMax = .max
        limits.storeRetryMilliseconds = 2
        var outcome = Outcome(taken: 0, told: [])
        var opened: DurableStore?
        while opened == nil {
            do { opened = try fixture.open(limits: limits) } catch is StoreError { outcome.failedOpens += 1 }
        }
        let store = try #require(opened)
        let told = Told()
        store.start { _, progress in told.append(progress) }
        var workload = StoreWorkload(seed: 7)
        for _ in 0..<Self.steps {
            let step = workload.next()
            if let batch = step.batch { store.append(batch) } else { store.append(step.records) }
            do throws(NotKept) { try await store.settle() } catch {
                outcome.refused += 1
                told.wait(for: .failing)
                while store.isFailing { try await Task.sleep(for: .milliseconds(1)) }
                // What was refused is written all the same.
                try await store.settle()
            }
        }
        #expect(!store.isFailing && store.statistics.errors >= (outcome.refused > 0 ? 1 : 0), "\(what)")
        store.close()
        outcome.told = told.all
        outcome.taken = fault.taken
        let kept = RetainedStore(isKept: true)
        var again: DurableStore?
        // The fault may not be over, when it lay in the end.
        while again == nil {
            do { again = try fixture.open(retained: kept, limits: limits) } catch is StoreError { outcome.failedOpens += 1 }
        }
        let found = try #require(again)
        #expect(found.setAside.isEmpty && KeptState(found.takeSessions(), found.takeRecords()) == workload.state, "\(what)")
        return outcome
    }

    private func everyStep(failing count: Int, isFull: Bool) async throws {
        let whole = try await run(Fault(first: .max, count: 0, isFull: isFull), "without a fault")
        #expect(whole.taken > 50 && whole.failedOpens == 0 && whole.refused == 0)
        var refused = 0
        var failedOpens = 0
        for first in 1...whole.taken {
            let fault = Fault(first: first, count: count, isFull: isFull)
            let outcome = try await run(fault, "\(count) failed from step \(first) on")
            refused += outcome.refused
            failedOpens += outcome.failedOpens
            #expect(outcome.told.filter { $0 == .failing }.count == outcome.told.filter { $0 == .recovered }.count)
            #expect(outcome.refused == 0 || fault.failed > 0)
        }
        #expect(refused > 10 && failedOpens > 10)
    }

    @Test("One step fails, whichever it is") func everyStepMayFailOnce() async throws { try await everyStep(failing: 1, isFull: false) }

    @Test("From one step on all fail for a while") func everyStepMayBeginTheTrouble() async throws {
        try await everyStep(failing: 7, isFull: false)
    }

    @Test("From one step on the disk is full for a while") func theDiskMayBeFullFromEveryStepOn() async throws {
        try await everyStep(failing: 5, isFull: true)
    }
}

extension DiskStep {
    /// SQLite's code for it when it fails.
    fileprivate var failure: DiskAnswer {
        switch self {
        case .create: .failed(14)  // SQLITE_CANTOPEN
        case .write: .failed(778)  // SQLITE_IOERR_WRITE
        case .truncate: .failed(1_546)  // SQLITE_IOERR_TRUNCATE
        case .sync: .failed(1_034)  // SQLITE_IOERR_FSYNC
        case .delete: .failed(2_570)  // SQLITE_IOERR_DELETE
        }
    }

    var takesRoom: Bool {
        switch self {
        case .create, .write: true
        case .truncate, .sync, .delete: false
        }
    }
}
