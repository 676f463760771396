import NIOCore

/// A handler that writes to a plain socket last, past the channel's queue or through it.
protocol SocketWriter: AnyObject {
    var writes: DirectWrites { get set }
}

extension SocketWriter {
    /// Gives bytes to the channel, behind which everything waits until they are written; they leave with the next flush.
    func waitInChannel(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>? = nil, _ context: ChannelHandlerContext) {
        writes.wait()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.writes.written() }
        context.write(NIOAny(bytes), promise: written)
    }
}
