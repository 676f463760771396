import BrokerCore
import BrokerServer
import Documents
import Trust

extension Configuration {
    /// The listeners of MQTT, as the broker is to know them, with what knows the keys of signed requests.
    func mqttListeners(_ signatures: SignatureVerifier) -> [Listener] {
        let protocols: Set<ListenerConfiguration.ListenerProtocol> = [.mqtt, .mqtts, .ws, .wss]
        return listeners.filter { protocols.contains($0.protocol) }.map { listener in
            let webSocket = listener.protocol.takesWebSocket ? listener.webSocket : nil
            let transport: Listener.Transport =
                switch (webSocket, listener.tls) {
                case (nil, nil): .tcp
                case (nil, let tls?): .tls(tls)
                case (let webSocket?, nil): .ws(webSocket)
                case (let webSocket?, let tls?): .wss(webSocket, tls)
                }
            return Listener(listener, transport, signatures)
        }
    }
}

extension ListenerConfiguration {
    var webSocket: WebSocketListener { WebSocketListener(path: path ?? WebSocketListener.path, origins: origins) }

    var tls: TLSListener? {
        guard let certificate, let key else { return nil }
        return TLSListener(
            certificate: certificate, key: key, clientCA: clientCA, crl: crl, requireClientCertificate: requireClientCertificate)
    }
}

extension Listener {
    /// What the broker is to know of a listener in the configuration.
    init(_ listener: ListenerConfiguration, _ transport: Transport, _ signatures: SignatureVerifier) {
        self.init(
            name: listener.name, host: listener.host, port: listener.port, transport: transport, anonymous: listener.anonymous,
            terms: ListenerTerms(
                slowConsumer: SlowConsumerPolicy(rawValue: listener.slowConsumer) ?? .dropNewest,
                dialect: Dialect(rawValue: listener.dialect) ?? .standard, limitLoopback: listener.limitLoopback),
            signatures: listener.accessKeys ? signatures : nil)
    }
}
