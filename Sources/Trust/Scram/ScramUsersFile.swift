/// A file of SCRAM credentials that is changed user by user; comments and the other users stay as they are.
package struct ScramUsersFile {
    private let lines: UserLines

    package init(path: String) {
        lines = UserLines(
            path: path, bytesMax: ScramLimits.fileBytesMax, check: { (path) throws(TrustError) in _ = try ScramCredentials(file: path) },
            userName: { line in
                line.isEmpty || line.first == UInt8(ascii: "#") ? nil : (try? ScramCredentials.entry(line))?.0
            })
    }

    /// Adds a user, or gives one that is there another password; makes the file if there is none.
    ///
    /// The file is replaced whole, so that a broker that reads it meanwhile sees the old one or the new one.
    package func set(password: String, of userName: String) throws(TrustError) {
        try lines.set(ScramCredentials.line(userName: userName, ScramCredential(password: password)), of: userName)
    }

    /// Takes a user out.
    ///
    /// - Throws: ``TrustError/noSuchUser(path:name:)``, or why the file cannot be read or written.
    package func remove(_ userName: String) throws(TrustError) { try lines.remove(userName) }

    /// The users, each with what its password is kept as, in the order of the file.
    package func users() throws(TrustError) -> [(name: String, kept: String)] {
        try lines.users().map { user in
            let credential = try? ScramCredentials.entry(user.line).1
            return (PrintableText.escaping(user.name), credential?.description ?? "")
        }
    }
}
