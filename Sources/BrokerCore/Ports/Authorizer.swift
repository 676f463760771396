package import MQTTCodec
package import NIOCore

/// What is known of a connection before its CONNECT.
package struct ConnectionInfo: Sendable, Equatable {
    /// `address:port` of the peer.
    package var peer: String
    /// Name of the listener that accepted it, as in its start-up line.
    package var listener: String
    /// Whether the listener takes clients that prove nothing.
    package var allowsAnonymous: Bool
    /// The name that the client's certificate, or the signature of its request for WebSocket, proved.
    package var principal: String?
    /// By which ``principal`` was proved, where that may be taken back.
    package var credential: CredentialFingerprint?
    /// What else the certificate says, under the names that policies have for it; empty unless the authorizer wants it.
    package var attributes: [String: String] = [:]
    /// What TLS agreed on; `nil` where there is none.
    package var tls: TLSSummary?
    package var terms: ListenerTerms
    /// Where it comes from, as far as its connects are limited; `nil` where they are not.
    package var network: PeerNetwork?

    package init(
        peer: String, listener: String, allowsAnonymous: Bool, principal: String? = nil, terms: ListenerTerms = ListenerTerms(),
        network: PeerNetwork? = nil
    ) {
        self.peer = peer
        self.listener = listener
        self.allowsAnonymous = allowsAnonymous
        self.principal = principal
        self.terms = terms
        self.network = network
    }
}

/// The answer to "who is this, and may they connect?".
package enum Authentication: Sendable {
    /// `principal` is `nil` for an anonymous client.
    ///
    /// The authorizer is asked about the credential by which it was proved, if any, as long as the connection lasts.
    case accepted(principal: String?, credential: CredentialFingerprint? = nil)
    /// The same for a proof that ends, or says more of the client than its name.
    case proved(principal: String, Proof)
    /// The reason goes to the log; the client is told the code.
    case refused(ReasonCode, String)
    /// That takes a while: the shard has the check carried out elsewhere, and the client waits.
    case toBeChecked(any CredentialCheck)
}

/// Tells the credential that a client proved from every other one, and says nothing secret of it.
package struct CredentialFingerprint: Sendable, Equatable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// One exchange of enhanced authentication (MQTT 5 section 4.12), from CONNECT or a re-authentication to its end.
///
/// Sans-IO; belongs to one connection.
package protocol AuthenticationExchange: AnyObject {
    /// Takes the client's authentication data: of CONNECT or AUTH.
    func receive(_ data: ByteBuffer?) -> AuthenticationStep
}

/// What follows in an exchange of enhanced authentication.
package enum AuthenticationStep: Sendable, Equatable {
    /// AUTH with reason code 0x18 and this data.
    case challenge(ByteBuffer)
    /// The client has proved this principal; the data goes into CONNACK or the last AUTH.
    ///
    /// The authorizer is asked about the credential by which it was proved as long as the connection lasts.
    case accepted(principal: String, data: ByteBuffer?, credential: CredentialFingerprint? = nil)
    /// The same for a proof that ends, or says more of the client than its name.
    case proved(principal: String, Proof)
    case refused(ReasonCode, String)
}

/// The one door: every connection, publish, subscription and delivery asks here.
package protocol Authorizer: Sendable {
    /// Whether nobody is ever refused more than to connect: then what follows need not ask one by one.
    var isUnrestricted: Bool { get }
    func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication
    /// Begins an exchange by a method of enhanced authentication; `nil` when the method is not known, or not taken on that listener.
    func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)?
    /// Whether what is granted depends on more than a client's names: then `attributes(of:on:)` is asked at each connect.
    var wantsAttributes: Bool { get }
    /// Whether what is granted now depends on that: then nothing is known of a client that is away since a restart.
    var judgesByAttributes: Bool { get }
    /// What a client has beside its names while it is connected, under the names that policies have for it.
    func attributes(of connect: Connect, on connection: ConnectionInfo) -> [String: String]
    /// Why a credential that the client proved counts no more; `nil` when it does.
    ///
    /// Asked when the client is let in, and after every change of rights.
    func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String?
    /// Why the client may not connect by its name; `nil` when it may.
    func refusal(ofConnect client: Publisher) -> String?
    /// Why a message, or a will, may not be published; `nil` when it may.
    func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String?
    /// Why a filter may not be subscribed to, for a shared subscription the filter without its group; `nil` when it may.
    func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String?
    /// Asked at the time of delivery, live, retained, queued and resent alike.
    func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool
    /// Why a caller over HTTP may not do something, `events:PutEvents` with the bus of an ARN for instance; `nil` when it may.
    func refusal(ofCall action: String, on arn: String, by caller: Publisher) -> String?
    /// Whether something is denied to a caller over HTTP by name, and not just allowed by nothing.
    func denies(call action: String, on arn: String, to caller: Publisher) -> Bool
    /// What a caller over HTTP has beside its name, as ``AuthorizerNotes`` keeps it: the claims of its token, and where it comes from.
    func attributes(ofCaller claims: [String: String], from address: String?) -> [String: String]
    /// Why a delivery that is not allowed is not.
    func refusal(ofDelivery topic: String, to subscriber: Publisher) -> String
}

extension Authorizer {
    /// No method is known.
    package func exchange(method: String, on connection: ConnectionInfo) -> (any AuthenticationExchange)? { nil }
    package func refusal(ofCredential credential: CredentialFingerprint, by principal: String?, on connection: ConnectionInfo) -> String? {
        nil
    }
    package var wantsAttributes: Bool { false }
    package var judgesByAttributes: Bool { false }
    package func attributes(ofCaller claims: [String: String], from address: String?) -> [String: String] { [:] }
    package func attributes(of connect: Connect, on connection: ConnectionInfo) -> [String: String] { [:] }
    package func refusal(ofConnect client: Publisher) -> String? { nil }
    package func refusal(ofDelivery topic: String, to subscriber: Publisher) -> String { "the client may not receive it" }
    package func refusal(ofPublish topic: String, retain: Bool, by publisher: Publisher) -> String? { nil }
    package func refusal(ofSubscribe filter: String, by subscriber: Publisher) -> String? { nil }
    package func refusal(ofCall action: String, on arn: String, by caller: Publisher) -> String? { nil }
    package func denies(call action: String, on arn: String, to caller: Publisher) -> Bool { false }
}

/// Takes clients that proved a principal, and others where the listener allows them; once in, a client may do everything.
package struct ListenerAuthorizer: Authorizer {
    package init() {}

    package var isUnrestricted: Bool { true }

    package func authenticate(_ connect: Connect, on connection: ConnectionInfo) -> Authentication {
        if let principal = connection.principal { return .accepted(principal: principal) }
        if connection.allowsAnonymous { return .accepted(principal: nil) }
        return .refused(
            .notAuthorized,
            "the listener takes no client that proves nothing: give it a certificate (mqtts, wss), or say `anonymous: true` for the listener"
        )
    }

    package func allowsDelivery(of topic: String, to subscriber: Publisher) -> Bool { true }
}
