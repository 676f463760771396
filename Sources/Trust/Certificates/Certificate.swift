import COpenSSL

/// An X.509 certificate, read once: its bytes, and what they say.
///
/// A value, so any thread may have one. Reading proves nothing: whether to believe it is for ``CertificateVerifier`` to say. Texts are
/// escaped (RFC 2253, or `\xNN`) and bounded, so they may be logged.
package struct Certificate: Sendable {
    package let der: [UInt8]
    /// RFC 2253 text: `CN=alice,O=Crema thing`.
    package let subject: String
    package let issuer: String
    /// Hexadecimal digits, as `openssl x509 -serial` prints them.
    package let serialNumber: String
    package let validity: Validity
    /// Every common name in the subject, in order.
    ///
    /// More than one is allowed in a certificate and refused in a ``Principal``.
    package let commonNames: [CommonName]
    package let alternativeNames: [AlternativeName]
    /// Empty when the certificate does not restrict its usage.
    package let extendedKeyUsages: [ExtendedKeyUsage]
    /// basicConstraints CA:TRUE, and a key usage that allows signing certificates.
    package let isAuthority: Bool
    /// SHA-256 of the DER bytes: `AB:CD:…`, 32 pairs.
    package let fingerprint: String

    package var notBefore: Int64 { validity.notBefore }
    package var notAfter: Int64 { validity.notAfter }

    /// Reads one certificate, and nothing after it.
    package init(der: [UInt8], source: String = "certificate") throws(TrustError) {
        try self.init(handle: CertificateHandle.reading(der, source: source), der: der, source: source)
    }

    /// Reads every certificate of a PEM text, in order: a leaf and its intermediates, or a list of authorities.
    ///
    /// Text around the blocks is skipped, as every PEM reader does; a block that cannot be read fails the whole.
    package static func list(pem: [UInt8], source: String = "PEM text") throws(TrustError) -> [Certificate] {
        guard pem.count <= CertificateLimits.fileBytesMax else {
            throw .tooLarge(source: source, bytes: pem.count, limit: CertificateLimits.fileBytesMax)
        }
        let text = try MemoryBIO.holding(pem)
        ErrorQueue.clear()
        var certificates: [Certificate] = []
        while let pointer = unsafe PEM_read_bio_X509(text.pointer, nil, { _, _, _, _ in -1 }, nil) {
            let handle = unsafe CertificateHandle(owning: pointer)
            guard certificates.count < CertificateLimits.fileCertificatesMax else {
                throw .malformedCertificate(source: source, detail: "more than \(CertificateLimits.fileCertificatesMax) certificates")
            }
            // Through the bytes again: they pass the same checks as a certificate from a peer.
            certificates.append(try Certificate(der: try handle.derBytes(), source: source))
            ErrorQueue.clear()
        }
        guard COpenSSL_ERR_is_pem_end(ErrorQueue.newest) != 0 else {
            throw .malformedCertificate(source: source, detail: ErrorQueue.drain())
        }
        ErrorQueue.clear()
        guard !certificates.isEmpty else { throw .noCertificate(source: source) }
        return certificates
    }

    /// The certificate as a PEM text.
    package func pem() throws(TrustError) -> [UInt8] {
        let text = try MemoryBIO()
        let handle = try CertificateHandle.reading(der, source: subject)
        ErrorQueue.clear()
        guard unsafe PEM_write_bio_X509(text.pointer, handle.pointer) == 1 else { throw .draining("write a certificate") }
        return text.bytes
    }

    /// Takes the fields out of a certificate that was parsed from `der`; parsing is the dear part.
    init(handle: borrowing CertificateHandle, der: [UInt8], source: String) throws(TrustError) {
        self.der = der
        subject = try handle.subjectText()
        issuer = try handle.issuerText()
        serialNumber = try handle.serialText()
        validity = try handle.validity(source: source)
        commonNames = handle.commonNames()
        alternativeNames = try handle.alternativeNames(source: source)
        extendedKeyUsages = try handle.extendedKeyUsages(source: source)
        isAuthority = handle.isAuthority
        fingerprint = try handle.fingerprint()
    }
}

extension Certificate: Hashable {
    package static func == (one: Certificate, other: Certificate) -> Bool { one.der == other.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

extension Certificate: CustomStringConvertible {
    package var description: String { "\(subject), serial \(serialNumber), issued by \(issuer)" }
}

/// One common name (CN) in a subject.
package enum CommonName: Sendable, Equatable {
    /// Its characters in UTF-8. Whether they are a usable name is not checked here.
    case utf8([UInt8])
    /// Bytes that are no text in the encoding that the certificate gives for them.
    case undecodable
}

/// What a certificate may be used for (extendedKeyUsage).
package enum ExtendedKeyUsage: Sendable, Equatable, CustomStringConvertible {
    case serverAuth
    case clientAuth
    /// Another one, by its object identifier in dots.
    case other(String)

    package var description: String {
        switch self {
        case .serverAuth: "serverAuth"
        case .clientAuth: "clientAuth"
        case .other(let identifier): identifier
        }
    }
}

/// From when to when a certificate holds; seconds since 1970.
///
/// At `notAfter` itself it has ended: libcrypto counts that second so, and everything here does as it does.
package struct Validity: Sendable, Equatable {
    package let notBefore: Int64
    package let notAfter: Int64

    /// A new certificate is dated back by this much, for devices whose clocks are a little late.
    package static let clockSkewSeconds: Int64 = 300

    package init(notBefore: Int64, notAfter: Int64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// `days` from `now` on.
    package init(days: Int, from now: Int64) {
        let (length, overflow) = Int64(days).multipliedReportingOverflow(by: CalendarDay.seconds)
        notBefore = now &- Self.clockSkewSeconds
        notAfter = overflow ? Int64.max : now.addingReportingOverflow(length).partialValue
    }
}
