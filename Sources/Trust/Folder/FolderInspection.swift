extension CertificateFolder {
    /// Looks at every certificate and key in the folder, and changes nothing.
    ///
    /// - Parameter time: Seconds since 1970; now if not given.
    /// - Returns: What was found: the authority first, its revocation list, then the server, then the clients by name.
    package func check(at time: Int64? = nil) -> [Finding] {
        let now = time ?? WallClock.now()
        let (authorities, authorityFindings) = inspectAuthority(at: now)
        let server = PairInspection(files: serverFiles, role: .server(names: []), authorities: authorities, now: now)
        return authorityFindings + revocationFindings(authorities, at: now) + server.findings() + inspectClients(authorities, at: now)
    }

    private func revocationFindings(_ authorities: [Certificate], at now: Int64) -> [Finding] {
        guard FileBytes.exists(revocationFile) else { return [] }
        return RevocationInspection.findings(revocationFile, authorities: authorities, at: now)
    }

    private func inspectAuthority(at now: Int64) -> ([Certificate], [Finding]) {
        let files = authorityFiles
        let authorities: [Certificate]
        do {
            authorities = try Certificate.list(file: files.certificate)
        } catch {
            return ([], [Finding(.failure, .file, files.certificate, error.textWithout(source: files.certificate))])
        }
        var findings: [Finding] = []
        for authority in authorities {
            findings.append(.expiry(of: authority, file: files.certificate, at: now))
            if !authority.isAuthority {
                findings.append(Finding(.failure, .authority, files.certificate, "\(authority.subject) is not a CA"))
            }
        }
        findings += authorityKeyFindings(authorities)
        return (authorities.filter(\.isAuthority), findings)
    }

    private func authorityKeyFindings(_ authorities: [Certificate]) -> [Finding] {
        let files = authorityFiles
        do throws(TrustError) {
            let (bytes, mode) = try FileBytes.read(files.key)
            let key = try PrivateKey(pem: bytes, source: files.key)
            var belongs = false
            if let first = authorities.first {
                belongs = try key.belongs(to: first)
            }
            let matches =
                belongs
                ? Finding(.ok, .key, files.key, "belongs to \(files.certificate)")
                : Finding(.failure, .key, files.key, "does not belong to \(files.certificate)")
            return [matches, .mode(mode, of: files.key)]
        } catch .fileMissing {
            return [Finding(.notice, .file, files.key, "not here, so nothing can be issued; that is right if it is kept in a safer place")]
        } catch {
            return [Finding(.failure, .file, files.key, error.textWithout(source: files.key))]
        }
    }

    private func inspectClients(_ authorities: [Certificate], at now: Int64) -> [Finding] {
        let names: [String]
        do {
            names = try FileBytes.names(in: clientDirectory)
        } catch {
            return [Finding(.failure, .file, clientDirectory, error.textWithout(source: clientDirectory))]
        }
        // One that cannot be read is a finding of its own.
        let revocations = try? revocations()
        return names.flatMap { name -> [Finding] in
            let file = clientDirectory + "/" + name
            if name.hasSuffix(".crt") {
                let stem = String(name.dropLast(4))
                let files = PairFiles(certificate: file, key: clientDirectory + "/" + stem + ".key")
                let inspection = PairInspection(files: files, role: .client(name: stem), authorities: authorities, now: now)
                return inspection.findings() + Self.revokedFindings(file, revocations)
            }
            let certificate = String(name.dropLast(4)) + ".crt"
            if name.hasSuffix(".key"), !names.contains(certificate) {
                return [Finding(.warning, .file, file, "a key without its certificate \(certificate)")]
            }
            return []
        }
    }

    private static func revokedFindings(_ file: String, _ list: RevocationList?) -> [Finding] {
        guard let list, let leaf = try? Certificate.list(file: file).first, leaf.issuer == list.issuer,
            (try? list.revokes(leaf)) == true
        else { return [] }
        return [Finding(.notice, .revocation, file, "is revoked")]
    }
}
