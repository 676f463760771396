import NIOCore

/// A subscriber's open session: reads what arrives, and tells its event loop's ``LoadLoop``.
final class SubscriberConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let number: Int
    private(set) var stream: SubscriberStream
    /// What the loop has already counted.
    var countedDeliveries: UInt64 = 0
    var countedPings = 0
    var isMarked = false
    private var reassembler: PacketReassembler
    private var output = ByteBuffer()
    private let link: SessionLink

    init(number: Int, stream: SubscriberStream, packetBytesMax: Int, link: SessionLink) {
        self.number = number
        self.stream = stream
        self.link = link
        reassembler = PacketReassembler(packetBytesMax: packetBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) { link.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        let now = monotonicNanoseconds()
        let loop = link.loop
        do throws(WireError) {
            try reassembler.process(&buffer) { (bytes) throws(WireError) in
                try stream.consume(bytes, now: now, output: &output, latencies: &loop.latencies)
            }
        } catch {
            link.lose("subscriber \(number): \(error)")
        }
        loop.mark(self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if output.readableBytes > 0 {
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
            output.clear()
        }
    }

    func channelInactive(context: ChannelHandlerContext) { link.lose("subscriber \(number): the broker closed the connection") }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { link.lose("subscriber \(number): \(error)") }

    func ping() { link.send(ByteBuffer(bytes: RawPackets.pingRequest)) }
    func disconnect() { link.disconnect() }
}

/// A publisher's open session: sends what its flow allows, once per turn of the event loop.
final class PublisherConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var stream: PublisherStream
    var countedAcknowledgements: UInt64 = 0
    var isMarked = false
    private var reassembler: PacketReassembler
    private var output = ByteBuffer()
    private let link: SessionLink

    init(stream: PublisherStream, packetBytesMax: Int, link: SessionLink) {
        self.stream = stream
        self.link = link
        reassembler = PacketReassembler(packetBytesMax: packetBytesMax)
    }

    func handlerAdded(context: ChannelHandlerContext) { link.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        do throws(WireError) {
            try reassembler.process(&buffer) { (bytes) throws(WireError) in try stream.consume(bytes, output: &output) }
        } catch {
            link.lose("publisher \(stream.publisher): \(error)")
        }
        link.loop.mark(self)
    }

    /// The acknowledgements since the last call, and how long each was waited for.
    func countAcknowledgements(now: UInt64, latencies: inout LatencyRecorder) -> UInt64 {
        let count = stream.acknowledgedCount - countedAcknowledgements
        countedAcknowledgements += count
        if count > 0 { stream.recordAcknowledgements(now: now, into: &latencies) }
        return count
    }

    /// Sends all that may be sent, with one write, and answers how many messages that was.
    func send(now: UInt64, schedule: OpenLoopSchedule?) -> Int {
        let count = stream.fill(&output, now: now, schedule: schedule)
        if output.readableBytes > 0 {
            link.send(output)
            output.clear()
        }
        return count
    }

    func channelInactive(context: ChannelHandlerContext) {
        link.lose("publisher \(stream.publisher): the broker closed the connection")
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { link.lose("publisher \(stream.publisher): \(error)") }
    func disconnect() { link.disconnect() }
}

/// What both kinds of session share: their channel, and how it ends.
final class SessionLink {
    let loop: LoadLoop
    /// Set while the handler is in its pipeline.
    var context: ChannelHandlerContext?
    private var isEnding = false

    init(loop: LoadLoop) {
        self.loop = loop
    }

    func send(_ buffer: ByteBuffer) {
        context?.writeAndFlush(NIOAny(buffer), promise: nil)
    }

    /// Ends the run, unless the session was being ended anyway.
    func lose(_ reason: String) {
        guard !isEnding else { return }
        isEnding = true
        loop.counters.fail(.connectionLost(reason))
        context?.close(promise: nil)
    }

    func disconnect() {
        guard !isEnding else { return }
        isEnding = true
        send(ByteBuffer(bytes: RawPackets.disconnect))
        context?.close(promise: nil)
    }
}

/// Nanoseconds of the clock that every time of a run is taken from.
@inline(__always)
func monotonicNanoseconds() -> UInt64 { NIODeadline.now().uptimeNanoseconds }
