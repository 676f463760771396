import BrokerCore
import HTTPExchange
import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// A listener that is bound, and accepts connections when it is told to.
struct OpenListener {
    let listener: Listener
    let channel: any Channel
    /// `nil` where there is no TLS.
    let endpoint: CurrentEndpoint?
}

/// Opens one listener: what every accepted channel becomes.
struct ListenerOpening: Sendable {
    /// Connections that the kernel keeps waiting for accept.
    static let backlog: Int32 = 4_096
    /// Connections that are accepted before the event loop looks at others.
    static let acceptsPerTurn: UInt = 16

    let group: MultiThreadedEventLoopGroup
    /// One per event loop, by the loop.
    let drivers: [ObjectIdentifier: NIOLoopBoundBox<ShardDriver>]
    let limits: LimitsInForce
    let certificateTime: (@Sendable () -> Int64)?
    let logger: Logger

    func open(_ listener: Listener) async throws(ListenerError) -> OpenListener {
        let endpoint = try endpoint(of: listener).map { CurrentEndpoint($0) }
        let front = listener.webSocket.map { webSocket in self.front(webSocket, of: listener) }
        do {
            let channel = try await bootstrap(listener, endpoint, front).bind(host: listener.host, port: listener.port).get()
            return OpenListener(listener: listener, channel: channel, endpoint: endpoint)
        } catch {
            throw ListenerError(listener: listener.name, reason: Self.advice(for: error, listener))
        }
    }

    /// Reads the files of a TLS listener; `nil` for any other.
    func endpoint(of listener: Listener, replacing former: TLSEndpoint? = nil) throws(ListenerError) -> TLSEndpoint? {
        guard let tls = listener.tls else { return nil }
        do {
            let protocols = listener.webSocket == nil ? TLSEndpoint.mqttProtocols : TLSEndpoint.webSocketProtocols
            return try TLSEndpoint(tls, applicationProtocols: protocols, time: certificateTime, replacing: former)
        } catch {
            throw ListenerError(listener: listener.name, reason: error.reason)
        }
    }

    func front(
        _ webSocket: WebSocketListener, of listener: Listener, countRefusal: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> WebSocketFront {
        let refusals = HTTPRefusals(log: RefusalLog(logger: logger, eventLoop: group.next()), count: countRefusal)
        return WebSocketFront(webSocket, of: listener, limits: limits, refusals: refusals)
    }

    private func bootstrap(_ listener: Listener, _ current: CurrentEndpoint?, _ front: WebSocketFront?) -> ServerBootstrap {
        let logger = logger
        let drivers = drivers
        let prepare: @Sendable (any Channel) throws -> Void = { try self.prepare($0, listener, current, front) }
        return ServerBootstrap(group: group)  // TCP: ordered and lossless [MQTT-7.1.1-1]
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.autoRead, value: false)  // see Broker.beginAccepting()
            .serverChannelOption(.maxMessagesPerRead, value: Self.acceptsPerTurn)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Accepted sockets inherit what is set here; an option of each child would cost every connection a call, and NIO's way to it.
            .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // Finds a dead peer of a client that asked for no keep alive, or for a very long one.
            .serverChannelOption(.socketOption(.so_keepalive), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = AcceptErrorHandler(listener: listener.name, logger: logger)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    // Each event loop has one: what is served below has passed the gate, and has a place.
                    guard let driver = drivers[ObjectIdentifier(channel.eventLoop)]?.value else { throw ChannelError.ioOnClosedChannel }
                    let gate = ConnectGate(listener: listener, driver: driver)
                    try channel.pipeline.syncOperations.addHandler(ChildSetup(gate: gate, prepare: prepare))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
    }

    /// Memory for one read: what an idle client holds of it counts once for each connection, and a busy one's grows with what comes.
    private static let receiving = AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 512, maximum: 65_536)

    private func prepare(
        _ channel: any Channel, _ listener: Listener, _ current: CurrentEndpoint?, _ front: WebSocketFront?
    ) throws {
        guard let driver = drivers[ObjectIdentifier(channel.eventLoop)]?.value, driver.channels.add(channel) else {
            throw ChannelError.ioOnClosedChannel  // the broker is stopping
        }
        try channel.syncOptions?.setOption(.recvAllocator, value: Self.receiving)
        let connection = AcceptedConnection(channel, driver: driver, listener: listener, front: front)
        guard let current else { return try connection.serve(principal: nil, isTLS: false) }
        let endpoint = current.endpoint
        let hello = ServerHelloHandler()
        let paced = PacedHandshakeHandler(pace: driver.handshakes)
        let gate = HandshakeGate(
            endpoint: endpoint, of: current, connection: connection, handshakeSecondsMax: limits.current.connectSecondsMax, hello: hello,
            paced: paced)
        let tls =
            endpoint.verifiesClients
            ? NIOSSLServerHandler(
                context: endpoint.context,
                customVerificationCallbackWithMetadata: { [weak gate] chain, promise in
                    if let gate { gate.check(chain, promise) } else { promise.succeed(.failed) }
                })
            : NIOSSLServerHandler(context: endpoint.context)
        try channel.pipeline.syncOperations.addHandlers([FirstByteHandler(), paced, hello, tls, gate])
    }

    private static func advice(for error: any Error, _ listener: Listener) -> String {
        let place = "\(listener.host):\(listener.port)"
        if error is SocketAddressError { return "cannot listen on \(place): \(listener.host) is no address, and no name that has one" }
        guard let error = error as? IOError else { return "cannot listen on \(place): \(error)" }
        switch error.errnoCode {
        case EADDRINUSE: return "\(place) is in use; stop the program that listens there, or choose another port"
        case EACCES: return "\(place) is not allowed for this user; choose a port from 1024 on"
        case EADDRNOTAVAIL: return "\(listener.host) is no address of this machine"
        default: return "cannot listen on \(place): \(error.description)"
        }
    }
}
