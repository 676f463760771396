import BrokerServer
import Documents
import Trust

/// How the clients of a listener prove who they are.
enum ListenerAuthentication: Equatable {
    /// Every client has a certificate.
    case clientCertificate
    /// A certificate names the client that has one; the others are let in as nobody.
    case certificateOrAnonymous
    /// Clients of MQTT 5 prove a password; those that have a certificate need not.
    case scram(orCertificate: Bool, orAnonymous: Bool)
    /// Clients give a password in CONNECT; those that have a certificate need not.
    case password(orScram: Bool, orCertificate: Bool, orAnonymous: Bool)
    /// Requests are signed or, where `or` says more than that nobody is taken, clients prove themselves otherwise.
    indirect case signed(or: ListenerAuthentication)
    /// Clients show a token or, where `other` says more than that, prove themselves otherwise.
    indirect case token(entries: [String], or: ListenerAuthentication)
    /// Administrators show a secret or a token.
    case administrator(secret: Bool, entries: [String])
    case anonymous
    /// Nothing that this version checks is offered, so every request is refused.
    case closed
    /// Nothing is asked, and only health is told.
    case healthOnly

    var text: String {
        switch self {
        case .clientCertificate: "client certificate"
        case .certificateOrAnonymous: "client certificate or anonymous"
        case .scram(let orCertificate, let orAnonymous):
            "SCRAM-SHA-256 (MQTT 5)" + (orCertificate ? " or client certificate" : "") + (orAnonymous ? " or anonymous" : "")
        case .password(let orScram, let orCertificate, let orAnonymous):
            "password" + (orScram ? " or SCRAM-SHA-256 (MQTT 5)" : "") + (orCertificate ? " or client certificate" : "")
                + (orAnonymous ? " or anonymous" : "")
        case .signed(let other): "signed requests (AWS Signature Version 4)" + (other == .closed ? "" : " or \(other.text)")
        case .token(let entries, let other):
            "token (JWT: \(entries.joined(separator: ", ")))" + (other == .closed ? "" : " or \(other.text)")
        case .administrator(let secret, let entries):
            ((secret ? ["secret"] : []) + (entries.isEmpty ? [] : ["token (JWT: \(entries.joined(separator: ", ")))"]))
                .joined(separator: " or ")
        case .anonymous: "anonymous"
        case .closed:
            "every client is refused (say `anonymous: true` or, for HTTP and WebSocket, `accessKeys: true`; or for MQTT name a clientCA, "
                + "passwords, scramUsers or tokens)"
        case .healthOnly: "none, only /livez and /readyz answer (give it an adminToken)"
        }
    }

    /// Whether somebody who proves nothing gets in.
    var isOpen: Bool {
        switch self {
        case .certificateOrAnonymous, .anonymous: true
        case .scram(_, let orAnonymous), .password(_, _, let orAnonymous): orAnonymous
        case .signed(let other): other.isOpen
        case .token(_, let other): other.isOpen
        case .clientCertificate, .administrator, .closed, .healthOnly: false
        }
    }
}

extension ListenerConfiguration {
    var authentication: ListenerAuthentication {
        let entries = tokens.map(\.text)
        if `protocol` == .admin {
            if anonymous { return .anonymous }
            if adminToken == nil, tokens.isEmpty { return .healthOnly }
            return .administrator(secret: adminToken != nil, entries: entries)
        }
        let others = accessKeys ? .signed(or: authenticationWithoutSignatures) : authenticationWithoutSignatures
        return entries.isEmpty ? others : .token(entries: entries, or: others)
    }

    private var authenticationWithoutSignatures: ListenerAuthentication {
        if requireClientCertificate { return .clientCertificate }
        if passwords != nil {
            return .password(orScram: scramUsers != nil, orCertificate: clientCA != nil, orAnonymous: anonymous)
        }
        if scramUsers != nil { return .scram(orCertificate: clientCA != nil, orAnonymous: anonymous) }
        if clientCA != nil { return anonymous ? .certificateOrAnonymous : .clientCertificate }
        return anonymous ? .anonymous : .closed
    }

    /// What the listener runs over.
    var transport: String {
        switch self.protocol {
        case .mqtt: "MQTT over TCP"
        case .mqtts: "MQTT over TLS"
        case .ws: "MQTT over WebSocket at \(path ?? WebSocketListener.path)"
        case .wss: "MQTT over WebSocket and TLS at \(path ?? WebSocketListener.path)"
        case .http: "HTTP, MQTT over WebSocket at \(WebSocketListener.path)"
        case .admin: "HTTP"
        }
    }

    /// What the listener's certificate files are worth; nothing for a listener without TLS.
    var certificateFindings: [Finding] {
        guard let certificate, let key else { return [] }
        return ListenerInspection.findings(certificate: certificate, key: key, clientCA: clientCA, crl: crl)
    }
}
