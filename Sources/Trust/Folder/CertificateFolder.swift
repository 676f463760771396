import Glibc

/// The folder `certs/`: an authority, the server's certificate and one for each client.
///
/// | file | what it is | mode |
/// |---|---|---|
/// | `ca.crt`, `ca.key` | the authority; the key may be kept elsewhere, and is needed only to issue | 0644, 0600 |
/// | `ca.crl` | the authority's revocation list, once there is one | 0644 |
/// | `server.crt`, `server.key` | the server's certificate, then intermediates if there are any | 0644, 0600 |
/// | `clients/NAME.crt`, `clients/NAME.key` | one client each | 0644, 0600 |
///
/// Nothing that exists is written over, unless the caller says so, and the authority not even then: every client would lose its trust.
package struct CertificateFolder: Sendable {
    package let path: String

    package init(path: String) {
        self.path = path
    }

    package var authorityFiles: PairFiles { PairFiles(certificate: path + "/ca.crt", key: path + "/ca.key") }
    package var serverFiles: PairFiles { PairFiles(certificate: path + "/server.crt", key: path + "/server.key") }
    var clientDirectory: String { path + "/clients" }

    package func clientFiles(_ name: ThingName) -> PairFiles {
        let stem = clientDirectory + "/" + name.text
        return PairFiles(certificate: stem + ".crt", key: stem + ".key")
    }

    /// What a server is named if nobody says: this machine, as itself and as localhost.
    package static func defaultNames() -> [AlternativeName] {
        var host = [CChar](repeating: 0, count: 256)
        let named = unsafe gethostname(&host, host.count - 1) == 0
        let hostName = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let names = ["localhost", "127.0.0.1", "::1"] + (named && hostName != "localhost" ? [hostName] : [])
        return names.compactMap { try? AlternativeName(parsing: $0) }
    }

    /// Makes the authority and the server's certificate, as far as they are missing.
    ///
    /// - Parameters:
    ///   - san: The names that clients reach the server by; ``defaultNames()`` if not given. Given names must be in a certificate that is kept.
    ///   - days: How long a server certificate that is made here lives, 1 to 825.
    ///   - force: Replace the server's certificate and key even if they are sound. The authority stays.
    ///   - time: Seconds since 1970; now if not given.
    /// - Returns: What was made and what was kept.
    /// - Throws: ``TrustError``. What is there and not sound is named, not repaired.
    package func initialise(
        san: [AlternativeName]? = nil, days: Int = CertificateLimits.leafDaysMax, force: Bool = false, at time: Int64? = nil
    ) throws(TrustError) -> [FolderChange] {
        let now = time ?? WallClock.now()
        try Self.check(days: days)
        try FileBytes.makeDirectory(path)
        try FileBytes.makeDirectory(clientDirectory)
        let authority = try prepareAuthority(at: now)
        let server = serverFiles
        if try server.arePresent(replacing: force), !force {
            let certificate = try soundLeaf(server, role: .server(names: san ?? []), at: now)
            return [authority, FolderChange(action: .kept, files: server, certificate: certificate)]
        }
        let pair = try loadAuthority(at: now).issueServer(
            names: san ?? Self.defaultNames(), validity: Validity(days: days, from: now))
        return [authority, try server.write(pair, replaces: force)]
    }

    /// Makes a certificate and a key for the client `name`, or keeps the pair that is there if it is sound.
    ///
    /// - Parameters:
    ///   - name: The client; also the name of its files.
    ///   - days: How long the certificate lives, 1 to 825.
    ///   - force: Replace the pair even if it is sound.
    ///   - time: Seconds since 1970; now if not given.
    /// - Returns: What was done.
    /// - Throws: ``TrustError``. A pair that is there and not sound is named, not repaired.
    package func issue(
        name: ThingName, days: Int = CertificateLimits.leafDaysMax, force: Bool = false, at time: Int64? = nil
    ) throws(TrustError) -> FolderChange {
        let now = time ?? WallClock.now()
        try Self.check(days: days)
        let files = clientFiles(name)
        if try files.arePresent(replacing: force), !force {
            let kept = try soundLeaf(files, role: .client(name: name.text), at: now)
            if let list = try revocations(), kept.issuer == list.issuer, try list.revokes(kept) {
                throw .unsound(path: files.certificate, reason: "it is revoked; --force makes a new pair")
            }
            return FolderChange(action: .kept, files: files, certificate: kept)
        }
        let pair = try loadAuthority(at: now).issueClient(name: name, validity: Validity(days: days, from: now))
        try FileBytes.makeDirectory(clientDirectory)
        return try files.write(pair, replaces: force)
    }

    /// The authority, ready to sign.
    ///
    /// - Throws: ``TrustError`` when a file is missing, the two do not belong together, or the authority has ended.
    package func loadAuthority(at time: Int64? = nil) throws(TrustError) -> CertificateAuthority {
        let files = authorityFiles
        guard FileBytes.exists(files.certificate) || FileBytes.exists(files.key) else {
            throw .unsound(path: path, reason: "there is no certificate authority here; `crema certs init` makes one")
        }
        let certificates = try Certificate.list(file: files.certificate)
        guard let certificate = certificates.first else { throw .noCertificate(source: files.certificate) }
        let authority = try CertificateAuthority(certificate: certificate, key: PrivateKey(file: files.key))
        guard certificate.notAfter > time ?? WallClock.now() else {
            let day = CalendarDay(secondsSince1970: certificate.notAfter)
            throw .unsound(
                path: files.certificate,
                reason: "expired on \(day); remove ca.crt and ca.key to start anew, and issue every certificate again")
        }
        return authority
    }

    private func prepareAuthority(at now: Int64) throws(TrustError) -> FolderChange {
        let files = authorityFiles
        guard FileBytes.exists(files.certificate) else {
            if FileBytes.exists(files.key) {
                throw .incompletePair(present: files.key, missing: files.certificate)
            }
            let authority = try CertificateAuthority.create(validity: Validity(days: CertificateLimits.authorityDays, from: now))
            return try files.write(KeyPair(certificate: authority.certificate, key: authority.key), replaces: false)
        }
        if FileBytes.exists(files.key) {
            return FolderChange(action: .kept, files: files, certificate: try loadAuthority(at: now).certificate)
        }
        // The key is kept elsewhere, as it should be: no fault as long as nothing must be signed.
        guard let certificate = try Certificate.list(file: files.certificate).first else { throw .noCertificate(source: files.certificate) }
        return FolderChange(action: .kept, files: files, certificate: certificate)
    }

    /// The leaf of a pair that is there, after the same inspection as ``check(at:)``.
    private func soundLeaf(_ files: PairFiles, role: PairInspection.Role, at now: Int64) throws(TrustError) -> Certificate {
        let inspection = PairInspection(
            files: files, role: role, authorities: try Certificate.list(file: authorityFiles.certificate), now: now)
        if let failed = inspection.findings().first(where: { $0.severity == .failure }) {
            throw .unsound(path: failed.file, reason: failed.text + "; --force makes a new pair")
        }
        guard let leaf = try Certificate.list(file: files.certificate).first else { throw .noCertificate(source: files.certificate) }
        return leaf
    }

    private static func check(days: Int) throws(TrustError) {
        guard (1...CertificateLimits.leafDaysMax).contains(days) else {
            throw .daysOutOfRange(days: days, limit: CertificateLimits.leafDaysMax)
        }
    }
}

/// Where a certificate and its key are.
package struct PairFiles: Sendable, Equatable {
    package let certificate: String
    package let key: String

    static let certificateMode: UInt32 = 0o644
    static let keyMode: UInt32 = 0o600

    /// Whether both files are there.
    ///
    /// - Throws: ``TrustError/incompletePair(present:missing:)`` when one is, unless both are to be replaced.
    func arePresent(replacing: Bool) throws(TrustError) -> Bool {
        let (hasCertificate, hasKey) = (FileBytes.exists(certificate), FileBytes.exists(key))
        guard hasCertificate == hasKey || replacing else {
            throw hasKey
                ? .incompletePair(present: key, missing: certificate) : .incompletePair(present: certificate, missing: key)
        }
        return hasCertificate && hasKey
    }

    /// Writes both files, the key first: a certificate that is there has its key beside it.
    func write(_ pair: KeyPair, replaces: Bool) throws(TrustError) -> FolderChange {
        let replaced = replaces && FileBytes.exists(certificate)
        try FileBytes.write(pair.key.pem(), to: key, mode: Self.keyMode, replaces: replaces)
        do throws(TrustError) {
            try FileBytes.write(pair.certificate.pem(), to: certificate, mode: Self.certificateMode, replaces: replaces)
        } catch {
            if !replaces {
                FileBytes.remove(key)  // made a moment ago, and of no use alone
            }
            throw error
        }
        return FolderChange(action: replaced ? .replaced : .made, files: self, certificate: pair.certificate)
    }
}

/// What became of one pair of files.
package struct FolderChange: Sendable {
    package enum Action: String, Sendable {
        case made
        case kept
        case replaced
    }

    package let action: Action
    package let files: PairFiles
    package let certificate: Certificate
}

extension FolderChange: CustomStringConvertible {
    package var description: String {
        "\(action.rawValue) \(files.certificate): \(certificate.subject), valid until \(CalendarDay(secondsSince1970: certificate.notAfter))"
    }
}
