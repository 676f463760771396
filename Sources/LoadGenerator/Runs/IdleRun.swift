import MQTTCodec
import NIOCore
import NIOPosix

/// One run of connections that stand: their memory, and on request what it takes to bring all of them back after they were lost at once.
package struct IdleRun: Sendable {
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
        // Bystanders have a thread of their own: they are to wait for the broker and not for the generator.
        let bystanderGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let figures = try await execute(on: group, bystanderGroup: bystanderGroup, dialer: dialer)
            try await group.shutdownGracefully()
            try await bystanderGroup.shutdownGracefully()
            return figures
        } catch {
            try? await group.shutdownGracefully()
            try? await bystanderGroup.shutdownGracefully()
            throw error
        }
    }

    private func execute(
        on group: MultiThreadedEventLoopGroup, bystanderGroup: MultiThreadedEventLoopGroup, dialer: Dialer
    ) async throws -> RunFigures {
        progress(RunProgress(stage: .opening, completed: 0))
        try await openOne(on: group.next(), dialer: dialer)
        let bystanders = try await makeBystanders(on: bystanderGroup, dialer: dialer)

        let counters = (0..<parameters.threads).map { _ in LoopCounters() }
        let watch = RunWatch(counters: counters, timeoutSeconds: parameters.timeoutSeconds, progress: progress)
        let loops = try await makeLoops(on: group, counters: counters, dialer: dialer)
        var figures = RunFigures(broker: target.address, threads: parameters.threads)
        figures.idle = IdleFigures()
        try await ramp(&figures, on: loops, watch: watch)
        if figures.interruption == nil { try await hold(&figures, bystanders: bystanders, watch: watch) }
        if parameters.drops, figures.interruption == nil {
            try await drop(&figures, on: loops, bystanders: bystanders, watch: watch)
        }
        try await bystanders?.end(&figures)
        for loop in loops {
            figures.idle?.lost += try await loop.run { $0.lost }
            try await loop.run { $0.disconnect() }
        }
        return figures
    }

    /// The first connection alone: what is wrong with the address, the rights or TLS shows here, with its own exit code.
    private func openOne(on eventLoop: any EventLoop, dialer: Dialer) async throws {
        let request = SessionRequest(clientID: topology.clientID("f", 0))
        let channel = try await eventLoop.flatSubmit { dialer.open(request, successor: nil, on: eventLoop) }.get().channel
        channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect), promise: nil)
        try? await channel.close().get()
    }

    private func makeBystanders(on group: MultiThreadedEventLoopGroup, dialer: Dialer) async throws -> Bystanders? {
        guard parameters.drops, parameters.bystanders > 0 else { return nil }
        return try await Bystanders(parameters: parameters, target: target, dialer: dialer, on: group)
    }

    private func makeLoops(
        on group: MultiThreadedEventLoopGroup, counters: [LoopCounters], dialer: Dialer
    ) async throws -> [NIOLoopBound<IdleLoop>] {
        var loops: [NIOLoopBound<IdleLoop>] = []
        for (index, counters) in counters.enumerated() {
            let eventLoop = group.next()
            let numbers = topology.numbers(onLoop: index, of: parameters.connections)
            let (topology, parameters) = (topology, parameters)
            loops.append(
                try await eventLoop.submit {
                    let loop = IdleLoop(
                        eventLoop: eventLoop, numbers: numbers, topology: topology, parameters: parameters, dialer: dialer,
                        counters: counters)
                    return NIOLoopBound(loop, eventLoop: eventLoop)
                }.get())
        }
        return loops
    }

    private var concurrencyPerLoop: Int { max(1, parameters.concurrency / parameters.threads) }

    private func ramp(_ figures: inout RunFigures, on loops: [NIOLoopBound<IdleLoop>], watch: RunWatch) async throws {
        let concurrency = concurrencyPerLoop
        let (before, ownBefore) = (target.usage, ProcessUsage.own())
        let start = monotonicNanoseconds()
        for loop in loops { try await loop.run { $0.begin(concurrency: concurrency) } }
        let goal = UInt64(parameters.connections)
        let end = try await watch.wait(stage: .opening, every: Self.pollInterval) { watch.delivered >= goal }
        figures.setUsage(broker: (before, target.usage), own: (ownBefore, ProcessUsage.own()))
        figures.completed = watch.delivered
        figures.seconds = Double(watch.lastProgress - min(start, watch.lastProgress)) / 1e9
        figures.idle?.connections = Int(watch.delivered)
        figures.idle?.failed = watch.failed
        var latencies = LatencyRecorder()
        for loop in loops { latencies.merge(try await loop.run { $0.latencies }) }
        figures.latency = latencies.summary
        if end == .stalled { figures.interruption = stalled(watch, opened: watch.delivered) }
    }

    /// Time for the broker to give back what only the opening took.
    private func hold(_ figures: inout RunFigures, bystanders: Bystanders?, watch: RunWatch) async throws {
        try await bystanders?.begin()
        guard case .seconds(let seconds) = parameters.amount else { return }
        let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
        _ = try await watch.wait(stage: .holding, every: Self.pollInterval, patience: seconds) { monotonicNanoseconds() >= deadline }
        figures.brokerResidentBytesAfter = target.usage?.residentBytes
        if let before = figures.brokerResidentBytesBefore, let after = figures.brokerResidentBytesAfter {
            figures.idle?.residentBytesPerConnection = Double(after - before) / Double(parameters.connections)
        }
    }

    private func drop(
        _ figures: inout RunFigures, on loops: [NIOLoopBound<IdleLoop>], bystanders: Bystanders?, watch: RunWatch
    ) async throws {
        var drop = DropFigures()
        drop.bystandersBefore = try await bystanders?.takeLatencies()
        let (openedBefore, failedBefore) = (watch.delivered, watch.failed)
        let before = target.usage
        let concurrency = concurrencyPerLoop
        let start = monotonicNanoseconds()
        // Begun on all event loops before the first one is waited for.
        let closed = loops.map { loop in loop.eventLoop.flatSubmit { loop.value.drop() } }
        for loop in closed { try await loop.get() }
        for loop in loops { try await loop.run { $0.begin(concurrency: concurrency) } }
        let goal = openedBefore + UInt64(parameters.connections)
        let end = try await watch.wait(stage: .returning, every: Self.pollInterval) { watch.delivered >= goal }
        drop.seconds = Double(watch.lastProgress - min(start, watch.lastProgress)) / 1e9
        drop.failed = watch.failed - failedBefore
        if let before, let after = target.usage { drop.brokerCPUSeconds = after.cpuSeconds - before.cpuSeconds }
        drop.bystandersMeanwhile = try await bystanders?.takeLatencies()
        if parameters.resumes {
            var resumed: UInt64 = 0
            for loop in loops { resumed += try await loop.run { $0.resumed } }
            drop.resumed = resumed
        }
        figures.idle?.drop = drop
        if end == .stalled { figures.interruption = "after the loss: " + stalled(watch, opened: watch.delivered - openedBefore) }
    }

    private func stalled(_ watch: RunWatch, opened: UInt64) -> String {
        let reason = watch.failedAttempt.map { "; an attempt failed: \($0)" } ?? ""
        return "no connection came about for \(parameters.timeoutSeconds) s, with \(opened) of \(parameters.connections) open\(reason)"
    }
}
