/// A file with one line for each user, which is changed user by user; comments and the other users stay as they are.
///
/// It is replaced whole, so that a broker that reads it meanwhile sees the old one or the new one.
struct UserLines {
    private static let mode: UInt32 = 0o600

    let path: String
    let bytesMax: Int
    /// Reads the whole file as the broker does: one with a mistake in it is not written over.
    let check: (String) throws(TrustError) -> Void
    /// The user that a line is of; `nil` for a comment and an empty line.
    let userName: (ArraySlice<UInt8>) -> [UInt8]?

    /// Puts a line in place of the user's, which has no end, or behind all others; makes the file if there is none.
    func set(_ line: String, of name: String) throws(TrustError) {
        try FileBytes.changing(path) { () throws(TrustError) in
            let exists = FileBytes.exists(path)
            var lines = exists ? try read().filter { userName($0) != Array(name.utf8) } : []
            lines.append(Array(line.utf8)[...])
            try write(lines, replaces: exists)
        }
    }

    /// Takes the user's line out.
    ///
    /// - Throws: ``TrustError/noSuchUser(path:name:)``, or why the file cannot be read or written.
    func remove(_ name: String) throws(TrustError) {
        try FileBytes.changing(path) { () throws(TrustError) in
            let lines = try read()
            let rest = lines.filter { userName($0) != Array(name.utf8) }
            guard rest.count < lines.count else { throw .noSuchUser(path: path, name: name) }
            try write(rest, replaces: true)
        }
    }

    /// The users' lines, in the order of the file.
    func users() throws(TrustError) -> [(name: [UInt8], line: ArraySlice<UInt8>)] {
        try read().compactMap { line in userName(line).map { ($0, line) } }
    }

    private func read() throws(TrustError) -> [ArraySlice<UInt8>] {
        try check(path)
        let text = try FileBytes.read(path, bytesMax: bytesMax).bytes
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private func write(_ lines: [ArraySlice<UInt8>], replaces: Bool) throws(TrustError) {
        let text = lines.flatMap { $0 + [UInt8(ascii: "\n")] }
        try FileBytes.write(text, to: path, mode: Self.mode, replaces: replaces)
    }
}
