/// A file of credentials that is changed user by user; comments and the other users stay as they are.
package struct ScramUsersFile {
    private let path: String
    private static let mode: UInt32 = 0o600

    package init(path: String) { self.path = path }

    /// Adds a user, or gives one that is there another password; makes the file if there is none.
    ///
    /// The file is replaced whole, so that a broker that reads it meanwhile sees the old one or the new one.
    package func set(password: String, of userName: String) throws(TrustError) {
        let line = try ScramCredentials.line(userName: userName, ScramCredential(password: password))
        let exists = FileBytes.exists(path)
        var lines: [ArraySlice<UInt8>] = []
        if exists {
            _ = try ScramCredentials(file: path)  // a file with a mistake in it is not written over
            let text = try FileBytes.read(path, bytesMax: ScramLimits.fileBytesMax).bytes
            lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).filter { !Self.isEntry($0, of: userName) }
            if lines.last?.isEmpty == true { lines.removeLast() }
        }
        lines.append(Array(line.utf8)[...])
        let text = Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
        try FileBytes.write(text, to: path, mode: Self.mode, replaces: exists)
    }

    private static func isEntry(_ line: ArraySlice<UInt8>, of userName: String) -> Bool {
        if line.isEmpty || line.first == UInt8(ascii: "#") { return false }
        return (try? ScramCredentials.entry(line))?.0 == Array(userName.utf8)
    }
}
