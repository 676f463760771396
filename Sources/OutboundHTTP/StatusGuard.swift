import NIOCore
import NIOHTTP1

/// Ends a connection whose server answers with a status below 100.
///
/// There is none in HTTP (RFC 9110, section 15), but the decoder lets it pass, and the client behind takes it for an answer that is still to
/// come: at its end it would stop the process.
final class StatusGuard: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart

    struct NoStatus: Error {}

    private var isOver = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        if case .head(let head) = unwrapInboundIn(data), head.status.code < 100 {
            isOver = true
            context.fireErrorCaught(NoStatus())
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }

    /// Puts a guard behind the decoder of a connection.
    static func install(on pipeline: ChannelPipeline.SynchronousOperations) throws {
        let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(StatusGuard(), position: .after(decoder))
    }
}
