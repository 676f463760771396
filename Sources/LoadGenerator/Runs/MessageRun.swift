import MQTTCodec
import NIOCore
import NIOPosix

/// One run of messages against one broker: opens every session, warms up, measures, verifies, closes.
package struct MessageRun: Sendable {
    /// How often the run looks at its event loops, in nanoseconds.
    static let pollInterval: UInt64 = 2_000_000

    let parameters: LoadParameters
    let target: LoadTarget
    let topology: Topology
    let run: UInt32
    let progress: @Sendable (RunProgress) -> Void

    /// Prepares a run; `progress` is called now and then.
    package init(parameters: LoadParameters, target: LoadTarget, progress: @escaping @Sendable (RunProgress) -> Void) {
        self.parameters = parameters
        self.target = target
        self.progress = progress
        run = .random(in: 0...UInt32.max)
        topology = Topology(parameters, run: run)
    }

    /// Carries the run out.
    ///
    /// Violations and stalls are in the figures; an error means that there are none.
    package func execute() async throws -> RunFigures {
        let dialer = try Dialer(broker: target.address, parameters: parameters)
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

        var figures = RunFigures(broker: target.address, threads: parameters.threads)
        if parameters.warmUpSeconds > 0 {
            figures.interruption = try await phase(.seconds(parameters.warmUpSeconds), stage: .warmUp, on: loops, watch: watch)
        }
        if figures.interruption == nil { try await measure(&figures, on: loops, watch: watch) }
        if parameters.mode == .durable, parameters.offlineMessages > 0, figures.interruption == nil {
            try await goAwayAndComeBack(&figures, on: loops, watch: watch, dialer: dialer)
        }
        try await verify(&figures, on: loops)
        for loop in loops { try await loop.run { $0.disconnect() } }
        if parameters.keepsSessions { try await endSessions(on: loops, dialer: dialer) }
        return figures
    }

    /// Adds what was wrong with the messages.
    func verify(_ figures: inout RunFigures, on loops: [NIOLoopBound<LoadLoop>]) async throws {
        var sent = [UInt64](repeating: 0, count: topology.publishers)
        for loop in loops {
            for (publisher, count) in try await loop.run({ $0.sentByPublisher() }) { sent[publisher] = count }
        }
        let total = sent
        for loop in loops { figures.verification.merge(try await loop.run { $0.verify(sent: total) }) }
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
        let (publishedBefore, deliveredBefore, acknowledgedBefore) = (watch.published, watch.delivered, watch.acknowledged)
        let brokerBefore = target.usage
        let ownBefore = ProcessUsage.own()
        let start = monotonicNanoseconds()
        figures.interruption = try await phase(parameters.amount, stage: .measuring, on: loops, watch: watch)
        figures.setUsage(
            broker: (brokerBefore, target.usage), own: (ownBefore, ProcessUsage.own()))
        figures.published = watch.published - publishedBefore
        figures.completed = parameters.mode == .durable ? watch.acknowledged - acknowledgedBefore : watch.delivered - deliveredBefore
        let end = watch.lastProgress
        figures.seconds = end > start ? Double(end - start) / 1e9 : 0
        var (latencies, acknowledgements) = (LatencyRecorder(), LatencyRecorder())
        for loop in loops {
            let recorded = try await loop.run { ($0.latencies, $0.acknowledgementLatencies) }
            latencies.merge(recorded.0)
            acknowledgements.merge(recorded.1)
        }
        figures.latency = latencies.summary
        figures.acknowledgementLatency = acknowledgements.summary

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

    func isComplete(_ watch: RunWatch) -> Bool {
        let published = watch.published
        return watch.delivered >= topology.deliveries(ofMessages: published)
            && (!awaitsAcknowledgements || watch.acknowledged >= published)
    }

    /// At QoS 1 and 2, and of events, which are put at no QoS and answered all the same.
    private var awaitsAcknowledgements: Bool { parameters.qos > .atMostOnce || target.events != nil }

    func missing(_ watch: RunWatch) -> String {
        let published = watch.published
        let expected = topology.deliveries(ofMessages: published)
        var text = "\(expected - min(expected, watch.delivered)) of \(expected) deliveries missing"
        if awaitsAcknowledgements {
            text += ", \(published - min(published, watch.acknowledged)) of \(published) acknowledgements missing"
        }
        return text
    }
}
