package import EventBus
import NIOPosix
import Synchronization

/// Finds the addresses of hosts, on threads of its own: a name server that does not answer holds up few, and nobody else.
///
/// One lookup of a host is under way at a time, for all who wait for it. The system's function cannot be stopped, so a lookup that
/// takes longer than it may keeps its thread until it ends by itself; meanwhile its host is refused at once. Of all threads, hosts whose
/// last lookup took too long have few, those that are new have half, and the rest is for those that were found before.
package final class HostLookup: Sendable {
    /// How long a lookup may take.
    package static let secondsMax = 5

    private let pool = NIOThreadPool(numberOfThreads: HostLookupQueue.threads)
    private let state = Mutex(State())
    private let secondsMax: Int
    private let resolve: @Sendable (String) -> [InternetAddress]

    private struct State: Sendable {
        var queue = HostLookupQueue()
        var answers: [HostLookupQueue.Waiter: CheckedContinuation<HostLookupAnswer, Never>] = [:]
        var lastWaiter: UInt64 = 0
        var isShutDown = false
    }

    /// - Parameters:
    ///   - secondsMax: how long a lookup may take.
    ///   - resolve: finds a host's addresses, blocking its thread.
    package init(
        secondsMax: Int = HostLookup.secondsMax, resolve: @escaping @Sendable (String) -> [InternetAddress] = SystemResolver.addresses
    ) {
        self.secondsMax = secondsMax
        self.resolve = resolve
        pool.start()
    }

    /// Refuses all who wait, and all who come; does not wait for what is under way, which the system cannot stop.
    package func shutDown() {
        let waiting = state.withLock { state in
            state.isShutDown = true
            defer { state.answers = [:] }
            return state.answers.values.map(\.self)
        }
        for answer in waiting { answer.resume(returning: .failed(.stopped)) }
        pool.shutdownGracefully { _ in }
    }

    /// The addresses of a host, in the order in which they are to be tried; none if it has none.
    ///
    /// - Throws: when the lookup takes too long, or when the caller's task is cancelled.
    package func addresses(of host: String) async throws(HostLookupFailure) -> [InternetAddress] {
        let waiter = state.withLock { state in
            state.lastWaiter += 1
            return HostLookupQueue.Waiter(number: state.lastWaiter)
        }
        let timer = later { [self] in
            // Only who still waits for a thread: the others are told when their lookup has taken too long.
            if !state.withLock({ $0.queue.isRunning(host) }) { giveUp(waiter, of: host, tooSlow(host)) }
        }
        defer { timer.cancel() }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { begin(host, waiter, $0) }
        } onCancel: {
            giveUp(waiter, of: host, .stopped)
        }
        return try answer.get()
    }

    private func begin(_ host: String, _ waiter: HostLookupQueue.Waiter, _ answer: CheckedContinuation<HostLookupAnswer, Never>) {
        let refusal: HostLookupFailure? = state.withLock { state in
            // Cancelled before it began: nobody would end the waiting.
            guard !state.isShutDown, !Task.isCancelled else { return .stopped }
            guard state.queue.wait(waiter, for: host) else { return .hangs(host: host) }
            state.answers[waiter] = answer
            return nil
        }
        if let refusal { answer.resume(returning: .failed(refusal)) }
        runWaiting()
    }

    private func giveUp(_ waiter: HostLookupQueue.Waiter, of host: String, _ failure: HostLookupFailure) {
        let answer = state.withLock { state in
            state.queue.giveUp(waiter, of: host)
            return state.answers.removeValue(forKey: waiter)
        }
        answer?.resume(returning: .failed(failure))
    }

    /// Gives threads to the lookups whose turn it is.
    private func runWaiting() {
        while let run = state.withLock({ $0.isShutDown ? nil : $0.queue.next() }) {
            let timer = later { [self] in answer(.failed(tooSlow(run.host))) { $0.tookTooLong(run) } }
            pool.submit { [self] item in
                defer { timer.cancel() }
                guard item == .active else { return }
                let addresses = resolve(run.host)
                answer(.found(addresses)) { $0.ended(run, found: !addresses.isEmpty) }
                runWaiting()
            }
        }
    }

    private func answer(_ answer: HostLookupAnswer, _ waiters: (inout HostLookupQueue) -> [HostLookupQueue.Waiter]) {
        let waiting = state.withLock { state in
            waiters(&state.queue).compactMap { state.answers.removeValue(forKey: $0) }
        }
        for continuation in waiting { continuation.resume(returning: answer) }
    }

    private func tooSlow(_ host: String) -> HostLookupFailure { .tooSlow(host: host, seconds: secondsMax) }

    private func later(_ body: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        Task { [secondsMax] in
            do { try await Task.sleep(for: .seconds(secondsMax)) } catch { return }
            body()
        }
    }
}

private enum HostLookupAnswer: Sendable {
    case found([InternetAddress])
    case failed(HostLookupFailure)

    func get() throws(HostLookupFailure) -> [InternetAddress] {
        switch self {
        case .found(let addresses): return addresses
        case .failed(let failure): throw failure
        }
    }
}

/// Why the addresses of a host are not known.
package enum HostLookupFailure: Error, Equatable, CustomStringConvertible {
    case tooSlow(host: String, seconds: Int)
    /// A lookup that took too long has not ended yet.
    case hangs(host: String)
    case stopped

    package var description: String {
        switch self {
        case .tooSlow(let host, let seconds): "the lookup of \(host) took longer than \(seconds) seconds"
        case .hangs(let host): "the last lookup of \(host) has not ended yet"
        case .stopped: "the lookup was ended"
        }
    }
}
