/// A certificate and the key that belongs to it.
package struct KeyPair: Sendable {
    package let certificate: Certificate
    package let key: PrivateKey
}

/// A certificate authority: signs certificates for servers and clients.
///
/// Meant for development and for one shop's devices. Each certificate gets a random serial number of 128 bits, and a subject that differs
/// from the authority's and between roles: with equal subjects verification fails in ways that are hard to read.
package struct CertificateAuthority: Sendable {
    package let certificate: Certificate
    package let key: PrivateKey

    /// Takes an authority that exists.
    ///
    /// - Throws: ``TrustError/notAnAuthority(subject:)``, ``TrustError/keyMismatch(subject:)``.
    package init(certificate: Certificate, key: PrivateKey) throws(TrustError) {
        guard certificate.isAuthority else { throw .notAnAuthority(subject: certificate.subject) }
        guard try key.belongs(to: certificate) else { throw .keyMismatch(subject: certificate.subject) }
        self.certificate = certificate
        self.key = key
    }

    /// Makes a root that signs itself, for ten years if not told otherwise.
    ///
    /// Its common name ends in eight random digits: two authorities made one after the other are never taken for each other.
    package static func create(commonName: String? = nil, validity: Validity) throws(TrustError) -> CertificateAuthority {
        let key = try PrivateKey.generate()
        let mark = Hexadecimal.text((0..<4).map { _ in UInt8.random(in: .min ... .max) })
        let contents = CertificateContents(
            role: .authority, commonName: commonName ?? "Crema development CA \(mark)", organization: "Crema", alternativeNames: [],
            validity: validity)
        return try CertificateAuthority(certificate: contents.signed(holder: key, issuer: nil, signer: key), key: key)
    }

    /// Makes a key and a certificate for a server that clients reach under `names` (serverAuth).
    package func issueServer(names: [AlternativeName], validity: Validity) throws(TrustError) -> KeyPair {
        guard !names.isEmpty else { throw .noAlternativeNames }
        for name in names where name.kind != .dns && name.kind != .ip {
            throw .unusableAlternativeName(name: name.description, reason: "a server is named by DNS names and IP addresses")
        }
        // The common name repeats one of the names; it holds 64 characters (RFC 5280 appendix A.1) and is not what clients compare.
        let commonName = names.lazy.filter { $0.kind == .dns }.map(\.text).first { $0.utf8.count <= 64 } ?? "server"
        return try issue(
            CertificateContents(
                role: .server, commonName: commonName, organization: "Crema server", alternativeNames: names, validity: validity))
    }

    /// Makes a key and a certificate for the client `name` (clientAuth), which a ``Principal`` gives back.
    package func issueClient(name: ThingName, validity: Validity) throws(TrustError) -> KeyPair {
        try issue(
            CertificateContents(
                role: .client, commonName: name.text, organization: "Crema thing", alternativeNames: [AlternativeName(thing: name)],
                validity: validity))
    }

    private func issue(_ contents: CertificateContents) throws(TrustError) -> KeyPair {
        // A leaf that outlives its authority stops working on a day that is not in it.
        guard contents.validity.notAfter <= certificate.notAfter else {
            throw .outlivesAuthority(notAfter: contents.validity.notAfter, authorityNotAfter: certificate.notAfter)
        }
        let holder = try PrivateKey.generate()
        return KeyPair(certificate: try contents.signed(holder: holder, issuer: certificate, signer: key), key: holder)
    }
}
