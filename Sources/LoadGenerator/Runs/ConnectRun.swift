import NIOCore
import NIOPosix

/// One run of connections that come and go: TCP (and TLS), CONNECT, CONNACK, DISCONNECT, again and again, a fixed number at a time.
package struct ConnectRun: Sendable {
    /// How often the run looks at its event loops, in nanoseconds.
    private static let pollInterval: UInt64 = 2_000_000

    private let parameters: LoadParameters
    private let target: LoadTarget
    private let topology: Topology
    private let progress: @Sendable (RunProgress) -> Void

    /// See ``MessageRun/init(parameters:target:progress:)``.
    package init(parameters: LoadParameters, target: LoadTarget, progress: @escaping @Sendable (RunProgress) -> Void) {
        self.parameters = parameters
        self.target = target
        self.progress = progress
        topology = Topology(parameters, run: .random(in: 0...UInt32.max))
    }

    /// Carries the run out.
    ///
    /// Connections that fail after the first are in the figures; an error means that there are none.
    package func execute() async throws -> RunFigures {
        let dialer = try Dialer(broker: target.address, parameters: parameters)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: parameters.threads)
        do {
            let figures = try await execute(on: group, dialer: dialer)
            try await group.shutdownGracefully()
            return figures
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func execute(on group: MultiThreadedEventLoopGroup, dialer: Dialer) async throws -> RunFigures {
        progress(RunProgress(stage: .opening, completed: 0))
        try await openOne(on: group.next(), dialer: dialer)

        let counters = (0..<parameters.threads).map { _ in LoopCounters() }
        let watch = RunWatch(counters: counters, timeoutSeconds: parameters.timeoutSeconds, progress: progress)
        let loops = try await makeLoops(on: group, counters: counters, dialer: dialer)

        var figures = RunFigures(broker: target.address, threads: parameters.threads)
        if parameters.warmUpSeconds > 0 {
            figures.interruption = try await phase(.seconds(parameters.warmUpSeconds), stage: .warmUp, on: loops, watch: watch)
        }
        guard figures.interruption == nil else { return figures }
        let before = watch.delivered
        let brokerBefore = target.usage
        let ownBefore = ProcessUsage.own()
        let start = monotonicNanoseconds()
        figures.interruption = try await phase(parameters.amount, stage: .measuring, on: loops, watch: watch)
        figures.setUsage(broker: (brokerBefore, target.usage), own: (ownBefore, ProcessUsage.own()))
        figures.completed = watch.delivered - before
        let end = watch.lastProgress
        figures.seconds = end > start ? Double(end - start) / 1e9 : 0

        var latencies = LatencyRecorder()
        var resumed: UInt64 = 0
        for loop in loops {
            let recorded = try await loop.run { ($0.latencies, $0.resumed) }
            latencies.merge(recorded.0)
            resumed += recorded.1
        }
        figures.latency = latencies.summary
        if parameters.resumes { figures.resumed = resumed }
        return figures
    }

    /// The first connection alone: what is wrong with the address, the rights or TLS shows here, with its own exit code.
    private func openOne(on eventLoop: any EventLoop, dialer: Dialer) async throws {
        let request = SessionRequest(clientID: topology.clientID("f", 0))
        let channel = try await eventLoop.flatSubmit { dialer.open(request, successor: nil, on: eventLoop) }.get().channel
        channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect), promise: nil)
        channel.close(promise: nil)
    }

    private func makeLoops(
        on group: MultiThreadedEventLoopGroup, counters: [LoopCounters], dialer: Dialer
    ) async throws -> [NIOLoopBound<ChurnLoop>] {
        var loops: [NIOLoopBound<ChurnLoop>] = []
        for (index, counters) in counters.enumerated() {
            let eventLoop = group.next()
            let slots = topology.numbers(onLoop: index, of: parameters.concurrency)
            let topology = topology
            loops.append(
                try await eventLoop.submit {
                    let churn = ChurnLoop(eventLoop: eventLoop, slots: slots, topology: topology, dialer: dialer, counters: counters)
                    return NIOLoopBound(churn, eventLoop: eventLoop)
                }.get())
        }
        return loops
    }

    private func phase(
        _ amount: LoadAmount, stage: RunProgress.Stage, on loops: [NIOLoopBound<ChurnLoop>], watch: RunWatch
    ) async throws -> String? {
        let startedBefore = watch.published
        let end: RunWatch.Ending
        do {
            switch amount {
            case .messages(let count):
                let perLoop = UInt64((Double(count) / Double(loops.count)).rounded(.up))
                for loop in loops { try await loop.run { $0.begin(connections: perLoop) } }
                let goal = startedBefore + perLoop * UInt64(loops.count)
                end = try await watch.wait(stage: stage, every: Self.pollInterval, until: { watch.published >= goal })
            case .seconds(let seconds):
                let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
                for loop in loops { try await loop.run { $0.begin(connections: nil) } }
                end = try await watch.wait(stage: stage, every: Self.pollInterval, until: { monotonicNanoseconds() >= deadline })
                for loop in loops { try await loop.run { $0.stop() } }
            }
            guard end == .reached else { return stalled(watch) }
            let drained = try await watch.wait(stage: .draining, every: Self.pollInterval, until: { watch.delivered >= watch.published })
            return drained == .stalled ? stalled(watch) : nil
        } catch let error as LoadError {
            for loop in loops { try await loop.run { $0.stop() } }
            return "\(error)"
        }
    }

    private func stalled(_ watch: RunWatch) -> String {
        let open = watch.published - min(watch.published, watch.delivered)
        return "nothing moved for \(parameters.timeoutSeconds) s with \(open) connections waiting for CONNACK"
    }
}

/// One event loop's share of the connections: a number of slots, each of which opens its next connection when the last is gone.
private final class ChurnLoop {
    let eventLoop: any EventLoop
    private(set) var latencies = LatencyRecorder()
    /// Connections of the current phase that resumed a TLS session.
    private(set) var resumed: UInt64 = 0
    private let slots: [Int]
    /// By slot: the TLS session of its last connection, when they are resumed.
    private let tickets: [TLSTicket]
    /// The number of the next client identifier: no connection takes over the session of one that the broker has not yet forgotten.
    private var nextClient: Int
    private let topology: Topology
    private let dialer: Dialer
    private let counters: LoopCounters
    /// Connections that may still be begun; `nil` while there is no end.
    private var remaining: UInt64? = 0

    init(eventLoop: any EventLoop, slots: [Int], topology: Topology, dialer: Dialer, counters: LoopCounters) {
        self.eventLoop = eventLoop
        self.slots = slots
        tickets = slots.map { _ in TLSTicket() }
        nextClient = slots.first ?? 0
        self.topology = topology
        self.dialer = dialer
        self.counters = counters
    }

    func begin(connections: UInt64?) {
        latencies.reset(recordsAll: true)
        resumed = 0
        remaining = connections
        for slot in slots.indices { open(slot) }
    }

    func stop() { remaining = 0 }

    private func open(_ slot: Int) {
        if let left = remaining {
            guard left > 0 else { return }
            remaining = left - 1
        }
        counters.addPublished(1)
        let begun = monotonicNanoseconds()
        let request = SessionRequest(clientID: topology.clientID("c", nextClient), source: nextClient)
        dialer.open(request, successor: nil, ticket: tickets[slot], on: eventLoop)
            .assumeIsolated().whenComplete { self.didOpen($0, slot: slot, begun: begun) }
        nextClient += topology.threads
    }

    private func didOpen(_ result: Result<OpenedSession, any Error>, slot: Int, begun: UInt64) {
        switch result {
        case .success(let session):
            let channel = session.channel
            if session.isResumed { resumed += 1 }
            let now = monotonicNanoseconds()
            latencies.record(nanoseconds: now - begun)
            counters.addReceived(delivered: 1, acknowledged: 0, pings: 0, now: now)
            channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect), promise: nil)
            channel.closeFuture.assumeIsolated().whenComplete { _ in self.open(slot) }
            channel.close(promise: nil)
        case .failure(let error):
            remaining = 0
            counters.fail(error as? LoadError ?? .cannotConnect("\(error)"))
        }
    }
}
