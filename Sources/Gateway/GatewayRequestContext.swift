import BrokerCore
import HTTPExchange
package import Hummingbird
import NIOCore

/// What the gateway knows about a request besides the request.
package struct GatewayRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer's address without its port; `nil` for a request that came over no socket.
    let sourceAddress: String?
    /// The peer's address with its port, for the log.
    let peer: String
    let departure: PeerDeparture
    /// Who showed a token; `nil` for a request without one.
    var caller: TokenCaller?

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        sourceAddress = source.channel.remoteAddress?.ipAddress
        peer = PeerText.of(source.channel.remoteAddress)
        departure = PeerDeparture(of: source.channel)
    }
}
