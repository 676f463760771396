/// Looks at one leaf certificate and its key, as a client or a server would use them.
struct PairInspection {
    /// What the pair is for.
    enum Role {
        /// These names must be among the certificate's, and any at all.
        case server(names: [AlternativeName])
        /// The name of its files.
        case client(name: String)

        var purpose: CertificatePurpose {
            switch self {
            case .server: .server
            case .client: .client
            }
        }

        var usage: ExtendedKeyUsage {
            switch self {
            case .server: .serverAuth
            case .client: .clientAuth
            }
        }
    }

    let files: PairFiles
    let role: Role
    /// What `ca.crt` holds; empty when it cannot be used, which is a finding of its own.
    let authorities: [Certificate]
    let now: Int64

    func findings() -> [Finding] {
        let certificates: [Certificate]
        do {
            certificates = try Certificate.list(file: files.certificate)
        } catch {
            return [Finding(.failure, .file, files.certificate, error.textWithout(source: files.certificate))] + keyFindings(leaf: nil)
        }
        guard let leaf = certificates.first else { return [] }
        return [
            .expiry(of: leaf, file: files.certificate, at: now), chainFinding(leaf, intermediates: Array(certificates.dropFirst())),
            usageFinding(leaf), nameFinding(leaf),
        ] + keyFindings(leaf: leaf)
    }

    private func chainFinding(_ leaf: Certificate, intermediates: [Certificate]) -> Finding {
        guard !authorities.isEmpty else { return Finding(.failure, .chain, files.certificate, "no authority to check it against") }
        // At a moment within its own dates: that it has ended is another finding.
        let moment = min(max(now, leaf.notBefore), leaf.notAfter &- 1)
        do {
            let verifier = try CertificateVerifier(authorities: authorities, purpose: role.purpose)
            _ = try verifier.verify(leaf: leaf.der, intermediates: intermediates.map(\.der), at: moment)
            return Finding(.ok, .chain, files.certificate, "issued by \(leaf.issuer)")
        } catch {
            return Finding(.failure, .chain, files.certificate, "\(error)")
        }
    }

    private func usageFinding(_ leaf: Certificate) -> Finding {
        let usages = leaf.extendedKeyUsages
        if usages.isEmpty {
            return Finding(.notice, .usage, files.certificate, "has no extended key usage, so it may be used for anything")
        }
        let list = usages.map(\.description).joined(separator: ", ")
        return usages.contains(role.usage)
            ? Finding(.ok, .usage, files.certificate, "may be used for \(list)")
            : Finding(.failure, .usage, files.certificate, "may be used for \(list), but not for \(role.usage)")
    }

    private func nameFinding(_ leaf: Certificate) -> Finding {
        switch role {
        case .server(let wanted):
            let names = leaf.alternativeNames.filter { $0.kind == .dns || $0.kind == .ip }
            guard !names.isEmpty else {
                return Finding(.failure, .names, files.certificate, "names no DNS name or address (subjectAltName): no client will take it")
            }
            let missing = wanted.filter { !names.contains($0) }
            guard missing.isEmpty else {
                return Finding(
                    .failure, .names, files.certificate, "does not name \(missing.map(\.description).joined(separator: ", "))")
            }
            return Finding(.ok, .names, files.certificate, "names " + names.map(\.description).joined(separator: ", "))
        case .client(let name):
            do {
                let principal = try Principal(from: leaf)
                return principal.name == name
                    ? Finding(.ok, .names, files.certificate, "its principal is \(name)")
                    : Finding(
                        .notice, .names, files.certificate,
                        "its principal is '\(PrintableText.escaping(principal.name.utf8))', not as its file is called")
            } catch {
                return Finding(.failure, .names, files.certificate, error.description)
            }
        }
    }

    private func keyFindings(leaf: Certificate?) -> [Finding] {
        do throws(TrustError) {
            let (bytes, mode) = try FileBytes.read(files.key)
            let key = try PrivateKey(pem: bytes, source: files.key)
            guard let leaf else { return [.mode(mode, of: files.key)] }
            let matches =
                try key.belongs(to: leaf)
                ? Finding(.ok, .key, files.key, "belongs to \(files.certificate)")
                : Finding(.failure, .key, files.key, "does not belong to \(files.certificate)")
            return [matches, .mode(mode, of: files.key)]
        } catch .fileMissing {
            switch role {
            case .server: return [Finding(.failure, .file, files.key, "there is no such file")]
            case .client: return [Finding(.notice, .file, files.key, "not here; that is as it should be if only the device has it")]
            }
        } catch {
            return [Finding(.failure, .file, files.key, error.textWithout(source: files.key))]
        }
    }
}

extension TrustError {
    /// The description without the file's name in front, for a finding, which names it in a field of its own.
    func textWithout(source: String) -> String {
        let prefix = source + ": "
        return description.hasPrefix(prefix) ? String(description.dropFirst(prefix.count)) : description
    }
}
