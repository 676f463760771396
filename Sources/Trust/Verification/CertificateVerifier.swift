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
/// Made once per CA file and shared by all event loops; a reload makes a new one. A check blocks on nothing and costs about as much as two
/// signature checks (0.1 to 0.2 ms for P-256). The TLS listener calls it after every handshake, a resumed one too, because a session
/// ticket outlives the day on which a certificate ends.
///
/// A certificate without an extended key usage passes for every purpose, as RFC 5280 section 4.2.1.12 has it.
package struct CertificateVerifier: Sendable {
    private let store: TrustStore
    private let purpose: CertificatePurpose

    /// Trusts `authorities`, and nothing that comes with the system.
    ///
    /// - Throws: ``TrustError/notAnAuthority(subject:)`` if one of them is not a CA, as when the server's own certificate is given.
    package init(authorities: [Certificate], purpose: CertificatePurpose = .client) throws(TrustError) {
        store = try TrustStore(authorities)
        self.purpose = purpose
    }

    /// Trusts the authorities in the PEM file at `path`.
    package init(authorityFile path: String, purpose: CertificatePurpose = .client) throws(TrustError) {
        try self.init(authorities: Certificate.list(file: path), purpose: purpose)
    }

    /// Checks a peer's certificate, and gives it back parsed.
    ///
    /// - Parameters:
    ///   - leaf: The peer's own certificate, DER.
    ///   - intermediates: What else the peer sent, DER, in any order. Never trusted, only used to build the chain.
    ///   - time: Seconds since 1970; now if not given.
    /// - Returns: The peer's own certificate.
    /// - Throws: The first thing that is wrong with it or with its chain.
    package func verify(
        leaf: [UInt8], intermediates: [[UInt8]] = [], at time: Int64? = nil
    ) throws(VerificationFailure) -> Certificate {
        guard !leaf.isEmpty else { throw VerificationFailure(reason: .noCertificate, depth: 0, subject: "") }
        let count = intermediates.count + 1
        guard count <= CertificateLimits.chainCertificatesMax else {
            throw VerificationFailure(reason: .tooManyCertificates(count), depth: 0, subject: "")
        }
        let certificate: Certificate
        do {
            certificate = try Certificate(der: leaf)
        } catch {
            throw VerificationFailure(reason: .malformed(error.description), depth: 0, subject: "")
        }
        if let failure = try check(certificate, intermediates, at: time ?? WallClock.now()) {
            throw failure
        }
        return certificate
    }

    private func check(
        _ certificate: Certificate, _ intermediates: [[UInt8]], at time: Int64
    ) throws(VerificationFailure) -> VerificationFailure? {
        var depth = 0
        do {
            let leaf = try CertificateHandle.reading(certificate.der, source: "certificate")
            var chain = try CertificateStack()
            for der in intermediates {
                depth += 1
                try chain.append(CertificateHandle.reading(der, source: "certificate"))
            }
            return try store.failure(of: leaf, chain: chain, purpose: purpose, at: time)
        } catch {
            throw VerificationFailure(reason: .malformed(error.description), depth: depth, subject: depth == 0 ? certificate.subject : "")
        }
    }
}
