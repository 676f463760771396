import NIOCore
import NIOSSL
import Synchronization
import Trust

/// What a TLS listener needs for every connection: its context, and who says whether a client is to be believed.
///
/// Immutable but for what it remembers of clients and intermediates, and shared by all event loops. A reload makes a new one, which takes its place in
/// a ``CurrentEndpoint``.
final class TLSEndpoint: Sendable {
    /// Intermediate certificates remembered, over all clients; those that were of use last.
    static let intermediatesMax = CertificateLimits.chainCertificatesMax - 1

    /// What ALPN may agree on: the standard's name, and the one by which AWS's SDKs ask for MQTT on port 443.
    static let mqttProtocols = ["mqtt", "x-amzn-mqtt-ca"]
    static let webSocketProtocols = ["http/1.1"]

    let context: NIOSSLContext
    let requiresCertificate: Bool
    /// The certificates that the files had, the listener's own first.
    let certificates: [ListenerCertificate]
    /// What the files said, for the log.
    let summary: String
    /// When the server's certificate, or one of those it sends with it, ends first; seconds since 1970.
    let notAfter: Int64
    /// Tells what the files said from anything else that they could say.
    let digest: [UInt8]
    private let verifier: CertificateVerifier?
    let believed: BelievedCertificates
    private let time: (@Sendable () -> Int64)?
    /// Intermediates of chains that were believed.
    ///
    /// A resumed session shows the client's own certificate only; these let its chain be built again.
    private let intermediates: Mutex<[[UInt8]]>

    /// Whether clients are asked for a certificate at all.
    var verifiesClients: Bool { verifier != nil }

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - listener: Where they are.
    ///   - applicationProtocols: What ALPN may agree on.
    ///   - time: Seconds since 1970 at which certificates are judged; the time of day if not given.
    ///   - former: The one whose place it is to take: what that remembers of intermediates is remembered on.
    /// - Throws: The file that cannot be used, and why.
    init(
        _ listener: TLSListener, applicationProtocols: [String], time: (@Sendable () -> Int64)? = nil, replacing former: TLSEndpoint? = nil
    ) throws(TLSFilesError) {
        self.time = time
        intermediates = Mutex(former?.intermediates.withLock { $0 } ?? [])
        do {
            let chain = try Certificate.list(file: listener.certificate)
            let key = try PrivateKey(file: listener.key)
            let keyText = try key.pem()
            if let own = chain.first, try !key.belongs(to: own) { throw TrustError.keyMismatch(subject: own.subject) }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try chain.map { .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der)) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: keyText, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.maximumTLSVersion = .tlsv13
            configuration.cipherSuiteValues = Self.cipherSuites
            configuration.applicationProtocols = applicationProtocols
            configuration.shutdownTimeout = .seconds(MQTTConnectionHandler.lingerSecondsMax)
            let authorities = try listener.clientCA.map { (path) throws(TrustError) in try Certificate.list(file: path) }
            let revocations = try listener.crl.map { (path) throws(TrustError) in try RevocationList.list(file: path) }
            notAfter = chain.map(\.notAfter).min() ?? 0
            certificates =
                chain.prefix(1).map { ListenerCertificate($0, .server) }
                + (authorities ?? []).map { ListenerCertificate($0, .clientAuthority) }
            believed = BelievedCertificates(authorities: authorities ?? [], revocations: revocations ?? [])
            summary = Self.summary(chain, authorities, revocations)
            digest = Self.digest(of: chain.map(\.der) + [keyText], authorities?.map(\.der), revocations?.map(\.der), listener)
            if let authorities {
                verifier = try CertificateVerifier(authorities: authorities, revocations: revocations, purpose: .client)
                // For the list of names that clients choose their certificate by; the chain is checked by `verifier`.
                configuration.trustRoots = .certificates(
                    try authorities.map { try NIOSSLCertificate(bytes: $0.der, format: .der) })
                configuration.sendCANameList = true
                configuration.certificateVerification = listener.requireClientCertificate ? .noHostnameVerification : .optionalVerification
            } else if listener.crl != nil {
                throw TLSFilesError(reason: "crl needs clientCA, the file of authorities whose certificates it revokes")
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

    private static func summary(_ chain: [Certificate], _ authorities: [Certificate]?, _ revocations: [RevocationList]?) -> String {
        let own = chain.first.map { "\($0.subject), valid until \(CalendarDay(secondsSince1970: $0.notAfter))" }
        let clients = authorities.map { list in "clients of " + list.map(\.subject).joined(separator: " and ") }
        return ([own, clients].compactMap(\.self) + (revocations ?? []).map(\.description)).joined(separator: "; ")
    }

    private static func digest(
        of own: [[UInt8]], _ authorities: [[UInt8]]?, _ revocations: [[UInt8]]?, _ listener: TLSListener
    ) -> [UInt8] {
        let parts = [own, authorities ?? [], revocations ?? []]
        let marks = "\(parts.map { $0.map(\.count) }) \(authorities != nil) \(revocations != nil) \(listener.requireClientCertificate)"
        return Digest.hash(Array(marks.utf8) + parts.joined().joined(), algorithm: "SHA256") ?? []
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
        return try believe(verifier, leaf, Array(presented.dropFirst()), isResumed: false)
    }

    /// As ``identify(_:)`` when the session is resumed, which shows the client's own certificate only.
    ///
    /// It may have expired since.
    func identifyAgain(_ leaf: [UInt8]) throws(HandshakeFailure) -> Principal {
        guard let verifier else { throw HandshakeFailure(reason: HandshakeFailure.noCertificate) }
        return try believe(verifier, leaf, intermediates.withLock { $0 }, isResumed: true)
    }

    private func believe(
        _ verifier: CertificateVerifier, _ leaf: [UInt8], _ intermediates: [[UInt8]], isResumed: Bool
    ) throws(HandshakeFailure) -> Principal {
        let now = time?() ?? WallClock.now()
        let chain = [leaf] + (isResumed ? [] : intermediates)
        if let known = believed.principal(of: chain, isResumed: isResumed, at: now) { return known }
        let verified: CertificateVerifier.Verified
        do {
            verified = try verifier.verify(leaf: leaf, intermediates: intermediates, at: now)
        } catch {
            throw HandshakeFailure(error)
        }
        // No others: what a client sends beside its chain would push out what the sessions of other clients need.
        if !isResumed { remember(verified.intermediates) }
        let principal = try Self.principal(of: verified.certificate)
        let others = verified.intermediates.compactMap { try? Certificate(der: $0) }
        let certificates = [verified.certificate] + others
        believed.note(principal, of: chain, isResumed: isResumed, dependingOn: certificates, at: now)
        // Its resumed sessions show its own certificate only, and what they need beside that may be pushed out by what others do.
        if !isResumed, !others.isEmpty { believed.note(principal, of: [leaf], isResumed: true, dependingOn: certificates, at: now) }
        return principal
    }

    /// Why a client that an earlier endpoint took would not be taken by this one; `nil` when it would.
    ///
    /// Of a client that is served already (not `isNew`) a revocation list alone says nothing: it proved itself when it came, and a list
    /// that has ended says nothing against it.
    func objection(to proof: ClientProof, isNew: Bool) -> HandshakeFailure? {
        guard let leaf = proof.leaf else {
            return requiresCertificate ? HandshakeFailure(reason: HandshakeFailure.noCertificate) : nil
        }
        guard let verifier else {
            return HandshakeFailure(reason: "the listener takes no certificates any more: it has no clientCA", subject: "")
        }
        let intermediates = proof.intermediates.isEmpty ? intermediates.withLock { $0 } : proof.intermediates
        do {
            _ = try verifier.verify(leaf: leaf, intermediates: intermediates, at: time?())
            return nil
        } catch {
            return error.reason.isOfRevocationList && !isNew ? nil : HandshakeFailure(error)
        }
    }

    private static func principal(of certificate: Certificate) throws(HandshakeFailure) -> Principal {
        do {
            return try Principal(from: certificate)
        } catch {
            throw HandshakeFailure(reason: error.description, subject: certificate.subject, depth: 0)
        }
    }

    /// Those that were of use last stay.
    private func remember(_ chain: [[UInt8]]) {
        intermediates.withLock { known in
            for certificate in chain {
                known.removeAll { $0 == certificate }
                if known.count == Self.intermediatesMax { known.removeFirst() }
                known.append(certificate)
            }
        }
    }

    /// The same certificates, in the storage of those that are remembered: for connections to keep, of which many have the same.
    func shared(_ chain: [[UInt8]]) -> [[UInt8]] {
        intermediates.withLock { known in chain.map { certificate in known.first { $0 == certificate } ?? certificate } }
    }
}

/// What a connection proved its client by, as far as it can be judged again.
struct ClientProof: Sendable {
    /// The client's own certificate, DER; `nil` for a client that showed none.
    var leaf: [UInt8]?
    /// What else it sent; empty where that was not needed, or where its TLS session was resumed.
    var intermediates: [[UInt8]]
}

/// Why a TLS listener's files cannot be used; names the file.
struct TLSFilesError: Error, Equatable {
    let reason: String
}
