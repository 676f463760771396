/// The authority's revocation list, `ca.crl`: what listeners name as `crl`.
extension CertificateFolder {
    package var revocationFile: String { path + "/ca.crl" }
    private static let revocationMode: UInt32 = 0o644

    /// Revokes a client's certificate, and writes the list anew.
    ///
    /// The client's files stay where they are. A certificate that is revoked already stays so; the list is renewed all the same.
    ///
    /// - Parameters:
    ///   - name: The client.
    ///   - days: Until when the next list is due.
    ///   - time: Seconds since 1970; now if not given.
    /// - Returns: The list as it is now, and the certificate.
    /// - Throws: ``TrustError``; then the list is what it was.
    package func revoke(
        name: ThingName, days: Int = CertificateLimits.revocationDays, at time: Int64? = nil
    ) throws(TrustError) -> (list: RevocationList, certificate: Certificate) {
        let file = clientFiles(name).certificate
        guard let certificate = try Certificate.list(file: file).first else { throw .noCertificate(source: file) }
        return (try renewRevocations(revoking: [certificate], days: days, at: time), certificate)
    }

    /// Writes the list anew, with the next number and date, and with what is revoked so far; an empty one if there is none.
    package func renewRevocations(
        revoking certificates: [Certificate] = [], days: Int = CertificateLimits.revocationDays, at time: Int64? = nil
    ) throws(TrustError) -> RevocationList {
        let now = time ?? WallClock.now()
        guard (1...CertificateLimits.leafDaysMax).contains(days) else {
            throw .daysOutOfRange(days: days, limit: CertificateLimits.leafDaysMax)
        }
        let authority = try loadAuthority(at: now)
        for certificate in certificates where certificate.issuer != authority.certificate.subject {
            throw .unsound(
                path: path, reason: "\(certificate.subject) is a certificate of \(certificate.issuer), which alone can revoke it")
        }
        return try FileBytes.changing(revocationFile) { () throws(TrustError) in
            let exists = FileBytes.exists(revocationFile)
            let earlier = exists ? try ownList(of: authority.certificate) : nil
            let list = try authority.revocationList(
                after: earlier, revoking: certificates, validity: Validity(days: days, from: now), at: now)
            try FileBytes.write(list.pem(), to: revocationFile, mode: Self.revocationMode, replaces: exists)
            return list
        }
    }

    /// What is revoked so far; `nil` while there is no list.
    func revocations() throws(TrustError) -> RevocationList? {
        guard FileBytes.exists(revocationFile) else { return nil }
        return try RevocationList.list(file: revocationFile).first
    }

    /// The list that is there, which nobody but the authority may have signed: its entries are signed again.
    private func ownList(of authority: Certificate) throws(TrustError) -> RevocationList? {
        guard let list = try revocations() else { return nil }
        guard try list.isSigned(by: authority) else {
            throw .unsound(path: revocationFile, reason: "it is not signed by \(authority.subject); remove it to begin a new list")
        }
        return list
    }
}
