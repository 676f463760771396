import BrokerCore
import NIOCore

/// Counts what is kept of the request that is to open a WebSocket connection, as bytes of somebody who has not said who they are.
///
/// Stands before HTTP's decoder, until there is an upgrade or no connection any more.
final class RequestBytesHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// What the decoder may keep: the fields that it has read, and as much that it could not read yet.
    private static let keptMax = 2 * WebSocketFront.headerBytesMax

    private let driver: ShardDriver
    private let info: ConnectionInfo
    private var read = 0
    private var counted = 0

    init(driver: ShardDriver, info: ConnectionInfo) {
        self.driver = driver
        self.info = info
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        read = min(read + unwrapInboundIn(data).readableBytes, Self.keptMax)
        guard driver.shard.keep(read, ofRequest: &counted, of: info) else { return context.channel.cutOff() }
        context.fireChannelRead(data)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        _ = driver.shard.keep(0, ofRequest: &counted, of: info)
    }
}
