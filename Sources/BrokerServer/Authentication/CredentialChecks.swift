import BrokerCore
import DequeModule
import Glibc
import MQTTCodec
import NIOPosix
import Synchronization

/// Checks proofs that take long, on a few threads of their own, one after another in the order in which they came.
///
/// How many wait is bounded by ``CheckRoom``, which the shards ask before. A check whose client is gone is taken out, and one of an address
/// that has failed too often meanwhile is not carried out: it would cost the others their time.
final class CredentialChecks: Sendable {
    private struct Job {
        let connectionID: UInt64
        let network: PeerNetwork?
        let check: any CredentialCheck
        let answer: @Sendable (CheckedCredential) -> Void
    }

    private struct State {
        var waiting = Deque<Job>()
        /// Connections whose checks have begun.
        var begun: Set<UInt64> = []
        /// Of these, those that nobody waits for any more.
        var abandoned: Set<UInt64> = []
        /// Threads that are at work, or have been told to begin.
        var workers = 0
        var isOver = false
    }

    /// How far the threads stand behind the event loops, in the steps of nice(2).
    private static let niceness: Int32 = 10

    private let admission: Admission
    private let threadsMax: Int
    private let threads: NIOThreadPool
    private let state = Mutex(State())

    init(admission: Admission, threads count: Int) {
        self.admission = admission
        threadsMax = min(max(count, 1), Self.threadsAlwaysMax)
        threads = NIOThreadPool(numberOfThreads: threadsMax)
    }

    /// More threads than this are of no use to anybody.
    private static let threadsAlwaysMax = 64

    /// Has a proof checked; the answer comes on another thread.
    func begin(
        _ check: any CredentialCheck, of connectionID: UInt64, from network: PeerNetwork?,
        answer: @escaping @Sendable (CheckedCredential) -> Void
    ) {
        let startsWorker = state.withLock { state in
            if state.isOver { return false }
            state.waiting.append(Job(connectionID: connectionID, network: network, check: check, answer: answer))
            guard state.workers < threadsMax else { return false }
            state.workers += 1
            return true
        }
        guard startsWorker else { return }
        threads.start()  // does nothing but for the first
        threads.submit { _ in self.work() }
    }

    /// Nobody waits for the answer any more; a check that has begun goes on, and its answer is not heard.
    ///
    /// A guess that was wrong counts all the same: else whoever leaves in time could guess without end.
    func abandon(_ connectionID: UInt64) {
        state.withLock { state in
            state.waiting.removeAll { $0.connectionID == connectionID }
            if state.begun.contains(connectionID) { state.abandoned.insert(connectionID) }
        }
    }

    /// Ends the threads, after the checks that have begun; the others are never answered.
    func end() async {
        state.withLock { state in
            state.isOver = true
            state.waiting.removeAll()
        }
        try? await threads.shutdownGracefully()
    }

    private func work() {
        // Linux counts priorities by thread. That it cannot be lowered is no reason to check nothing.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness)
        while let job = next() {
            let checked = answer(to: job)
            let isAbandoned = state.withLock { state in
                state.begun.remove(job.connectionID)
                return state.abandoned.remove(job.connectionID) != nil
            }
            if isAbandoned {
                if case .refuted = checked { _ = admission.failed(job.network, now: .now) }
                continue
            }
            if case .proved = checked { job.check.answered() }
            job.answer(checked)
        }
    }

    private func next() -> Job? {
        state.withLock { state in
            if let job = state.waiting.popFirst() {
                state.begun.insert(job.connectionID)
                return job
            }
            state.workers -= 1
            return nil
        }
    }

    private func answer(to job: Job) -> CheckedCredential {
        if let network = job.network, admission.isBlocked(network, now: .now) {
            return .undecided(.banned, "the address failed too often (failedAuthenticationsMax)")
        }
        return job.check.run()
    }
}
