import COpenSSL

/// A certificate revocation list (RFC 5280 section 5), read once: its bytes, and what they say of it.
///
/// A value, so any thread may have one. Reading proves nothing: whether its signature is an authority's is for ``isSigned(by:)``, and for
/// ``CertificateVerifier`` at each check. Texts are escaped (RFC 2253) and bounded, so they may be logged.
package struct RevocationList: Sendable {
    package let der: [UInt8]
    /// Who signed it, as RFC 2253 text.
    package let issuer: String
    /// Hexadecimal digits; `nil` for a list without a number.
    package let number: String?
    /// Seconds since 1970.
    package let thisUpdate: Int64
    /// When the next one is due at the latest; `nil` for a list that does not say.
    package let nextUpdate: Int64?
    /// Certificates that it revokes.
    package let count: Int

    /// Reads one list, and nothing after it.
    package init(der: [UInt8], source: String = "revocation list") throws(TrustError) {
        let handle = try RevocationHandle.reading(der, source: source)
        guard let thisUpdate = unsafe CertificateHandle.seconds(X509_CRL_get0_lastUpdate(handle.pointer)) else {
            throw .malformedRevocationList(source: source, detail: "its date is no date")
        }
        self.der = der
        self.thisUpdate = thisUpdate
        nextUpdate = unsafe CertificateHandle.seconds(X509_CRL_get0_nextUpdate(handle.pointer))
        issuer = unsafe try CertificateHandle.text(ofName: X509_CRL_get_issuer(handle.pointer))
        number = try handle.numberText()
        count = handle.count
    }

    /// Reads every list of a PEM text, in order.
    ///
    /// Text around the blocks is skipped; a block that cannot be read fails the whole, and so does a text without any: half of what is
    /// revoked must not pass for all of it.
    package static func list(pem: [UInt8], source: String = "PEM text") throws(TrustError) -> [RevocationList] {
        guard pem.count <= CertificateLimits.revocationFileBytesMax else {
            throw .tooLarge(source: source, bytes: pem.count, limit: CertificateLimits.revocationFileBytesMax)
        }
        let text = try MemoryBIO.holding(pem)
        ErrorQueue.clear()
        var lists: [RevocationList] = []
        while let pointer = unsafe PEM_read_bio_X509_CRL(text.pointer, nil, { _, _, _, _ in -1 }, nil) {
            let handle = unsafe RevocationHandle(owning: pointer)
            guard lists.count < CertificateLimits.fileCertificatesMax else {
                throw .malformedRevocationList(source: source, detail: "more than \(CertificateLimits.fileCertificatesMax) lists")
            }
            lists.append(try RevocationList(der: try handle.derBytes(), source: source))
            ErrorQueue.clear()
        }
        guard COpenSSL_ERR_is_pem_end(ErrorQueue.newest) != 0 else {
            throw .malformedRevocationList(source: source, detail: ErrorQueue.drain())
        }
        ErrorQueue.clear()
        guard !lists.isEmpty else { throw .noRevocationList(source: source) }
        return lists
    }

    /// Reads every list of a PEM file, in order.
    package static func list(file path: String) throws(TrustError) -> [RevocationList] {
        try list(pem: FileBytes.read(path, bytesMax: CertificateLimits.revocationFileBytesMax).bytes, source: path)
    }

    /// The list as a PEM text.
    package func pem() throws(TrustError) -> [UInt8] {
        let text = try MemoryBIO()
        let handle = try RevocationHandle.reading(der, source: issuer)
        ErrorQueue.clear()
        guard unsafe PEM_write_bio_X509_CRL(text.pointer, handle.pointer) == 1 else { throw .draining("write a revocation list") }
        return text.bytes
    }

    /// Whether it bears the authority's name and its signature.
    package func isSigned(by authority: Certificate) throws(TrustError) -> Bool {
        let list = try RevocationHandle.reading(der, source: issuer)
        let holder = try CertificateHandle.reading(authority.der, source: authority.subject)
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        guard unsafe X509_NAME_cmp(X509_CRL_get_issuer(list.pointer), X509_get_subject_name(holder.pointer)) == 0,
            let key = unsafe X509_get0_pubkey(holder.pointer)
        else { return false }
        return unsafe X509_CRL_verify(list.pointer, key) == 1
    }

    /// Whether it revokes the certificate, which must be of the list's issuer.
    package func revokes(_ certificate: Certificate) throws(TrustError) -> Bool {
        let list = try RevocationHandle.reading(der, source: issuer)
        let handle = try CertificateHandle.reading(certificate.der, source: certificate.subject)
        return list.names(handle)
    }

    /// Whether the next list is due at `time`, in seconds since 1970.
    package func hasEnded(at time: Int64) -> Bool { nextUpdate.map { $0 <= time } ?? false }
}

extension RevocationList: CustomStringConvertible {
    package var description: String {
        let due = nextUpdate.map { ", next due on \(CalendarDay(secondsSince1970: $0))" } ?? ""
        return "revocation list\(number.map { " \($0)" } ?? "") of \(issuer), \(count) revoked\(due)"
    }
}
