import BrokerCore
import NIOCore

/// A connection from accept to MQTT: what is known of it, and what it becomes.
struct AcceptedConnection {
    let channel: any Channel
    let driver: ShardDriver
    let listener: Listener
    /// `address:port`.
    let peer: String
    /// What connects are counted by; `nil` where they are not limited.
    let network: PeerNetwork?
    let openedAt: Instant
    /// What its client's certificate says beside the principal, if the authorizer wants it.
    var attributes: [String: String] = [:]
    /// What TLS agreed on; `nil` where there is none.
    var tls: TLSSummary?
    /// `nil` where MQTT begins with the first byte.
    let front: WebSocketFront?

    init(_ channel: any Channel, driver: ShardDriver, listener: Listener, front: WebSocketFront?) {
        self.channel = channel
        self.driver = driver
        self.listener = listener
        self.front = front
        let address = channel.remoteAddress
        peer = PeerText.of(address)
        network = listener.terms.limited(PeerNetwork(address))
        openedAt = .now
    }

    /// Puts into the pipeline what the client is to speak, at once or after its TLS handshake.
    func serve(principal: String?, isTLS: Bool) throws {
        if let front { return try front.begin(self, principal: principal, isTLS: isTLS) }
        try channel.pipeline.syncOperations.addHandler(mqttHandler(principal: principal, isPlain: !isTLS))
    }

    /// - Parameters:
    ///   - principal: what the client's certificate proved.
    ///   - signer: who signed the request for WebSocket, which is said for this one connection, and goes first.
    ///   - isPlain: whether MQTT is written to the socket as it is.
    ///   - webSocket: what frames it, in the same pipeline.
    /// - Returns: what speaks MQTT from here on.
    func mqttHandler(
        principal: String?, signer: RequestSigner? = nil, isPlain: Bool, over webSocket: WebSocketHandler? = nil
    ) -> MQTTConnectionHandler {
        var info = info(principal: signer?.principal ?? principal)
        info.credential = signer?.credential
        return MQTTConnectionHandler(driver: driver, info: info, openedAt: openedAt, isPlain: isPlain, webSocket: webSocket)
    }

    func info(principal: String?) -> ConnectionInfo {
        var info = ConnectionInfo(
            peer: peer, listener: listener.name, allowsAnonymous: listener.anonymous, principal: principal, terms: listener.terms,
            network: network)
        info.attributes = attributes
        info.tls = tls
        return info
    }
}
