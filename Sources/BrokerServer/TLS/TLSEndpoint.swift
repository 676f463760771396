import NIOCore
import NIOSSL
import Synchronization
import Trust

/// What a TLS listener needs for every connection: its context, and who says whether a client is to be believed.
///
/// Immutable but for what it remembers of intermediates, and shared by all event loops. A reload makes a new one.
final class TLSEndpoint: Sendable {
    /// Intermediate certificates remembered, over all clients; further ones are not.
    static let intermediatesMax = CertificateLimits.chainCertificatesMax - 1

    /// What ALPN may agree on: the standard's name, and the one by which AWS's SDKs ask for MQTT on port 443.
    static let mqttProtocols = ["mqtt", "x-amzn-mqtt-ca"]
    static let webSocketProtocols = ["http/1.1"]

    let context: NIOSSLContext
    let requiresCertificate: Bool
    private let verifier: CertificateVerifier?
    private let time: (@Sendable () -> Int64)?
    /// Intermediates of chains that were believed.
    ///
    /// A resumed session shows the client's own certificate only; these let its chain be built again.
    private let intermediates = Mutex<[[UInt8]]>([])

    /// Whether clients are asked for a certificate at all.
    var verifiesClients: Bool { verifier != nil }

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - listener: Where they are.
    ///   - applicationProtocols: What ALPN may agree on.
    ///   - time: Seconds since 1970 at which certificates are judged; the time of day if not given.
    /// - Throws: The file that cannot be used, and why.
    init(_ listener: TLSListener, applicationProtocols: [String], time: (@Sendable () -> Int64)? = nil) throws(TLSFilesError) {
        self.time = time
        do {
            let chain = try Certificate.list(file: listener.certificate)
            let key = try PrivateKey(file: listener.key)
            if let own = chain.first, try !key.belongs(to: own) { throw TrustError.keyMismatch(subject: own.subject) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: try key.pem(), format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.maximumTLSVersion = .tlsv13
            configuration.cipherSuiteValues = Self.cipherSuites
            configuration.applicationProtocols = applicationProtocols
            configuration.shutdownTimeout = .seconds(MQTTConnectionHandler.lingerSecondsMax)
            if let path = listener.clientCA {
                let authorities = try Certificate.list(file: path)
                verifier = try CertificateVerifier(authorities: authorities, purpose: .client)
                // For the list of names that clients choose their certificate by; the chain is checked by `verifier`.
                configuration.trustRoots = .certificates(
                    try authorities.map { try NIOSSLCertificate(bytes: $0.der, format: .der) })
                configuration.sendCANameList = true
                configuration.certificateVerification = listener.requireClientCertificate ? .noHostnameVerification : .optionalVerification
            } else if listener.requireClientCertificate {
                throw TLSFilesError(reason: "requireClientCertificate needs clientCA, the file of authorities to check against")
            } else {
                verifier = nil
                configuration.certificateVerification = .none
            }
            requiresCertificate = listener.requireClientCertificate
            context = try NIOSSLContext(configuration: configuration)
        } catch let error as TLSFilesError {
            throw error
        } catch let error as TrustError {
            throw TLSFilesError(reason: error.description)
        } catch {
            throw TLSFilesError(reason: "\(listener.certificate), \(listener.key): the TLS library does not take them: \(error)")
        }
    }

    /// For TLS 1.2; those of 1.3 are all of this kind.
    private static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// Who the chain proves the client to be.
    ///
    /// `presented` is the client's own certificate first, DER.
    ///
    /// - Throws: What is wrong, with the subject of the certificate at fault.
    func identify(_ presented: [[UInt8]]) throws(HandshakeFailure) -> Principal {
        guard let verifier, let leaf = presented.first else { throw HandshakeFailure(reason: HandshakeFailure.noCertificate) }
        let certificate = try verified(verifier, leaf, Array(presented.dropFirst()))
        if presented.count > 1 { remember(presented.dropFirst()) }
        return try Self.principal(of: certificate)
    }

    /// As ``identify(_:)`` when the session is resumed, which shows the client's own certificate only.
    ///
    /// It may have expired since.
    func identifyAgain(_ leaf: [UInt8]) throws(HandshakeFailure) -> Principal {
        guard let verifier else { throw HandshakeFailure(reason: HandshakeFailure.noCertificate) }
        return try Self.principal(of: verified(verifier, leaf, intermediates.withLock { $0 }))
    }

    private func verified(
        _ verifier: CertificateVerifier, _ leaf: [UInt8], _ intermediates: [[UInt8]]
    ) throws(HandshakeFailure) -> Certificate {
        do {
            return try verifier.verify(leaf: leaf, intermediates: intermediates, at: time?())
        } catch {
            throw HandshakeFailure(error)
        }
    }

    private static func principal(of certificate: Certificate) throws(HandshakeFailure) -> Principal {
        do {
            return try Principal(from: certificate)
        } catch {
            throw HandshakeFailure(reason: error.description, subject: certificate.subject, depth: 0)
        }
    }

    private func remember(_ chain: ArraySlice<[UInt8]>) {
        intermediates.withLock { known in
            for certificate in chain where known.count < Self.intermediatesMax && !known.contains(certificate) {
                known.append(certificate)
            }
        }
    }
}

/// Why a TLS listener's files cannot be used; names the file.
struct TLSFilesError: Error, Equatable {
    let reason: String
}
