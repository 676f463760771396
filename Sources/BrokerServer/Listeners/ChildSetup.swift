import NIOCore

/// Sets an accepted connection that is let in up on its own event loop, and passes it by the handler of `ServerBootstrap` that would do the same.
///
/// That handler hands every connection of another event loop to that loop, back, and there again, before it is registered: each time a task
/// and, on a loop that sleeps, a wake-up. Here one task follows the other on the connection's loop. Lives on the listener's event loop.
final class ChildSetup: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    /// What NIO calls its handler.
    ///
    /// Under another name it would not be found, and do its work as it does anywhere.
    static let acceptHandlerName = "AcceptHandler"

    private let gate: ConnectGate?
    private let prepare: @Sendable (any Channel) throws -> Void
    private var acceptHandler: ChannelHandlerContext?

    init(gate: ConnectGate? = nil, prepare: @escaping @Sendable (any Channel) throws -> Void) {
        self.gate = gate
        self.prepare = prepare
    }

    func handlerRemoved(context: ChannelHandlerContext) { acceptHandler = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        if let gate, !gate.admits(channel) { return channel.close(promise: nil) }
        if acceptHandler == nil {
            acceptHandler = try? context.pipeline.syncOperations.context(name: Self.acceptHandlerName)
        }
        guard let acceptHandler else { return context.fireChannelRead(data) }
        let prepare = prepare
        channel.eventLoop.execute {
            do { try prepare(channel) } catch { channel.close(promise: nil) }
        }
        acceptHandler.fireChannelRead(data)
    }
}
