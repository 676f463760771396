import NIOCore
import NIOPosix

/// Pairs that exchange messages on a schedule while something else happens to the broker.
struct Bystanders: Sendable {
    private let run: MessageRun
    private let loops: [NIOLoopBound<LoadLoop>]
    private let watch: RunWatch

    /// Opens their connections.
    init(parameters: LoadParameters, target: LoadTarget, dialer: Dialer, on group: MultiThreadedEventLoopGroup) async throws {
        var pairs = parameters
        pairs.mode = .p2p
        pairs.rate = LoadParameters.bystanderRate
        (pairs.publishers, pairs.subscribers, pairs.threads) = (parameters.bystanders, parameters.bystanders, 1)
        run = MessageRun(parameters: pairs, target: target) { _ in }
        let counters = [LoopCounters()]
        watch = RunWatch(counters: counters, timeoutSeconds: parameters.timeoutSeconds) { _ in }
        loops = try await run.makeLoops(on: group, counters: counters)
        try await run.open(loops, dialer: dialer, watch: watch)
    }

    /// Begins to send, until ``end(_:)``.
    func begin() async throws {
        let schedule = OpenLoopSchedule(
            start: monotonicNanoseconds(), rate: LoadParameters.bystanderRate, publishers: run.topology.publishers)
        for loop in loops { try await loop.run { $0.begin(messagesPerPublisher: UInt64(UInt32.max), schedule: schedule) } }
    }

    /// Their latencies from the intended time, since they began or this was called last.
    func takeLatencies() async throws -> LatencySummary? {
        var latencies = LatencyRecorder()
        for loop in loops { latencies.merge(try await loop.run { $0.takeLatencies() }) }
        return latencies.summary
    }

    /// Stops sending, waits for what is under way, and adds what was wrong with their messages.
    func end(_ figures: inout RunFigures) async throws {
        for loop in loops { try await loop.run { $0.stop() } }
        let watch = watch
        let isComplete = run.isComplete
        _ = try await watch.wait(stage: .draining, every: MessageRun.pollInterval) { isComplete(watch) }
        try await run.verify(&figures, on: loops)
        for loop in loops { try await loop.run { $0.disconnect() } }
    }
}
