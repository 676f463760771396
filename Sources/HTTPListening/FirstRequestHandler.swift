import HTTPExchange
import NIOCore
import NIOHTTP1

/// Waits for a connection's first request, by which it is decided whose connection it is; then passes the request on and leaves.
final class FirstRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let takeover: ConnectionTakeover
    private let refused: (HTTPRequestHead, HTTPRefusal) -> Void
    /// Puts the rest of HTTP into the pipeline.
    private let serve: () throws -> Void
    /// The connection is somebody else's, or was closed before anybody's.
    private let leave: () -> Void
    private var isDecided = false

    init(
        takeover: ConnectionTakeover, refused: @escaping (HTTPRequestHead, HTTPRefusal) -> Void, serve: @escaping () throws -> Void,
        leave: @escaping () -> Void
    ) {
        self.takeover = takeover
        self.refused = refused
        self.serve = serve
        self.leave = leave
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDecided, case .head(let head) = unwrapInboundIn(data) else { return }
        isDecided = true
        switch takeover.decide(head, on: context.channel) {
        case .leave:
            do {
                try serve()
            } catch {
                leave()
                context.close(promise: nil)
                return
            }
        case .taken: leave()
        case .refuse(let reason):
            leave()
            let refusal = HTTPRefusal(.serviceUnavailable, reason)
            refused(head, refusal)
            for part in refusal.answer { context.write(wrapOutboundOut(part), promise: nil) }
            context.flush()
            return  // what still comes is dropped here
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The listener ends: nothing has begun here that should finish.
        if event is ChannelShouldQuiesceEvent, !isDecided { context.close(promise: nil) }
        // The peer ends: it has asked for nothing, and would keep an open file until it counts as idle.
        if event as? ChannelEvent == .inputClosed, !isDecided { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if !isDecided { leave() }
    }
}
