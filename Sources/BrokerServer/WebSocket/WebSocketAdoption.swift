import BrokerCore
import HTTPExchange
package import NIOCore
package import NIOHTTP1

/// Takes over connections that another listener accepted, on the broker's event loops, for MQTT over WebSocket.
///
/// Made by ``Broker/webSocketAdoption(_:)``.
package struct WebSocketAdoption: Sendable {
    /// Why a connection is not taken; the text is for the client.
    enum Unavailable: Error, CustomStringConvertible {
        /// The broker is stopping, or the connection lives on a foreign event loop.
        case stopping
        /// One of the limits on connects; its name is in the log.
        case tooOften

        var description: String {
            switch self {
            case .stopping: "the broker is stopping"
            case .tooOften: "the address connects too often"
            }
        }
    }

    let listener: Listener
    let front: WebSocketFront
    let drivers: [ObjectIdentifier: NIOLoopBoundBox<ShardDriver>]

    /// Whether a request is for the broker, to be served or refused.
    package func claims(_ head: HTTPRequestHead) -> Bool {
        WebSocketRequest.isAsked(by: head) && WebSocketRequest.path(of: head) == front.webSocket.path
    }

    /// Takes a connection on which such a request is about to be read.
    ///
    /// Its pipeline ends with ``RequestCoders`` and a ``RequestExchangeHandler``, besides the caller, which is to pass the request on.
    ///
    /// - Throws: when the connection cannot be served; then nothing has changed.
    package func adopt(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        guard let driver = drivers[ObjectIdentifier(channel.eventLoop)]?.value else { throw Unavailable.stopping }
        let network = listener.terms.limited(PeerNetwork(channel.remoteAddress))
        if let reason = driver.admission.takePlace(for: network, now: .now) {
            driver.log.turnedAway(peer: PeerText.of(channel.remoteAddress), listener: listener.name, reason: reason)
            throw Unavailable.tooOften
        }
        guard driver.channels.add(channel) else { throw Unavailable.stopping }
        let coders = RequestCoders(
            encoder: try pipeline.handler(type: HTTPResponseEncoder.self),
            decoder: try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self))
        let exchange = try pipeline.handler(type: RequestExchangeHandler.self)
        // As on the broker's own listeners: a client that has closed its side is gone.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
        let connection = AcceptedConnection(channel, driver: driver, listener: listener, front: front)
        try front.wait(for: connection, principal: nil, isTLS: false, behind: coders, exchange)
    }
}
