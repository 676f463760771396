import NIOCore

/// Stands before TLS during the handshake and holds back what the client sends until it is this handshake's turn.
///
/// While it waits nothing more is read from the socket. ``HandshakeGate`` takes it out of the pipeline.
final class PacedHandshakeHandler: ChannelDuplexHandler, RemovableChannelHandler, HandshakePace.Waiting {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let pace: HandshakePace
    private var context: ChannelHandlerContext?
    /// What came and waits; `nil` while nothing does.
    private var waiting: ByteBuffer?
    /// More was asked for meanwhile.
    private var isReadHeld = false

    init(pace: HandshakePace) {
        self.pace = pace
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard waiting == nil else {
            waiting?.writeBuffer(&bytes)
            return
        }
        waiting = bytes
        pace.take(self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if waiting == nil { context.fireChannelReadComplete() }
    }

    func read(context: ChannelHandlerContext) {
        if waiting == nil { context.read() } else { isReadHeld = true }
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting = nil
        context.fireChannelInactive()
    }

    func removeHandler(context: ChannelHandlerContext, removalToken: ChannelHandlerContext.RemovalToken) {
        proceed()
        context.leavePipeline(removalToken: removalToken)
    }

    func proceed() {
        guard let context, let bytes = waiting else { return }
        waiting = nil
        let pipeline = context.pipeline.syncOperations
        context.fireChannelRead(wrapInboundOut(bytes))
        // From the pipeline's ends: with the last step this handler has left it, and its context leads nowhere any more.
        pipeline.fireChannelReadComplete()
        guard isReadHeld else { return }
        isReadHeld = false
        pipeline.read()
    }
}
