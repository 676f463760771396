package import BrokerCore
package import Trust

/// One address on which MQTT clients are taken, as configured.
package struct Listener: Sendable {
    package enum Transport: Sendable {
        case tcp
        case tls(TLSListener)
        case ws(WebSocketListener)
        case wss(WebSocketListener, TLSListener)
    }

    /// What the log and the list of clients call it, `mqtts 0.0.0.0:8883` for instance.
    package var name: String
    package var host: String
    /// 0 takes a free port, which ``ListenerBinding/port`` then tells.
    package var port: Int
    package var transport: Transport
    /// Whether clients that prove nothing are taken.
    package var anonymous: Bool
    package var terms: ListenerTerms
    /// Checks the signatures of requests for WebSocket; `nil` where they are not looked at.
    package var signatures: SignatureVerifier?

    package init(
        name: String, host: String, port: Int, transport: Transport, anonymous: Bool, terms: ListenerTerms = ListenerTerms(),
        signatures: SignatureVerifier? = nil
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.transport = transport
        self.anonymous = anonymous
        self.terms = terms
        self.signatures = signatures
    }
}

/// What a WebSocket listener serves, and to whose pages.
package struct WebSocketListener: Sendable, Equatable {
    /// Where MQTT is served on the `http` listener, and elsewhere unless configured.
    package static let path = "/mqtt"

    /// The path that a request names; its query is not looked at.
    package var path: String
    /// Web pages' origins that may connect, or `*` for all.
    ///
    /// Without a list, those whose host is the one that the request was sent to; see ``OriginRule``.
    package var origins: [String]?

    package init(path: String = WebSocketListener.path, origins: [String]? = nil) {
        self.path = path
        self.origins = origins
    }
}

/// The files of a TLS listener, all PEM.
package struct TLSListener: Sendable, Equatable {
    /// The server's certificate, followed by its intermediates.
    package var certificate: String
    package var key: String
    /// The authorities that clients' certificates must come from.
    package var clientCA: String?
    /// Their revocation lists, and those of intermediate authorities.
    ///
    /// With it, a client whose certificate, or one above it, is not covered by a list in time is refused. Needs ``clientCA``.
    package var crl: String?
    /// Whether a client without a certificate is refused in the handshake.
    ///
    /// Needs ``clientCA``.
    package var requireClientCertificate: Bool

    package init(certificate: String, key: String, clientCA: String?, crl: String? = nil, requireClientCertificate: Bool) {
        self.certificate = certificate
        self.key = key
        self.clientCA = clientCA
        self.crl = crl
        self.requireClientCertificate = requireClientCertificate
    }
}

/// A listener that is open.
///
/// Its description is the start-up line: address, transport, authentication.
package struct ListenerBinding: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    /// `address:port`, or `[address]:port` for IPv6, as bound.
    package let address: String
    package let port: Int
    package let transport: String
    package let authentication: String

    package var description: String { "\(address) \(transport), \(authentication)" }
}

extension Listener {
    func binding(address: String, port: Int) -> ListenerBinding {
        ListenerBinding(name: name, address: address, port: port, transport: transportText, authentication: authenticationText)
    }

    private var transportText: String {
        switch transport {
        case .tcp: "MQTT over TCP"
        case .tls: "MQTT over TLS 1.2 to 1.3"
        case .ws(let webSocket): "MQTT over WebSocket at \(webSocket.path)"
        case .wss(let webSocket, _): "MQTT over WebSocket at \(webSocket.path), TLS 1.2 to 1.3"
        }
    }

    var tls: TLSListener? {
        switch transport {
        case .tls(let tls), .wss(_, let tls): tls
        case .tcp, .ws: nil
        }
    }

    var webSocket: WebSocketListener? {
        switch transport {
        case .ws(let webSocket), .wss(let webSocket, _): webSocket
        case .tcp, .tls: nil
        }
    }

    private var authenticationText: String {
        if signatures == nil { return authenticationTextUnsigned }
        let others = tls?.clientCA != nil || anonymous
        return "signed request" + (others ? " or \(authenticationTextUnsigned)" : "")
    }

    private var authenticationTextUnsigned: String {
        guard let tls, tls.clientCA != nil else {
            return anonymous ? "anonymous clients" : "no client can prove who it is, so none is taken"
        }
        if tls.requireClientCertificate { return "client certificate required" }
        return anonymous ? "client certificate or anonymous" : "client certificate, asked for after the handshake"
    }
}

/// Why the broker did not start; says which listener and what to do.
package struct ListenerError: Error, Equatable, CustomStringConvertible {
    package let listener: String
    package let reason: String

    package var description: String { "listener \(listener): \(reason)" }
}
