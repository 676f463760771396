import BrokerCore
package import HTTPExchange
package import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

/// One address that takes HTTP, for whatever answers there: the part that the listeners for programs and for people share.
package struct HTTPListener: Sendable {
    package let host: String
    /// 0 lets the system choose.
    package let port: Int
    package let limits: HTTPListenerLimits
    package let refusals: HTTPRefusals
    private let eventLoopGroup: any EventLoopGroup
    private let log: Logger
    private let takeover: ConnectionTakeover?
    private let heads: UnfinishedHeads?
    private let connections: ConnectionCount
    private let onListening: @Sendable (SocketAddress) async -> Void

    /// - Parameters:
    ///   - host: a name or address, without the brackets of an IPv6 address.
    ///   - port: 0 lets the system choose.
    ///   - limits: what each connection keeps to.
    ///   - eventLoopGroup: where connections live.
    ///   - log: takes refused requests, and what Hummingbird warns of.
    ///   - takeover: who may have connections whose first request asks for it.
    ///   - connections: counts those of this listener.
    ///   - countRefusal: called with the status for each request that was refused before its responder saw it.
    ///   - onListening: called once with the bound address; no connection is accepted before it returns.
    package init(
        host: String, port: Int, limits: HTTPListenerLimits, eventLoopGroup: any EventLoopGroup, log: Logger,
        takeover: ConnectionTakeover? = nil, connections: ConnectionCount = ConnectionCount(),
        countRefusal: @escaping @Sendable (_ status: Int) -> Void = { _ in },
        onListening: @escaping @Sendable (SocketAddress) async -> Void
    ) {
        self.host = host
        self.port = port
        self.limits = limits
        self.eventLoopGroup = eventLoopGroup
        self.log = log
        self.takeover = takeover
        self.connections = connections
        self.onListening = onListening
        heads = limits.unfinishedHeads.map { UnfinishedHeads($0) }
        refusals = HTTPRefusals(log: RefusalLog(logger: log, eventLoop: eventLoopGroup.next()), count: countRefusal)
    }

    /// The listener with its pipeline, not running yet.
    ///
    /// Tests send it requests without a socket.
    package func application<Responder: HTTPResponder>(answeredBy responder: Responder) -> Application<Responder>
    where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
        // Hummingbird's own lines are not for the operator: the start-up line is written by whoever starts the listener.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .warning)
        var named = log
        named[metadataKey: "listener"] = "HTTP \(host):\(port)"
        let limits = limits
        let refusals = refusals
        let takeover = takeover
        let heads = heads
        let connections = connections
        let start = AcceptStart()
        return Application(
            responder: responder,
            server: HTTPServerBuilder {
                HTTPConnection(
                    responder: $0, limits: limits, refusals: refusals, takeover: takeover, heads: heads, connections: connections)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: HeldConnections(
                    until: start, connectionsMax: limits.connectionsMax, count: connections, log: named)),
            onServerRunning: { [onListening, log] channel in
                let name = "HTTP \(PeerText.of(channel.localAddress))"
                let prepared = channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrorHandler(listener: name, logger: log), position: .first)
                }
                try? await prepared.get()  // a listener that has ended meanwhile accepts nothing
                if let address = channel.localAddress { await onListening(address) }
                if Task.isCancelled || Task.isShuttingDownGracefully { return }
                start.begin()
                channel.read()
            },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: quiet
        )
    }
}
