import NIOCore
import NIOWebSocket
import WebSocketFraming

/// Sends back each message, in one frame, when all of it is there.
final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var connection: ServerConnection
    private var unread = ByteBuffer()
    private var opcode = WebSocketOpcode.binary
    private var message = ByteBuffer()

    init(frameBytesMax: Int) {
        connection = ServerConnection(frameBytesMax: frameBytesMax, takesText: true)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        unread.writeBuffer(&bytes)
        while let action = connection.next(from: &unread, appendingPayloadTo: &message) {
            switch action {
            case .messageBegan(let opcode): self.opcode = opcode
            case .messageEnded: echo(context)
            case .pong(let frame): context.write(wrapOutboundOut(frame), promise: nil)
            case .end(let frame): end(sending: frame, context)
            case .fail(_, let frame): end(sending: frame, context)
            }
        }
        unread.discardReadBytes()
        context.flush()
    }

    private func echo(_ context: ChannelHandlerContext) {
        var frame = ByteBuffer()
        FrameHeader(opcode: opcode, payloadLength: message.readableBytes).write(to: &frame)
        frame.writeBuffer(&message)
        message.clear()
        context.write(wrapOutboundOut(frame), promise: nil)
    }

    /// Ends the sending side: the client closes when it has read what came before.
    private func end(sending frame: ByteBuffer?, _ context: ChannelHandlerContext) {
        if let frame { context.write(wrapOutboundOut(frame), promise: nil) }
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
