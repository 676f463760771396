import Glibc
import NIOCore

/// Ends a connection as a pulled plug does: without a goodbye of MQTT, WebSocket or TLS, and with a reset.
///
/// Stands first in the pipeline, so that no handler behind it says goodbye.
final class HardEndHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    /// The outbound event that asks for it.
    struct Request: Sendable {}

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Request else { return context.triggerUserOutboundEvent(event, promise: promise) }
        let reset = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        guard let reset else { return context.close(promise: promise) }
        reset.whenComplete { _ in bound.value.close(promise: promise) }
    }
}
