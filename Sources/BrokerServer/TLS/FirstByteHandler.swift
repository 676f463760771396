import NIOCore

/// Stands before TLS and looks at the first byte: who speaks something else is told apart from a failed handshake.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let first = unwrapInboundIn(data).readableBytesView.first else { return }
        if let words = Self.words(for: first) {
            context.fireErrorCaught(HandshakeFailure(reason: words))
            return
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// What the first byte says about the peer; `nil` when it may begin a TLS handshake.
    static func words(for first: UInt8) -> String? {
        switch first {
        case 0x16: nil  // a handshake record
        case 0x10: "the peer speaks plain MQTT on a TLS listener"
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): "the peer speaks plain HTTP on a TLS listener"
        default: "the first byte, \(first), begins no TLS handshake"
        }
    }
}
