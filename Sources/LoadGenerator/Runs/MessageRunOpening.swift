import NIOCore
import NIOPosix

/// The sessions of a run of messages.
extension MessageRun {
    func makeLoops(on group: MultiThreadedEventLoopGroup, counters: [LoopCounters]) async throws -> [NIOLoopBound<LoadLoop>] {
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
    func open(_ loops: [NIOLoopBound<LoadLoop>], dialer: Dialer, watch: RunWatch) async throws {
        progress(RunProgress(stage: .opening, completed: 0))
        let (topology, parameters, run, events) = (topology, parameters, run, target.events)
        try await open(topology.subscribers) { number in
            let loop = loops[topology.loop(of: number)]
            return loop.eventLoop.flatSubmit {
                loop.value.openSubscriber(number, topology: topology, parameters: parameters, run: run, dialer: dialer)
            }
        }
        try await open(topology.publishers) { number in
            let loop = loops[topology.loop(of: number)]
            return loop.eventLoop.flatSubmit {
                loop.value.openPublisher(
                    number, topology: topology, parameters: parameters, run: run, dialer: dialer, events: events)
            }
        }
    }

    func open(_ count: Int, _ open: @escaping @Sendable (Int) -> EventLoopFuture<Void>) async throws {
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
