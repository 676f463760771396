import MQTTCodec
import NIOCore
import NIOPosix

/// One run of messages against one broker: opens every session, warms up, measures, verifies, closes.
package struct MessageRun: Sendable {
    /// How often the run looks at its event loops, in nanoseconds.
    private static let pollInterval: UInt64 = 2_000_000

    private let parameters: LoadParameters
    private let broker: BrokerAddress
    private let brokerPID: Int32?
    private let topology: Topology
    private let run: UInt32
    private let progress: @Sendable (RunProgress) -> Void

    /// Prepares a run; `brokerPID` is the process whose CPU time and memory are read, and `progress` is called now and then.
    package init(
        parameters: LoadParameters, broker: BrokerAddress, brokerPID: Int32?, progress: @escaping @Sendable (RunProgress) -> Void
    ) {
        self.parameters = parameters
        self.broker = broker
        self.brokerPID = brokerPID
        self.progress = progress
        run = .random(in: 0...UInt32.max)
        topology = Topology(parameters, run: run)
    }

    /// Carries the run out.
    ///
    /// Violations and stalls are in the figures; an error means that there are none.
    package func execute() async throws -> RunFigures {
        let dialer = try Dialer(broker: broker, parameters: parameters)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: parameters.threads)
        let counters = (0..<parameters.threads).map { _ in LoopCounters() }
        do {
            let figures = try await execute(on: group, counters: counters, dialer: dialer)
            try await group.shutdownGracefully()
            return figures
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func execute(on group: MultiThreadedEventLoopGroup, counters: [LoopCounters], dialer: Dialer) async throws -> RunFigures {
        let loops = try await makeLoops(on: group, counters: counters)
        let watch = RunWatch(counters: counters, timeoutSeconds: parameters.timeoutSeconds, progress: progress)
        try await open(loops, dialer: dialer, watch: watch)
        var stalled = StalledSubscribers()
        defer { stalled.close() }
        try await stalled.open(parameters.stalled, topology: topology, parameters: parameters, dialer: dialer, on: group)

        var figures = RunFigures(broker: broker)
        if parameters.warmUpSeconds > 0 {
            figures.interruption = try await phase(.seconds(parameters.warmUpSeconds), stage: .warmUp, on: loops, watch: watch)
        }
        if figures.interruption == nil { try await measure(&figures, on: loops, watch: watch) }

        var sent = [UInt64](repeating: 0, count: topology.publishers)
        for loop in loops {
            for (publisher, count) in try await loop.run({ $0.sentByPublisher() }) { sent[publisher] = count }
        }
        let total = sent
        var latencies = LatencyRecorder()
        for loop in loops {
            let (report, recorded) = try await loop.run { ($0.verify(sent: total), $0.latencies) }
            figures.verification.merge(report)
            latencies.merge(recorded)
        }
        figures.latency = latencies.summary
        for loop in loops { try await loop.run { $0.disconnect() } }
        if parameters.keepsSessions { try await endSessions(on: loops, dialer: dialer) }
        return figures
    }

    /// Leaves nothing behind in the broker.
    private func endSessions(on loops: [NIOLoopBound<LoadLoop>], dialer: Dialer) async throws {
        for number in 0..<topology.subscribers {
            let topology = topology
            let ended = try await loops[number % loops.count].run {
                $0.endSession(ofSubscriber: number, topology: topology, dialer: dialer)
            }
            try await ended.get()
        }
    }

    /// The measured part, and a fence behind it: what a broker still holds for a subscriber comes before its PINGRESP.
    private func measure(_ figures: inout RunFigures, on loops: [NIOLoopBound<LoadLoop>], watch: RunWatch) async throws {
        let (publishedBefore, deliveredBefore) = (watch.published, watch.delivered)
        let brokerBefore = brokerPID.flatMap { ProcessUsage(of: $0) }
        let ownBefore = ProcessUsage.own()
        let start = monotonicNanoseconds()
        figures.interruption = try await phase(parameters.amount, stage: .measuring, on: loops, watch: watch)
        figures.setUsage(
            broker: (brokerBefore, brokerPID.flatMap { ProcessUsage(of: $0) }), own: (ownBefore, ProcessUsage.own()))
        figures.published = watch.published - publishedBefore
        figures.completed = watch.delivered - deliveredBefore
        let end = watch.lastProgress
        figures.seconds = end > start ? Double(end - start) / 1e9 : 0

        guard figures.interruption == nil else { return }
        for loop in loops { try await loop.run { $0.ping() } }
        let subscribers = UInt64(topology.subscribers)
        if try await watch.wait(stage: .draining, every: Self.pollInterval, until: { watch.pingsAnswered >= subscribers }) == .stalled {
            figures.interruption = "\(subscribers - watch.pingsAnswered) subscribers got no PINGRESP after the last message"
        }
    }

    /// Publishes, and waits until everything has arrived; answers what was missing when nothing moved any more.
    private func phase(
        _ amount: LoadAmount, stage: RunProgress.Stage, on loops: [NIOLoopBound<LoadLoop>], watch: RunWatch
    ) async throws -> String? {
        let publishedBefore = watch.published
        let limit = messagesPerPublisher(amount)
        let schedule = parameters.rate.map {
            OpenLoopSchedule(start: monotonicNanoseconds(), rate: $0, publishers: topology.publishers)
        }
        for loop in loops { try await loop.run { $0.begin(messagesPerPublisher: limit, schedule: schedule) } }

        if let limit {
            let goal = publishedBefore + limit * UInt64(topology.publishers)
            // An open loop may have nothing to do for longer than the timeout.
            let patience = parameters.rate.map { Double(topology.publishers) / $0 } ?? 0
            let end = try await watch.wait(stage: stage, every: Self.pollInterval, patience: patience, until: { watch.published >= goal })
            if end == .stalled {
                for loop in loops { try await loop.run { $0.stop() } }
                return "nothing moved for \(parameters.timeoutSeconds) s with \(goal - watch.published) messages still to send; "
                    + missing(watch)
            }
        } else if case .seconds(let seconds) = amount {
            let deadline = monotonicNanoseconds() + UInt64(seconds * 1e9)
            let end = try await watch.wait(stage: stage, every: Self.pollInterval, until: { monotonicNanoseconds() >= deadline })
            for loop in loops { try await loop.run { $0.stop() } }
            if end == .stalled { return "nothing moved for \(parameters.timeoutSeconds) s; " + missing(watch) }
        }
        let end = try await watch.wait(stage: .draining, every: Self.pollInterval, until: { isComplete(watch) })
        return end == .stalled ? "nothing moved for \(parameters.timeoutSeconds) s; " + missing(watch) : nil
    }

    /// An open loop has a fixed number of messages also when it is given seconds: one that is late is still sent, and counted late.
    private func messagesPerPublisher(_ amount: LoadAmount) -> UInt64? {
        let publishers = Double(topology.publishers)
        return switch (amount, parameters.rate) {
        case (.messages(let count), _): UInt64((Double(count) / publishers).rounded(.up))
        case (.seconds(let seconds), .some(let rate)): UInt64(max(1, (seconds * rate / publishers).rounded()))
        case (.seconds, .none): nil
        }
    }

    private func isComplete(_ watch: RunWatch) -> Bool {
        let published = watch.published
        return watch.delivered >= topology.deliveries(ofMessages: published)
            && (parameters.qos == .atMostOnce || watch.acknowledged >= published)
    }

    private func missing(_ watch: RunWatch) -> String {
        let published = watch.published
        let expected = topology.deliveries(ofMessages: published)
        var text = "\(expected - min(expected, watch.delivered)) of \(expected) deliveries missing"
        if parameters.qos > .atMostOnce {
            text += ", \(published - min(published, watch.acknowledged)) of \(published) acknowledgements missing"
        }
        return text
    }

    // MARK: Opening

    private func makeLoops(on group: MultiThreadedEventLoopGroup, counters: [LoopCounters]) async throws -> [NIOLoopBound<LoadLoop>] {
        var loops: [NIOLoopBound<LoadLoop>] = []
        for (index, counters) in counters.enumerated() {
            let eventLoop = group.next()
            let topology = topology
            loops.append(
                try await eventLoop.submit {
                    NIOLoopBound(
                        LoadLoop(eventLoop: eventLoop, index: index, topology: topology, counters: counters), eventLoop: eventLoop)
                }.get())
        }
        let all = loops
        for loop in loops { try await loop.run { $0.connect(to: all) } }
        return loops
    }

    /// Opens all subscribers, then all publishers, a bounded number at a time.
    private func open(_ loops: [NIOLoopBound<LoadLoop>], dialer: Dialer, watch: RunWatch) async throws {
        progress(RunProgress(stage: .opening, completed: 0))
        let (topology, parameters, run) = (topology, parameters, run)
        try await open(topology.subscribers) { number in
            let loop = loops[topology.loop(of: number)]
            return loop.eventLoop.flatSubmit {
                loop.value.openSubscriber(number, topology: topology, parameters: parameters, run: run, dialer: dialer)
            }
        }
        try await open(topology.publishers) { number in
            let loop = loops[topology.loop(of: number)]
            return loop.eventLoop.flatSubmit {
                loop.value.openPublisher(number, topology: topology, parameters: parameters, run: run, dialer: dialer)
            }
        }
    }

    private func open(_ count: Int, _ open: @escaping @Sendable (Int) -> EventLoopFuture<Void>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Begun in the order of the numbers, which is the order in which an event loop keeps them.
            for number in 0..<count {
                if number >= LoadParameters.openingMax { try await group.next() }
                let opened = open(number)
                group.addTask { try await opened.get() }
            }
            try await group.waitForAll()
        }
    }
}

extension NIOLoopBound {
    /// Runs `body` on the value's event loop.
    func run<Result: Sendable>(_ body: @escaping @Sendable (Value) throws -> Result) async throws -> Result {
        try await eventLoop.submit { try body(self.value) }.get()
    }
}
