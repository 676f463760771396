import NIOCore
import NIOSSL
import Trust

/// Why a TLS client never became an MQTT client, in words that say what to look at.
struct HandshakeFailure: Error, Equatable {
    var reason: String
    /// Subject of the certificate at fault, escaped; `nil` when none was presented.
    var subject: String?
    /// Place of that certificate in its chain: 0 for the client's own.
    var depth: Int?

    init(reason: String, subject: String? = nil, depth: Int? = nil) {
        self.reason = reason
        self.subject = subject
        self.depth = depth
    }

    init(_ failure: VerificationFailure) {
        self.init(reason: "the client's certificate is refused: \(failure.reason)", subject: failure.subject, depth: failure.depth)
    }

    /// What the TLS library or the socket said.
    init(error: any Error) {
        switch error {
        case NIOSSLError.handshakeFailed(.sslError(let stack)), NIOSSLError.handshakeFailed(.unknownError(let stack)):
            self.init(reason: Self.words(for: stack))
        case NIOSSLError.uncleanShutdown:
            self.init(reason: Self.peerLeft)
        case let error as IOError:
            self.init(reason: "the connection broke during the handshake: \(error.description)")
        default:
            self.init(reason: "the handshake failed: \(error)")
        }
    }

    /// Reason and subject in one.
    var text: String {
        guard let subject else { return reason }
        return "\(reason) (subject \(subject.isEmpty ? "unreadable" : subject))"
    }

    static let peerLeft = "the peer closed the connection during the handshake"
    static let noCertificate = "the client sent no certificate, and this listener demands one"
    static let timedOut = "the handshake was not complete in time"

    /// BoringSSL's names for what went wrong, and what they mean here.
    ///
    /// The first that occurs is taken.
    private static let meanings: [(name: String, words: String)] = [
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", noCertificate),
        ("CERTIFICATE_VERIFY_FAILED", "the client's certificate is refused"),
        ("TLSV1_ALERT_UNKNOWN_CA", "the client does not trust the server's certificate: unknown CA"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "the client does not accept the server's certificate"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "the client finds the server's certificate expired"),
        ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "the client does not accept the server's certificate"),
        ("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "the client does not support the server's certificate"),
        ("UNSUPPORTED_PROTOCOL", "the client offers no TLS version from 1.2 on"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "the client does not take TLS 1.2 or 1.3"),
        ("WRONG_VERSION_NUMBER", "the bytes are no TLS that this listener speaks"),
        ("NO_SHARED_CIPHER", "the client offers no cipher suite that this listener takes (ECDHE with AES-GCM or ChaCha20)"),
        ("NO_SHARED_GROUP", "the client offers no key exchange group that this listener takes"),
        ("NO_APPLICATION_PROTOCOL", "the client offers no ALPN protocol that this listener speaks"),
        ("EOF during handshake", peerLeft),
        ("KEY_USAGE_BIT_INCORRECT", "the client's certificate is not for signing: its key usage has no digitalSignature"),
        // In TLS 1.3 a client that gives up before it has the keys says so in a record that is not encrypted, which cannot be read any more.
        (
            "BAD_PACKET_LENGTH",
            "the client gave up during the handshake; most do because they do not trust the server's certificate, or its name is another"
        ),
    ]

    private static func words(for stack: NIOBoringSSLErrorStack) -> String {
        let text = stack.map(\.description).joined(separator: "; ")
        let known = meanings.first { contains(text, $0.name) }
        return known?.words ?? "the handshake failed: \(names(in: text))"
    }

    /// The names of the library's errors, without their places in its source.
    private static func names(in text: String) -> String {
        let names = text.split(separator: "OPENSSL_internal:").dropFirst().map { $0.prefix { $0 == "_" || $0.isLetter || $0.isNumber } }
        return names.isEmpty ? "no reason given" : names.joined(separator: ", ")
    }

    private static func contains(_ text: String, _ name: String) -> Bool {
        let name = Array(name.utf8)
        let text = Array(text.utf8)
        guard text.count >= name.count else { return false }
        return (0...(text.count - name.count)).contains { text[$0..<($0 + name.count)].elementsEqual(name) }
    }
}
