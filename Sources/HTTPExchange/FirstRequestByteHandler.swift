import NIOCore

/// Stands before HTTP's decoder and looks at the first byte: who speaks TLS or MQTT here is told apart from bad HTTP.
final class FirstRequestByteHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What the peer speaks is no HTTP, and what it is.
    struct ForeignProtocol: Error {
        let reason: String
    }

    private var isForeign = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isForeign, let first = unwrapInboundIn(data).readableBytesView.first else { return }
        if let reason = Self.words(for: first) {
            isForeign = true
            return context.fireErrorCaught(ForeignProtocol(reason: reason))
        }
        context.fireChannelRead(data)
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    /// What the first byte says about the peer; `nil` when it may begin a request.
    static func words(for first: UInt8) -> String? {
        switch first {
        case 0x16: "the peer speaks TLS on a listener of plain HTTP"  // a handshake record
        case 0x10: "the peer speaks MQTT on a listener of HTTP"  // CONNECT
        default: nil
        }
    }
}
