/// A file with one secret that only its owner may read.
package enum SecretFile {
    /// Bytes of a file with a secret.
    package static let bytesMax = 4_096

    /// Reads the secret: the file's bytes, without one line end behind them.
    ///
    /// - Throws: ``TrustError/credentialsReadableByOthers(path:mode:)``, ``TrustError/unsound(path:reason:)`` for a file with nothing in it,
    ///   or why the file cannot be read.
    package static func read(_ path: String) throws(TrustError) -> [UInt8] {
        var (bytes, mode) = try FileBytes.read(path, bytesMax: bytesMax)
        guard mode & 0o077 == 0 else { throw .credentialsReadableByOthers(path: path, mode: mode) }
        if bytes.last == UInt8(ascii: "\n") {
            bytes.removeLast()
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        }
        guard !bytes.isEmpty else { throw .unsound(path: path, reason: "the file is empty, and must hold a secret") }
        return bytes
    }
}

/// A secret that callers show whole.
package struct SharedSecret: Sendable {
    /// Bytes of a secret at least: 128 bits where each byte is a hexadecimal digit.
    package static let bytesMin = 32

    /// Not the secret itself: codes of the same length compare in the same time whatever the caller shows.
    private let code: [UInt8]
    private let key: [UInt8]

    /// Reads the secret from a file of mode 0600.
    ///
    /// - Throws: what ``SecretFile/read(_:)`` throws, and ``TrustError/unsound(path:reason:)`` for one that is too short.
    package init(file path: String) throws(TrustError) {
        let secret = try SecretFile.read(path)
        guard secret.count >= Self.bytesMin else {
            throw .unsound(
                path: path,
                reason: "the secret has \(secret.count) bytes, and must have \(Self.bytesMin) or more: openssl rand -hex 32 makes one")
        }
        key = try .random(count: SHA256.byteCount)
        code = try SHA256.authenticate(secret, key: key)
    }

    /// Whether the bytes are the secret, in a time that says nothing about it.
    package func matches(_ bytes: [UInt8]) -> Bool {
        guard let shown = try? SHA256.authenticate(bytes, key: key) else { return false }
        return shown.isSecretlyEqual(to: code)
    }
}

/// A file that anybody may read.
package enum PublicFile {
    /// Reads a regular file of at most `bytesMax` bytes.
    package static func read(_ path: String, bytesMax: Int) throws(TrustError) -> [UInt8] {
        try FileBytes.read(path, bytesMax: bytesMax).bytes
    }
}
