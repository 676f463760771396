import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections to one broker.
package struct Dialer: Sendable {
    private let address: SocketAddress
    private let broker: BrokerAddress
    private let tls: NIOSSLContext?
    private let username: String?
    private let password: String?
    private let timeout: TimeAmount

    /// Resolves the broker's name and reads the files of TLS.
    package init(broker: BrokerAddress, parameters: LoadParameters) throws(LoadError) {
        do {
            address = try SocketAddress.makeAddressResolvingHost(broker.host, port: broker.port)
        } catch {
            throw .cannotConnect("\(broker): \(error)")
        }
        self.broker = broker
        tls = try parameters.tls?.makeContext()
        username = parameters.username
        password = parameters.password
        timeout = .nanoseconds(Int64(parameters.timeoutSeconds * 1e9))
    }

    /// Opens a session on `eventLoop`, on which this must be called.
    ///
    /// Sends `subscribe` after CONNACK, hands the open session to `successor`, and answers its channel, or fails with a ``LoadError``.
    func open(
        clientID: String, subscribe: [UInt8]?, successor: (any ChannelHandler)?, keepsSession: Bool = false, on eventLoop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let opened = eventLoop.makePromise(of: Void.self)
        let name = "\(broker) (\(clientID))"
        let opener = SessionOpener(
            connect: RawPackets.connect(clientID: clientID, username: username, password: password, keepsSession: keepsSession),
            subscribe: subscribe, successor: successor, name: name, usesTLS: tls != nil, timeout: timeout, opened: opened)
        let bound = NIOLoopBound(opener, eventLoop: eventLoop)
        let tls = tls
        // A name is verified as a name; an address is verified as an address by NIOSSL when no name is given.
        let serverName = Self.isAddress(broker.host) ? nil : broker.host
        let connected = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: serverName)) }
                    try pipeline.addHandler(bound.value)
                }
            }
            .connect(to: address)
        connected.whenFailure { opened.fail(LoadError.duringOpening($0, name: name)) }
        return opened.futureResult.flatMap { connected }
    }

    private static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }
}
