import AdminServer
import Synchronization

/// Who wants the site's files read anew: a signal, a call, a file that changed.
///
/// However many ask while one reload is under way, one follows it.
final class ReloadRequests: Sendable {
    private typealias Answer = CheckedContinuation<ReloadDocument, Never>

    private struct State {
        var waiting: [Answer] = []
        var isOver = false
    }

    /// An element whenever somebody has asked.
    let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() {
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks, and leaves the answer to the log.
    func ask() { wake.yield() }

    /// Asks, and waits for what comes of it: of a reload that begins after this call.
    func answer() async -> ReloadDocument {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting.append(continuation) }
                return state.isOver
            }
            if isOver { return continuation.resume(returning: Self.stopping) }
            wake.yield()
        }
    }

    /// Reloads whenever somebody asks, one after the other, until the stream of wakes ends.
    func serve(_ wakes: some AsyncSequence<Void, Never>, _ reload: () async -> ReloadDocument) async {
        for await _ in wakes {
            let waiting = take()
            let document = await reload()
            for answer in waiting { answer.resume(returning: document) }
        }
        state.withLock { $0.isOver = true }
        for answer in take() { answer.resume(returning: Self.stopping) }
    }

    private func take() -> [Answer] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    private static var stopping: ReloadDocument { ReloadDocument(failedBecause: ["the broker is stopping"]) }
}
