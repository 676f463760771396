/// A password file that is changed user by user; comments and the other users stay as they are.
package struct PasswordUsersFile {
    private let lines: UserLines

    package init(path: String) {
        lines = UserLines(
            path: path, bytesMax: PasswordLimits.fileBytesMax, check: { (path) throws(TrustError) in _ = try PasswordFile(file: path) },
            userName: { line in Self.entry(line)?.name })
    }

    /// Adds a user, or gives one that is there another password; makes the file if there is none.
    ///
    /// The file is replaced whole, so that a broker that reads it meanwhile sees the old one or the new one.
    package func set(password: String, of userName: String, by kind: PasswordHash.Kind = .argon2id) throws(TrustError) {
        try lines.set(PasswordFile.line(userName: userName, PasswordHash(password: password, by: kind)), of: userName)
    }

    /// Takes a user out.
    ///
    /// - Throws: ``TrustError/noSuchUser(path:name:)``, or why the file cannot be read or written.
    package func remove(_ userName: String) throws(TrustError) { try lines.remove(userName) }

    /// The users, each with what its password is kept as, in the order of the file.
    package func users() throws(TrustError) -> [(name: String, kept: String)] {
        try lines.users().map { user in (PrintableText.escaping(user.name), Self.entry(user.line)?.hash.description ?? "") }
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> (name: [UInt8], hash: PasswordHash)? {
        PasswordFile.content(of: line).flatMap { try? PasswordFile.entry($0) }
    }
}
