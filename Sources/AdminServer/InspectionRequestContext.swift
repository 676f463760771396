import BrokerCore
package import Hummingbird
import NIOCore

/// What a listener for people knows about a request besides the request.
package struct InspectionRequestContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The peer's address with its port, for the log.
    let peer: String

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = PeerText.of(source.channel.remoteAddress)
    }
}
