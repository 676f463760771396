import MQTTCodec
import NIOCore

/// One event loop's share of connections that only stand: each has a subscription of its own, and nothing is published there.
///
/// Lives on its event loop. Opens a bounded number at a time; what fails is counted and tried again.
final class IdleLoop {
    /// Between a failed attempt and the next one.
    private static let retryDelay = TimeAmount.milliseconds(100)

    let eventLoop: any EventLoop
    private(set) var latencies = LatencyRecorder()
    /// Connections that ended without being asked to.
    private(set) var lost: UInt64 = 0
    /// Connections since the last begin that resumed a TLS session.
    private(set) var resumed: UInt64 = 0
    private let numbers: [Int]
    private let topology: Topology
    private let dialer: Dialer
    private let parameters: LoadParameters
    private let counters: LoopCounters
    private var channels: [(any Channel)?]
    private let tickets: [TLSTicket]
    private var next = 0
    private var isEnding = false

    init(
        eventLoop: any EventLoop, numbers: [Int], topology: Topology, parameters: LoadParameters, dialer: Dialer, counters: LoopCounters
    ) {
        self.eventLoop = eventLoop
        self.numbers = numbers
        self.topology = topology
        self.parameters = parameters
        self.dialer = dialer
        self.counters = counters
        channels = Array(repeating: nil, count: numbers.count)
        tickets = parameters.resumes ? numbers.map { _ in TLSTicket() } : []
    }

    /// Begins to open all, at most `concurrency` at a time.
    func begin(concurrency: Int) {
        latencies.reset(recordsAll: true)
        (next, resumed, isEnding) = (0, 0, false)
        for _ in 0..<min(concurrency, numbers.count) { openNext() }
    }

    /// Ends all without a goodbye, and answers when the last one is closed.
    func drop() -> EventLoopFuture<Void> {
        isEnding = true
        let open = channels.compactMap(\.self)
        for channel in open { channel.triggerUserOutboundEvent(HardEndHandler.Request(), promise: nil) }
        return EventLoopFuture.andAllComplete(open.map(\.closeFuture), on: eventLoop)
    }

    /// Ends all with a goodbye.
    func disconnect() {
        isEnding = true
        next = numbers.count
        for channel in channels.compactMap(\.self) {
            channel.writeAndFlush(ByteBuffer(bytes: RawPackets.disconnect), promise: nil)
            channel.close(promise: nil)
        }
    }

    private func openNext() {
        guard next < numbers.count else { return }
        next += 1
        attempt(next - 1, begun: monotonicNanoseconds())
    }

    private func attempt(_ index: Int, begun: UInt64) {
        let number = numbers[index]
        let filter = topology.topic(ofPublisher: number)
        let request = SessionRequest(
            clientID: topology.clientID("i", number),
            subscribe: RawPackets.subscribe(filter: filter, qos: parameters.qos, version: parameters.version), source: number)
        let handler = IdleConnection(loop: self)
        dialer.open(request, successor: handler, ticket: tickets.isEmpty ? nil : tickets[index], on: eventLoop)
            .assumeIsolated().whenComplete { self.didOpen($0, index: index, begun: begun) }
    }

    private func didOpen(_ result: Result<OpenedSession, any Error>, index: Int, begun: UInt64) {
        switch result {
        case .success(let session):
            let now = monotonicNanoseconds()
            channels[index] = session.channel
            if session.isResumed { resumed += 1 }
            latencies.record(nanoseconds: now - begun)
            counters.addReceived(delivered: 1, acknowledged: 0, pings: 0, now: now)
            openNext()
        case .failure(let error):
            counters.addFailed(error as? LoadError ?? .cannotConnect("\(error)"))
            guard next <= numbers.count, !isEnding else { return }
            eventLoop.assumeIsolated().scheduleTask(in: Self.retryDelay) {
                if !self.isEnding { self.attempt(index, begun: begun) }
            }
        }
    }

    fileprivate func didEnd() {
        if !isEnding { lost += 1 }
    }
}

/// An open connection of ``IdleLoop``, which waits for nothing and notices its end.
private final class IdleConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let loop: IdleLoop

    init(loop: IdleLoop) {
        self.loop = loop
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
    func channelInactive(context: ChannelHandlerContext) { loop.didEnd() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
