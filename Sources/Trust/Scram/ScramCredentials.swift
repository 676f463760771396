/// The users that may authenticate by SCRAM, with their credentials.
///
/// One line of text for each, `name:SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`; empty lines and lines that begin with `#` say nothing. The
/// name is everything before the last `:SCRAM-SHA-256$`, so that it may contain colons. Names are bytes (see ``ScramText``).
package struct ScramCredentials: Sendable {
    private let credentials: [[UInt8]: ScramCredential]
    /// In the order of the text.
    private let order: [ScramCredential]
    /// Makes up what unknown users are shown.
    private let decoySecret: [UInt8]

    package var count: Int { credentials.count }

    /// Reads the lines of a text.
    ///
    /// One that is not well-formed, or names a user again, fails the whole: half a file would lock users out unnoticed.
    ///
    /// - Throws: ``TrustError/malformedCredentials(source:line:reason:)``.
    package init(text: [UInt8], source: String = "credentials") throws(TrustError) {
        guard text.count <= ScramLimits.fileBytesMax else {
            throw .tooLarge(source: source, bytes: text.count, limit: ScramLimits.fileBytesMax)
        }
        var lines: [[UInt8]: Int] = [:]
        var credentials: [[UInt8]: ScramCredential] = [:]
        var order: [ScramCredential] = []
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let name: [UInt8]
            let credential: ScramCredential
            do throws(ScramCredential.Malformed) {
                (name, credential) = try Self.entry(line)
            } catch {
                throw .malformedCredentials(source: source, line: index + 1, reason: error.reason)
            }
            if let first = lines.updateValue(index + 1, forKey: name) {
                let reason = "the user '\(PrintableText.escaping(name))' stands in line \(first) already"
                throw .malformedCredentials(source: source, line: index + 1, reason: reason)
            }
            credentials[name] = credential
            order.append(credential)
        }
        self.credentials = credentials
        self.order = order
        // The same after a restart, and when users are added: a made-up salt that changes would give itself away.
        if let first = order.first {
            decoySecret = try SHA256.authenticate(Array("Crema decoy".utf8), key: first.serverKey)
        } else {
            decoySecret = try .random(count: SHA256.byteCount)
        }
    }

    /// Reads a file that only its owner may read.
    ///
    /// - Throws: what ``init(text:source:)`` throws, ``TrustError/credentialsReadableByOthers(path:mode:)``, or why the file cannot be read.
    package init(file path: String) throws(TrustError) {
        let (bytes, mode) = try FileBytes.read(path, bytesMax: ScramLimits.fileBytesMax)
        guard mode & 0o077 == 0 else { throw .credentialsReadableByOthers(path: path, mode: mode) }
        try self.init(text: bytes, source: path)
    }

    /// The line for a user, without its end.
    ///
    /// - Throws: ``TrustError/unusableUserName(name:reason:)``.
    package static func line(userName: String, _ credential: ScramCredential) throws(TrustError) -> String {
        if let problem = ScramText.problem(withUserName: userName.utf8) { throw .unusableUserName(name: userName, reason: problem) }
        guard userName.utf8.first != UInt8(ascii: "#") else {
            throw .unusableUserName(name: userName, reason: "a line that begins with '#' is a comment")
        }
        return "\(userName):\(credential.text)"
    }

    static func entry(_ line: ArraySlice<UInt8>) throws(ScramCredential.Malformed) -> ([UInt8], ScramCredential) {
        let mark = Array(":\(ScramCredential.scheme)".utf8)
        // Neither digits nor Base64 hold a hyphen, so the last place is the one.
        var start = line.endIndex - mark.count
        while start >= line.startIndex, !line[start...].starts(with: mark) { start -= 1 }
        guard start >= line.startIndex else {
            throw ScramCredential.Malformed(reason: "expected name:\(ScramCredential.scheme)iterations:salt$StoredKey:ServerKey")
        }
        let name = Array(line[..<start])
        if let problem = ScramText.problem(withUserName: name) {
            throw ScramCredential.Malformed(reason: "the user name cannot be used: \(problem)")
        }
        return (name, try ScramCredential(afterScheme: line[(start + mark.count)...]))
    }

    /// The user's credential, or one that fits no password when there is no such user.
    ///
    /// Both take the same steps. What is made up for a name is always the same, and costs as many iterations and has as long a salt as some
    /// user's.
    func credential(of userName: [UInt8]) throws(TrustError) -> (credential: ScramCredential, isKnown: Bool) {
        let decoy = try decoy(for: userName)
        let known = credentials[userName]
        return (known ?? decoy, known != nil)
    }

    /// What tells the user's credential from every other one, without being of use to anybody; `nil` when there is no such user.
    package func fingerprint(of userName: String) -> [UInt8]? {
        guard let credential = credentials[Array(userName.utf8)] else { return nil }
        return try? SHA256.hash(Array(credential.text.utf8))
    }

    private func decoy(for userName: [UInt8]) throws(TrustError) -> ScramCredential {
        func drawn(_ purpose: String) throws(TrustError) -> [UInt8] {
            try SHA256.authenticate(Array(purpose.utf8) + userName, key: decoySecret)
        }
        let place = try drawn("place:").prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let model = order.isEmpty ? nil : order[Int(place % UInt64(order.count))]
        let salt = try drawn("salt:") + drawn("more salt:")
        return ScramCredential(
            salt: Array(salt.prefix(model?.salt.count ?? ScramLimits.saltBytes)),
            iterations: model?.iterations ?? ScramLimits.iterationsDefault,
            storedKey: try drawn("stored key:"), serverKey: try drawn("server key:"))
    }
}
