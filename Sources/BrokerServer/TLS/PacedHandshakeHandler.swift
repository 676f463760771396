import NIOCore

/// Stands before TLS during the handshake and holds back what the client sends until it is this handshake's turn.
///
/// While it waits nothing more is read from the socket.
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
    private(set) var hasBegun = false
    private var isProceeding = false
    private var isOver = false

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
        // Who has begun may have said all it had to say. Nothing is begun for a client that has left.
        if hasBegun { proceed() } else { waiting = nil }
        context.fireChannelInactive()
    }

    func proceed() {
        guard let context, let bytes = waiting else { return }
        waiting = nil
        hasBegun = true
        isProceeding = true
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        isProceeding = false
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
        if isOver { leave() }
    }

    /// The handshake is complete: what comes is not held back any more.
    ///
    /// In the middle of a step it leaves the pipeline behind it: whoever has left can pass on neither the end of the read nor the next one.
    func finish() {
        isOver = true
        if !isProceeding { leave() }
    }

    private func leave() {
        isOver = false
        proceed()
        context?.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
