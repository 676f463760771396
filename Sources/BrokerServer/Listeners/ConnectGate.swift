import BrokerCore
import NIOCore

/// Stands where a listener accepts, and closes what comes faster than it may, before TLS and before any shard hears of it.
///
/// Lives on the listener's event loop; the accepted channel belongs to another one, and is not registered there yet.
final class ConnectGate: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let listener: Listener
    private let driver: ShardDriver

    init(listener: Listener, driver: ShardDriver) {
        self.listener = listener
        self.driver = driver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let channel = unwrapInboundIn(data)
        if let network = listener.terms.limited(PeerNetwork(channel.remoteAddress)),
            let reason = driver.admission.connected(network, now: .now)
        {
            driver.log.turnedAway(peer: PeerText.of(channel.remoteAddress), listener: listener.name, reason: reason)
            channel.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}
