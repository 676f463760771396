import NIOSSL

/// What an error of TLS means to the person who called a server.
package enum TLSErrorText {
    /// Names in BoringSSL's errors, and what they mean for a client; the first that occurs is taken.
    private static let meanings: [(name: String, words: String)] = [
        ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not of a CA that is trusted here, is not for this name, or has expired"),
        ("WRONG_VERSION_NUMBER", "what answers there does not speak TLS"),
        ("HTTP_REQUEST", "what answers there does not speak TLS"),
        ("CERTIFICATE_REQUIRED", "the server asks for a client's certificate: give --cert and --key"),
        ("ALERT_UNKNOWN_CA", "the server does not trust the CA of the client's certificate"),
        ("ALERT_BAD_CERTIFICATE", "the server refuses the client's certificate"),
        ("ALERT_CERTIFICATE_EXPIRED", "the server finds the client's certificate expired"),
        ("ALERT_CERTIFICATE_UNKNOWN", "the server refuses the client's certificate"),
        ("ALERT_HANDSHAKE_FAILURE", "the server takes none of the cipher suites, or asks for a certificate"),
        ("ALERT_PROTOCOL_VERSION", "the server takes none of the TLS versions"),
        ("EOF during handshake", "what answers there closed the connection during the handshake"),
        ("UNSUPPORTED_PROTOCOL", "the server offers no TLS version from 1.2 on"),
    ]

    /// In words where the error is known, else by its name; never with a place in the library's source.
    package static func of(_ error: any Error) -> String {
        let text: String
        switch error {
        case NIOSSLError.handshakeFailed(.sslError(let stack)), NIOSSLError.handshakeFailed(.unknownError(let stack)):
            text = stack.map(\.description).joined(separator: "; ")
        case NIOSSLError.uncleanShutdown, NIOSSLError.handshakeFailed(.zeroReturn):
            return "the server closed the connection during the handshake"
        default:
            text = "\(error)"
        }
        if let known = meanings.first(where: { text.contains($0.name) }) { return known.words }
        let names = text.split(separator: "OPENSSL_internal:").dropFirst().map { $0.prefix { $0 == "_" || $0.isLetter || $0.isNumber } }
        return names.isEmpty ? text : names.joined(separator: ", ")
    }
}
