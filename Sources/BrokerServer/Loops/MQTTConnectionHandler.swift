import BrokerCore
import NIOCore
import NIOSSL
import WebSocketFraming

/// Carries bytes between one channel and the shard on the channel's event loop.
///
/// Lives on that loop; not Sendable, no locks.
///
/// Added to a channel that is active and, on a TLS listener, has proved its certificate: the shard knows of no connection before.
final class MQTTConnectionHandler: ChannelInboundHandler, SocketWriter {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Time for a peer to take the last bytes and to close its side; then the socket is closed whatever it does.
    static let lingerSecondsMax: Int64 = 2

    /// What the shard is to be told of a connection, in a place of its own: it is needed once.
    private final class Arrival {
        let info: ConnectionInfo
        let openedAt: Instant

        init(info: ConnectionInfo, openedAt: Instant) {
            self.info = info
            self.openedAt = openedAt
        }
    }

    private let driver: ShardDriver
    /// Until the shard has it.
    private var arrival: Arrival?
    /// Whether nothing stands between this handler and the socket: no TLS, no WebSocket.
    private let isPlain: Bool
    /// What frames the packets; `nil` where they go out as they are.
    private let webSocket: WebSocketHandler?
    /// Of a plain socket.
    var writes = DirectWrites()
    private var context: ChannelHandlerContext?
    /// `nil` before the shard knows of it, and after either side has closed it.
    private(set) var connection: ClientConnection?
    /// The shard is inside ``send(_:)``: what the channel says meanwhile must not call it again.
    private var isSending = false
    private var lostWhileSending: CloseReason?
    private var linger: Scheduled<Void>?

    /// Takes a connection whose socket was accepted at `openedAt`, which the time for CONNECT counts from.
    init(driver: ShardDriver, info: ConnectionInfo, openedAt: Instant, isPlain: Bool, webSocket: WebSocketHandler? = nil) {
        self.driver = driver
        arrival = Arrival(info: info, openedAt: openedAt)
        self.isPlain = isPlain
        self.webSocket = webSocket
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        lose(.closedByPeer)
        linger?.cancel()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        begin()
        context.fireChannelActive()
    }

    private func begin() {
        guard let arrival else { return }
        self.arrival = nil
        connection = driver.accepted(arrival.info, openedAt: arrival.openedAt, handler: self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let connection else { return }  // closed by the broker: what still comes is read and dropped
        driver.received(unwrapInboundIn(data), on: connection)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let connection, !isSending {
            driver.shard.transportWritable(connection, context.channel.isWritable, now: .now)
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose(.closedByPeer)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { lose(.closedByPeer) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let violation as WebSocketViolation: lose(.protocolViolation(violation.description))
        case NIOSSLError.uncleanShutdown: lose(.closedByPeer)  // the peer left without a TLS goodbye
        case is NIOSSLCloseTimedOutError: break  // the broker's own close, which the peer did not answer
        default: lose(.transportError(LoggedText.escaping("\(error)")))
        }
        context.close(promise: nil)
    }

    private func lose(_ reason: CloseReason) {
        guard let connection else { return }
        if isSending {
            lostWhileSending = lostWhileSending ?? reason
            return
        }
        self.connection = nil
        driver.lost(connection, reason)
    }

    // MARK: What the shard does

    /// Answers whether the channel takes more now; ``channelWritabilityChanged(context:)`` follows if not.
    func send(_ bytes: consuming ByteBuffer) -> Bool {
        guard let context else { return true }
        if let webSocket { return whileSending(context) { webSocket.send(bytes) } }
        if !isPlain {
            whileSending(context) { context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
            return context.channel.isWritable
        }
        if writes.send(&bytes, on: context.channel) { return true }
        whileSending(context) {
            waitInChannel(bytes, context)
            context.flush()
        }
        return context.channel.isWritable
    }

    private func whileSending<Answer>(_ context: ChannelHandlerContext, _ send: () -> Answer) -> Answer {
        isSending = true
        defer { sent(context) }
        return send()
    }

    private func sent(_ context: ChannelHandlerContext) {
        isSending = false
        if lostWhileSending != nil {
            context.eventLoop.assumeIsolated().execute { self.loseLater() }
        }
    }

    private func loseLater() {
        guard let reason = lostWhileSending else { return }
        lostWhileSending = nil
        lose(reason)
    }

    /// Begins or ceases to read from the socket; with TLS, too, nothing is read behind the pipeline's back.
    func setReading(_ isReading: Bool) {
        guard let context else { return }
        // A channel that is closing has no options any more, and nothing to read.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isReading)
        if isReading { context.read() }
    }

    /// Closes after what was sent.
    ///
    /// The peer gets a moment to read it: a socket closed with unread bytes in it would take back the last packet. Not so a client that
    /// said goodbye: it sends nothing more, so what the socket took before reaches it also from a socket that is closed.
    func close(because reason: CloseReason) {
        connection = nil
        guard let context else { return }
        if isPlain, !writes.isWaiting, reason == .disconnected { return context.close(promise: nil) }
        let channel = context.channel
        let limit = TimeAmount.seconds(Self.lingerSecondsMax)
        linger = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in self?.abandon() }
        let written = context.eventLoop.makePromise(of: Void.self)
        let mode: CloseMode = isPlain ? .output : .all  // TLS and WebSocket say goodbye and wait by themselves
        if !isPlain { context.triggerUserOutboundEvent(reason, promise: nil) }
        written.futureResult.whenComplete { _ in channel.close(mode: mode, promise: nil) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    private func abandon() {
        context?.channel.cutOff()
    }
}
