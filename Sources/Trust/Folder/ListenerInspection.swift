/// Looks at the certificate files of one listener, wherever they lie, as `crema check` and `crema serve` do before they are used.
package enum ListenerInspection {
    /// Inspects a listener's certificate and key, and the authorities of its clients and their revocation lists if it has any.
    ///
    /// Only what certainly does not work is a failure: a missing or broken file, a key of another certificate or
    /// one that others may read, an end that has passed.
    ///
    /// `time` is in seconds since 1970, and the present when left out.
    package static func findings(
        certificate: String, key: String, clientCA: String?, crl: String? = nil, at time: Int64? = nil
    ) -> [Finding] {
        let now = time ?? WallClock.now()
        var findings: [Finding] = []
        var chain: [Certificate] = []
        do {
            chain = try Certificate.list(file: certificate)
            if let leaf = chain.first { findings += [.expiry(of: leaf, file: certificate, at: now), usage(of: leaf, file: certificate)] }
        } catch {
            findings.append(Finding(.failure, .file, certificate, error.textWithout(source: certificate)))
        }
        findings += keyFindings(key, leaf: chain.first, certificate: certificate)
        if let clientCA {
            do {
                let authorities = try Certificate.list(file: clientCA)
                findings += authorities.map { .expiry(of: $0, file: clientCA, at: now) }
                if let missing = missingIntermediate(of: chain, in: authorities, file: certificate, clientCA) { findings.append(missing) }
                if let crl { findings += RevocationInspection.findings(crl, authorities: authorities, at: now) }
            } catch {
                findings.append(Finding(.failure, .file, clientCA, error.textWithout(source: clientCA)))
            }
        }
        return findings
    }

    /// What clients would have to get with the server's certificate, and do not, as it stands in the file of the clients' authorities only.
    ///
    /// Brokers on OpenSSL complete the chain from there by themselves; a TLS library that sends what it is told to does not.
    private static func missingIntermediate(
        of chain: [Certificate], in authorities: [Certificate], file: String, _ clientCA: String
    ) -> Finding? {
        guard var last = chain.first else { return nil }
        var rest = chain.dropFirst()
        // In whatever order they are sent.
        while let next = rest.firstIndex(where: { $0.subject == last.issuer && $0.subject != $0.issuer }) { last = rest.remove(at: next) }
        let issuers = authorities.filter { $0.subject == last.issuer }
        // A root may stand there twice, once with its own signature and once with another one's.
        guard last.issuer != last.subject, let issuer = issuers.first, issuers.allSatisfy({ $0.issuer != $0.subject }) else { return nil }
        let text =
            "ends with \(last.subject), whose issuer \(issuer.subject) stands in \(clientCA) only and is not sent: "
            + "clients that know no more than the root refuse the broker; append the issuer's certificate to \(file)"
        return Finding(.warning, .chain, file, text)
    }

    private static func usage(of leaf: Certificate, file: String) -> Finding {
        let usages = leaf.extendedKeyUsages
        return usages.isEmpty || usages.contains(.serverAuth)
            ? Finding(.ok, .usage, file, "may be used for a server")
            : Finding(.failure, .usage, file, "may not be used for a server, so no client will take it")
    }

    private static func keyFindings(_ file: String, leaf: Certificate?, certificate: String) -> [Finding] {
        do throws(TrustError) {
            let (bytes, mode) = try FileBytes.read(file)
            let key = try PrivateKey(pem: bytes, source: file)
            var findings: [Finding] = []
            if let leaf {
                findings.append(
                    try key.belongs(to: leaf)
                        ? Finding(.ok, .key, file, "belongs to \(certificate)")
                        : Finding(.failure, .key, file, "does not belong to \(certificate)"))
            }
            if mode & 0o077 != 0 { findings.append(.mode(mode, of: file)) }
            return findings
        } catch {
            return [Finding(.failure, .file, file, error.textWithout(source: file))]
        }
    }
}
