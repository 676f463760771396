import NIOCore
import NIOPosix

/// The second part of mode `durable`: what a broker acknowledges for subscribers that are away, it owes them when they are back.
extension MessageRun {
    /// Takes all subscribers away, publishes, and brings them back.
    func goAwayAndComeBack(
        _ figures: inout RunFigures, on loops: [NIOLoopBound<LoadLoop>], watch: RunWatch, dialer: Dialer
    ) async throws {
        var absence = AbsenceFigures()
        defer { figures.absence = absence }
        for loop in loops { try await loop.run { $0.leave() } }

        let (publishedBefore, acknowledgedBefore) = (watch.published, watch.acknowledged)
        let limit = UInt64(parameters.offlineMessages)
        let goal = publishedBefore + limit * UInt64(topology.publishers)
        let start = monotonicNanoseconds()
        for loop in loops { try await loop.run { $0.begin(messagesPerPublisher: limit, schedule: nil) } }
        let end = try await watch.wait(stage: .away, every: Self.pollInterval) {
            watch.published >= goal && watch.acknowledged - acknowledgedBefore >= watch.published - publishedBefore
        }
        absence.acknowledged = watch.acknowledged - acknowledgedBefore
        absence.publishSeconds = Double(watch.lastProgress - min(start, watch.lastProgress)) / 1e9
        if end == .stalled {
            for loop in loops { try await loop.run { $0.stop() } }
            figures.interruption = "the subscribers were away, and nothing moved for \(parameters.timeoutSeconds) s; " + missing(watch)
            return
        }

        let returned = monotonicNanoseconds()
        absence.sessionsMissing = try await comeBack(on: loops, dialer: dialer)
        if absence.sessionsMissing > 0 {
            figures.interruption =
                "\(absence.sessionsMissing) of \(topology.subscribers) subscribers came back and the broker had no session for them"
            return
        }
        let delivered = try await watch.wait(stage: .returning, every: Self.pollInterval) { watch.delivered >= watch.published }
        absence.returnSeconds = Double(watch.lastProgress - min(returned, watch.lastProgress)) / 1e9
        if delivered == .stalled {
            figures.interruption = "the subscribers were back, and nothing moved for \(parameters.timeoutSeconds) s; " + missing(watch)
        }
    }

    /// - Returns: for how many subscribers the broker had no session.
    private func comeBack(on loops: [NIOLoopBound<LoadLoop>], dialer: Dialer) async throws -> Int {
        let (topology, parameters) = (topology, parameters)
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            var missing = 0
            for number in 0..<topology.subscribers {
                if number >= LoadParameters.openingMax, try await group.next() == false { missing += 1 }
                let loop = loops[topology.loop(of: number)]
                let opened = loop.eventLoop.flatSubmit {
                    loop.value.reopenSubscriber(number, topology: topology, parameters: parameters, dialer: dialer)
                }
                group.addTask { try await opened.get() }
            }
            for try await isPresent in group where !isPresent { missing += 1 }
            return missing
        }
    }
}
