import COpenSSL

/// What the holder of a certificate wants to use it for.
package enum CertificatePurpose: Sendable {
    case client
    case server

    var identifier: Int32 {
        switch self {
        case .client: X509_PURPOSE_SSL_CLIENT
        case .server: X509_PURPOSE_SSL_SERVER
        }
    }
}

/// Says whether a certificate is to be believed: chain, signatures, dates, purpose, strength.
///
/// Made once per CA file and shared by all event loops; a reload makes a new one. A check blocks on nothing and takes a fraction
/// of a millisecond: decoding the key and checking one signature. The TLS listener calls it after every handshake, a resumed one too, because a session
/// ticket outlives the day on which a certificate ends.
///
/// A certificate without an extended key usage passes for every purpose, as RFC 5280 section 4.2.1.12 has it.
package struct CertificateVerifier: Sendable {
    private let store: TrustStore
    private let purpose: CertificatePurpose

    /// Trusts `authorities`, and nothing that comes with the system.
    ///
    /// - Parameters:
    ///   - authorities: The authorities.
    ///   - revocations: Their revocation lists, and those of intermediate authorities. With them, every certificate of a chain must have a list
    ///     of its issuer that is in time and does not name it; `nil` asks for none.
    ///   - purpose: What the certificates are for.
    /// - Throws: ``TrustError/notAnAuthority(subject:)`` if one of them is not a CA, as when the server's own certificate is given.
    package init(
        authorities: [Certificate], revocations: [RevocationList]? = nil, purpose: CertificatePurpose = .client
    ) throws(TrustError) {
        store = try TrustStore(authorities, revocations: revocations)
        self.purpose = purpose
    }

    /// Trusts the authorities in the PEM file at `path`.
    package init(authorityFile path: String, purpose: CertificatePurpose = .client) throws(TrustError) {
        try self.init(authorities: Certificate.list(file: path), purpose: purpose)
    }

    /// A certificate that is to be believed, and by what.
    package struct Verified: Sendable {
        /// The peer's own certificate.
        package let certificate: Certificate
        /// Those of the other certificates, DER, that its chain goes over.
        package let intermediates: [[UInt8]]
    }

    /// Checks a peer's certificate, and gives it back parsed.
    ///
    /// - Parameters:
    ///   - leaf: The peer's own certificate, DER.
    ///   - intermediates: What else the peer sent, DER, in any order. Never trusted, only used to build the chain.
    ///   - time: Seconds since 1970; now if not given.
    /// - Returns: The peer's own certificate, and which of the intermediates speak for it.
    /// - Throws: The first thing that is wrong with it or with its chain.
    package func verify(
        leaf: [UInt8], intermediates: [[UInt8]] = [], at time: Int64? = nil
    ) throws(VerificationFailure) -> Verified {
        guard !leaf.isEmpty else { throw VerificationFailure(reason: .noCertificate, depth: 0, subject: "") }
        let count = intermediates.count + 1
        guard count <= CertificateLimits.chainCertificatesMax else {
            throw VerificationFailure(reason: .tooManyCertificates(count), depth: 0, subject: "")
        }
        // Parsed once: decoding a public key costs libcrypto 3 about as much as checking a signature.
        let handle = try Self.reading(leaf, depth: 0)
        let certificate = try Self.blaming(depth: 0) { () throws(TrustError) in
            try Certificate(handle: handle, der: leaf, source: "certificate")
        }
        var chain = try Self.blaming(depth: 0) { () throws(TrustError) in try CertificateStack() }
        for (index, der) in intermediates.enumerated() {
            let intermediate = try Self.reading(der, depth: index + 1)
            do {
                try chain.append(intermediate)
            } catch {
                throw VerificationFailure(reason: VerificationReason(error), depth: index + 1, subject: "")
            }
        }
        let verdict: TrustStore.Verdict
        do {
            verdict = try store.verdict(of: handle, chain: chain, purpose: purpose, at: time ?? WallClock.now())
        } catch {
            throw VerificationFailure(reason: VerificationReason(error), depth: 0, subject: certificate.subject)
        }
        switch verdict {
        case .failed(let failure): throw failure
        case .believed(let places): return Verified(certificate: certificate, intermediates: places.map { intermediates[$0] })
        }
    }

    private static func reading(_ der: [UInt8], depth: Int) throws(VerificationFailure) -> CertificateHandle {
        try blaming(depth: depth) { () throws(TrustError) in try CertificateHandle.reading(der, source: "certificate") }
    }

    /// Carries out `body`; what goes wrong in it is the fault of the certificate at `depth`, of which no subject is known yet.
    private static func blaming<Result: ~Copyable>(
        depth: Int, _ body: () throws(TrustError) -> Result
    ) throws(VerificationFailure) -> Result {
        do {
            return try body()
        } catch {
            throw VerificationFailure(reason: VerificationReason(error), depth: depth, subject: "")
        }
    }
}
