import NIOCore
import NIOPosix
import NIOSSL

/// What a connection is opened for.
struct SessionRequest: Sendable {
    var clientID: String
    /// Sent after CONNACK; `nil` leaves the session without a subscription of this connection.
    var subscribe: [UInt8]?
    /// Whether the broker keeps the session when the connection ends.
    var keepsSession = false
    /// How many messages the client will have unfinished; an MQTT 5 broker that takes fewer is told of by name.
    var window = 1
    /// Which of the client's own addresses the connection comes from; see ``SourceAddresses``.
    var source = 0
}

/// A session that a broker has accepted.
struct OpenedSession: Sendable {
    var channel: any Channel
    /// What CONNACK said of the session: that the broker had one.
    var isSessionPresent: Bool
    /// The most unfinished messages that the broker takes; 65,535 unless an MQTT 5 broker says fewer.
    var receiveMaximum: Int
    /// Whether TLS went on where an earlier connection ended.
    var isResumed: Bool
}

/// Opens connections to one broker.
package struct Dialer: Sendable {
    let version: MQTTVersion
    private let address: SocketAddress
    private let broker: BrokerAddress
    private let tls: NIOSSLContext?
    private let resumingTLS: ResumingTLSContext?
    private let webSocketPath: String?
    private let username: String?
    private let password: String?
    private let timeout: TimeAmount
    private let sources: SourceAddresses

    /// Resolves the broker's name and reads the files of TLS.
    package init(broker: BrokerAddress, parameters: LoadParameters) throws(LoadError) {
        do {
            address = try SocketAddress.makeAddressResolvingHost(broker.host, port: broker.port)
        } catch {
            throw .cannotConnect("\(broker): \(error)")
        }
        self.broker = broker
        sources = try SourceAddresses(connections: parameters.connectionCount, broker: address)
        tls = parameters.resumes ? nil : try parameters.tls?.makeContext()
        resumingTLS =
            parameters.resumes ? try parameters.tls.map { tls throws(LoadError) in try ResumingTLSContext(tls, host: broker.host) } : nil
        webSocketPath = parameters.webSocketPath
        version = parameters.version
        username = parameters.username
        password = parameters.password
        timeout = .nanoseconds(Int64(parameters.timeoutSeconds * 1e9))
    }

    /// Opens a session on `eventLoop`, on which this must be called.
    ///
    /// Hands the open session to `successor`, and answers its channel, or fails with a ``LoadError``. `ticket` is where TLS sessions are kept
    /// from one connection to the next, when they are to be resumed.
    func open(
        _ request: SessionRequest, successor: (any ChannelHandler)?, ticket: TLSTicket? = nil, on eventLoop: any EventLoop
    ) -> EventLoopFuture<OpenedSession> {
        let opened = eventLoop.makePromise(of: OpenedSession.self)
        let name = "\(broker) (\(request.clientID))"
        let opener = SessionOpener(
            request,
            connect: RawPackets.connect(
                clientID: request.clientID, username: username, password: password, keepsSession: request.keepsSession, version: version),
            version: version, successor: successor, name: name, usesTLS: tls != nil || resumingTLS != nil, timeout: timeout, opened: opened)
        let bound = NIOLoopBound((opener, ticket), eventLoop: eventLoop)
        let (tls, resumingTLS, broker) = (tls, resumingTLS, broker)
        // A name is verified as a name; an address is verified as an address by NIOSSL when no name is given.
        let serverName = SocketAddress.isAddress(broker.host) ? nil : broker.host
        let handshake = webSocketPath.map { WebSocketHandshake(broker: broker, path: $0) }
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (opener, ticket) = bound.value
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(HardEndHandler())
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName)) }
                    if let resumingTLS {
                        let handler = try resumingTLS.makeHandler(ticket: ticket)
                        opener.resumption = handler
                        try pipeline.addHandler(handler)
                    }
                    if let handshake { try pipeline.addHandler(WebSocketClientHandler(handshake)) }
                    try pipeline.addHandler(opener)
                }
            }
        if let source = sources.address(request.source) { bootstrap = bootstrap.bind(to: source) }
        bootstrap.connect(to: address).whenFailure { opened.fail(LoadError.duringOpening($0, name: name)) }
        return opened.futureResult
    }
}

extension Dialer {
    /// Opens a plain connection to an address beside the broker's own.
    func connect(
        _ address: BrokerAddress, on eventLoop: any EventLoop, initialize: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<Void> {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try initialize(channel) } }
            .connect(host: address.host, port: address.port)
            .map { _ in }
            .flatMapErrorThrowing { throw LoadError.cannotConnect("\(address): \($0)") }
    }
}

extension SocketAddress {
    /// Whether a host is written as an address and not as a name.
    static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
