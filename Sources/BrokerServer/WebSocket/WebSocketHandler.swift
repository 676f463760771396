import BrokerCore
import MQTTCodec
import NIOCore
import NIOWebSocket
import WebSocketFraming

/// Stands between a socket, or TLS, and ``MQTTConnectionHandler``: WebSocket frames on one side, MQTT's bytes on the other.
///
/// Each packet that is written becomes one binary frame; one that is written alone stays where it lies. What comes in is passed on as it comes,
/// without regard to where frames and messages end [MQTT-6.0.0-2] [MQTT5-6.0.0-2]. Lives on the channel's event loop; not Sendable.
final class WebSocketHandler: ChannelDuplexHandler, SocketWriter {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes that are copied behind their frame's header rather than sent from where they lie: a few bytes that wait for the socket must not
    /// keep the storage of many.
    static let copiedBytesMax = 4_096

    private var connection: ServerConnection
    private let isTLS: Bool
    private var context: ChannelHandlerContext?
    /// The beginning of a frame's header whose end has not come yet.
    private var unread = ByteBuffer()
    /// The answer to the last ping, while the socket takes nothing: a peer that reads no answers gets no more than this one.
    private var waitingPong: ByteBuffer?
    /// What the broker's close will say.
    private var closeStatus = CloseStatus.normal
    /// Somebody above has asked for the close.
    private var isCloseAsked = false
    private var linger: Scheduled<Void>?
    /// Where no TLS stands between this and the socket.
    var writes = DirectWrites()

    /// - Parameters:
    ///   - frameBytesMax: bytes of one frame's payload; a larger one closes the connection when its header is there.
    ///   - isTLS: whether TLS stands between this and the socket.
    init(frameBytesMax: Int, isTLS: Bool) {
        connection = ServerConnection(frameBytesMax: frameBytesMax)
        self.isTLS = isTLS
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        linger?.cancel()
        linger = nil
    }

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        if unread.readableBytes > 0 {
            unread.writeBuffer(&input)
            input = unread
            unread = ByteBuffer()
        }
        var payload = ByteBuffer()
        payload.reserveCapacity(input.readableBytes)
        var pongs = ByteBuffer()
        while let action = connection.next(from: &input, appendingPayloadTo: &payload) {
            switch action {
            case .messageBegan, .messageEnded: break
            case .pong(let frame): answer(frame, &pongs, context)
            case .end(let frame):
                send(&pongs, context)
                passOn(&payload, context)
                finish(sending: frame, context)
                context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            case .fail(let violation, let frame):
                send(&pongs, context)
                passOn(&payload, context)
                finish(sending: frame, context)
                context.fireErrorCaught(violation)
            }
        }
        send(&pongs, context)
        // A copy, so that a few bytes do not keep a whole read's storage.
        if input.readableBytes > 0 { unread = ByteBuffer(bytes: input.readableBytesView) }
        passOn(&payload, context)
    }

    private func passOn(_ payload: inout ByteBuffer, _ context: ChannelHandlerContext) {
        if payload.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(payload)) }
        payload = ByteBuffer()
    }

    /// Those of one read leave together: a read may have thousands.
    private func answer(_ pong: ByteBuffer, _ pongs: inout ByteBuffer, _ context: ChannelHandlerContext) {
        if context.channel.isWritable { pongs.writeImmutableBuffer(pong) } else { waitingPong = pong }
    }

    private func send(_ pongs: inout ByteBuffer, _ context: ChannelHandlerContext) {
        guard pongs.readableBytes > 0 else { return }
        put(pongs, promise: nil, context)
        flush(context: context)
        pongs = ByteBuffer()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, connection.isOpen, let pong = exchange(&waitingPong, with: nil) {
            put(pong, promise: nil, context)
            flush(context: context)
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: From the broker

    /// Sends packets past the pipeline's calls; answers whether the channel takes more now, as ``MQTTConnectionHandler/send(_:)``.
    func send(_ packets: ByteBuffer) -> Bool {
        guard let context else { return true }
        write(packets, promise: nil, context)
        if !isTLS, !writes.isWaiting { return true }
        context.flush()
        return context.channel.isWritable
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        write(unwrapOutboundIn(data), promise: promise, context)
    }

    private func write(_ payload: ByteBuffer, promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        if payload.readableBytes == 0 { return put(payload, promise: promise, context) }  // asks when what came before is written
        guard connection.isOpen else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        if payload.readableBytes > Self.copiedBytesMax, Self.firstPacketLength(of: payload) == payload.readableBytes {
            var header = ByteBuffer()
            FrameHeader(opcode: .binary, payloadLength: payload.readableBytes).write(to: &header)
            put(header, promise: nil, isContinued: true, context)
            put(payload, promise: promise, context)
        } else {
            put(Self.frames(of: payload), promise: promise, context)
        }
    }

    func flush(context: ChannelHandlerContext) {
        if isTLS || writes.isWaiting { context.flush() }
    }

    /// Gives bytes to the socket, as far as it takes them at once, or to the channel; those wait for the next flush.
    private func put(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?, isContinued: Bool = false, _ context: ChannelHandlerContext) {
        if isTLS { return context.write(wrapOutboundOut(bytes), promise: promise) }
        var bytes = bytes
        if writes.send(&bytes, on: context.channel, isContinued: isContinued) {
            promise?.succeed()
        } else {
            waitInChannel(bytes, promise: promise, context)
        }
    }

    /// A frame for each packet.
    ///
    /// A frame may hold several [MQTT-6.0.0-2], but there are clients that wait for ever for the second one (libpaho 1.3.12, as Debian has it).
    private static func frames(of packets: ByteBuffer) -> ByteBuffer {
        var rest = packets
        var frames = ByteBuffer()
        frames.reserveCapacity(packets.readableBytes * 5 / 4)
        while rest.readableBytes > 0, let packet = rest.readSlice(length: firstPacketLength(of: rest)) {
            FrameHeader(opcode: .binary, payloadLength: packet.readableBytes).write(to: &frames)
            frames.writeImmutableBuffer(packet)
        }
        return frames
    }

    private static func firstPacketLength(of packets: ByteBuffer) -> Int {
        // MQTT 5 has every type of packet, and longer ones of some than the versions before it.
        let bytes = packets.readableBytesUInt8Span
        let header =
            (try? FixedHeader(reading: bytes, at: 0, packetBytesMax: .max, version: .v5))
            ?? (try? FixedHeader(reading: bytes, at: 0, packetBytesMax: .max, version: .v311))
        return min(header?.packetLength ?? .max, packets.readableBytes)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let reason = event as? CloseReason else { return context.triggerUserOutboundEvent(event, promise: promise) }
        closeStatus = Self.status(for: reason)
        promise?.succeed()
    }

    private static func status(for reason: CloseReason) -> CloseStatus {
        switch reason {
        case .serverShuttingDown: .goingAway
        case .malformed, .protocolViolation: .protocolError
        case .disconnected, .closedByPeer, .transportError: .normal
        case .connectTimedOut, .keepAliveTimedOut, .sessionTakenOver, .refused, .limitExceeded, .notPermitted, .proofExpired, .kicked:
            .policyViolation
        }
    }

    // MARK: The end

    /// Says goodbye and waits for the client's; a second call, or the end of the wait, closes at once.
    ///
    /// What must not wait is cut off.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if isCloseAsked || mode == .input { return context.close(mode: mode, promise: promise) }
        isCloseAsked = true
        context.channel.closeFuture.cascade(to: promise)
        guard let frame = connection.close(closeStatus) else { return }  // the goodbyes are under way
        put(frame, promise: nil, context)
        flush(context: context)
        waitForEnd(context)
    }

    /// Ends the sending side after the last frame, if there is one to send.
    ///
    /// What still comes is read and dropped until the client closes: a socket closed with unread bytes in it would take the frame back.
    private func finish(sending frame: ByteBuffer?, _ context: ChannelHandlerContext) {
        waitingPong = nil
        if let frame { put(frame, promise: nil, context) }
        flush(context: context)
        waitForEnd(context)
        context.close(mode: isTLS ? .all : .output, promise: nil)
    }

    private func waitForEnd(_ context: ChannelHandlerContext) {
        guard linger == nil else { return }
        let limit = TimeAmount.seconds(MQTTConnectionHandler.lingerSecondsMax)
        linger = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { context.close(promise: nil) }
    }
}
