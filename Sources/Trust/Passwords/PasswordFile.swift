/// The users of a password file, in mosquitto's own format: one line for each, `name:hash` (see ``PasswordHash``).
///
/// Empty lines and lines that begin with `#` say nothing. The name is everything before the first colon. Names are bytes (see ``ScramText``).
package struct PasswordFile: Sendable {
    private let hashes: [[UInt8]: PasswordHash]
    /// In the order of the text.
    private let order: [PasswordHash]
    /// Chooses what is checked in place of an unknown user's hash.
    private let decoySecret: [UInt8]
    /// Lines of users whose hash can be guessed at for next to nothing (`$6$`).
    package let weakLines: [Int]

    package var count: Int { hashes.count }

    /// Reads the lines of a text.
    ///
    /// One that is not well-formed, or names a user again, fails the whole: half a file would lock users out unnoticed, and a line
    /// half understood could let somebody in without a password.
    ///
    /// - Throws: ``TrustError/malformedCredentials(source:line:reason:)``.
    package init(text: [UInt8], source: String = "passwords") throws(TrustError) {
        guard text.count <= PasswordLimits.fileBytesMax else {
            throw .tooLarge(source: source, bytes: text.count, limit: PasswordLimits.fileBytesMax)
        }
        var lines: [[UInt8]: Int] = [:]
        var hashes: [[UInt8]: PasswordHash] = [:]
        var order: [PasswordHash] = []
        var weakLines: [Int] = []
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            guard let line = Self.content(of: line) else { continue }
            let entry: (name: [UInt8], hash: PasswordHash)
            do throws(PasswordHash.Malformed) {
                entry = try Self.entry(line)
            } catch {
                throw .malformedCredentials(source: source, line: index + 1, reason: error.reason)
            }
            if let first = lines.updateValue(index + 1, forKey: entry.name) {
                let reason = "the user '\(PrintableText.escaping(entry.name))' stands in line \(first) already"
                throw .malformedCredentials(source: source, line: index + 1, reason: reason)
            }
            hashes[entry.name] = entry.hash
            order.append(entry.hash)
            if entry.hash.isWeak { weakLines.append(index + 1) }
        }
        self.hashes = hashes
        self.order = order
        self.weakLines = weakLines
        // The same after a restart, and when users are added: a cost that changes with either would give a name away that is not there.
        if let first = order.first {
            decoySecret = try SHA256.authenticate(Array("Crema decoy".utf8), key: first.hash)
        } else {
            decoySecret = []
        }
    }

    /// Reads a file that only its owner may read.
    ///
    /// - Throws: what ``init(text:source:)`` throws, ``TrustError/credentialsReadableByOthers(path:mode:)``, or why the file cannot be read.
    package init(file path: String) throws(TrustError) {
        let (bytes, mode) = try FileBytes.read(path, bytesMax: PasswordLimits.fileBytesMax)
        guard mode & 0o077 == 0 else { throw .credentialsReadableByOthers(path: path, mode: mode) }
        try self.init(text: bytes, source: path)
    }

    /// What a password of this user is to be checked against; `nil` when the file has no users at all.
    ///
    /// For a user that is not there it is some user's hash, always the same for a name, and no password fits it: the check takes as long
    /// as that user's.
    package func entry(of userName: [UInt8]) -> PasswordEntry? {
        guard let decoy = decoy(for: userName) else { return nil }
        let known = hashes[userName]
        return PasswordEntry(userName: userName, hash: known ?? decoy, isKnown: known != nil)
    }

    /// What tells the user's hash from every other one, without being of use to anybody; `nil` when there is no such user.
    package func fingerprint(of userName: String) -> [UInt8]? {
        hashes[Array(userName.utf8)].flatMap { PasswordEntry(userName: Array(userName.utf8), hash: $0, isKnown: true).fingerprint }
    }

    /// What a line says, without its end; `nil` when it says nothing.
    static func content(of line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        return content.isEmpty || content.first == UInt8(ascii: "#") ? nil : content
    }

    static func entry(_ line: ArraySlice<UInt8>) throws(PasswordHash.Malformed) -> (name: [UInt8], hash: PasswordHash) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw PasswordHash.Malformed(reason: "expected name:hash, and there is no colon")
        }
        let name = Array(line[..<colon])
        if let problem = ScramText.problem(withUserName: name) {
            throw PasswordHash.Malformed(reason: "the user name cannot be used: \(problem)")
        }
        return (name, try PasswordHash(text: line[(colon + 1)...]))
    }

    /// The line for a user, without its end.
    ///
    /// - Throws: ``TrustError/unusableUserName(name:reason:)``.
    package static func line(userName: String, _ hash: PasswordHash) throws(TrustError) -> String {
        if let problem = ScramText.problem(withUserName: userName.utf8) { throw .unusableUserName(name: userName, reason: problem) }
        guard userName.utf8.first != UInt8(ascii: "#") else {
            throw .unusableUserName(name: userName, reason: "a line that begins with '#' is a comment")
        }
        guard !userName.utf8.contains(UInt8(ascii: ":")) else {
            throw .unusableUserName(name: userName, reason: "a colon ends the name in a password file")
        }
        return "\(userName):\(hash.text)"
    }

    private func decoy(for userName: [UInt8]) -> PasswordHash? {
        guard let first = order.first else { return nil }
        // A name of one letter more costs no more: HMAC fails only where libcrypto is broken, and then any user's hash will do.
        guard let drawn = try? SHA256.authenticate(userName, key: decoySecret) else { return first }
        let place = drawn.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        return order[Int(place % UInt64(order.count))]
    }
}

/// What one password is checked against.
package struct PasswordEntry: Sendable {
    package let userName: [UInt8]
    private let hash: PasswordHash
    private let isKnown: Bool

    init(userName: [UInt8], hash: PasswordHash, isKnown: Bool) {
        self.userName = userName
        self.hash = hash
        self.isKnown = isKnown
    }

    /// What a check costs, without any secret.
    var cost: String { hash.description }

    /// What tells the hash from every other one, without being of use to anybody; `nil` only when libcrypto fails.
    package var fingerprint: [UInt8]? { try? SHA256.hash(Array("password \(hash.text)".utf8)) }

    /// Whether the password is this user's; takes as long as the file says, so never on an event loop.
    ///
    /// - Throws: when it cannot be said, as for want of memory.
    package func matches(_ password: [UInt8]) throws(TrustError) -> Bool {
        let fits = try hash.matches(password)
        return fits && isKnown
    }

    /// What tells this user with this password and this hash from every other three, to nobody without the key.
    ///
    /// `nil` only when libcrypto fails.
    package func remembrance(of password: [UInt8], key: [UInt8]) -> [UInt8]? {
        // Neither a name nor the text of a hash has a NUL in it.
        try? SHA256.authenticate(userName + [0] + Array(hash.text.utf8) + [0] + password, key: key)
    }
}
