import COpenSSL

/// SHA-256 and what is built on it, by libcrypto.
enum SHA256 {
    static let byteCount = 32

    static func hash(_ bytes: [UInt8]) throws(TrustError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        ErrorQueue.clear()
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        guard done == 1, length == byteCount else { throw .draining("hash by SHA-256") }
        return digest
    }

    /// HMAC (RFC 2104).
    static func authenticate(_ message: [UInt8], key: [UInt8]) throws(TrustError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        var length = 0
        ErrorQueue.clear()
        let written = unsafe EVP_Q_mac(
            nil, "HMAC", nil, "SHA256", nil, key, key.count, message, message.count, &code, code.count, &length)
        guard unsafe written != nil, length == byteCount else { throw .draining("authenticate by HMAC-SHA-256") }
        return code
    }

    /// PBKDF2 (RFC 8018) to 32 bytes: as slow as `iterations` make it.
    static func stretch(_ password: [UInt8], salt: [UInt8], iterations: Int32) throws(TrustError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: byteCount)
        ErrorQueue.clear()
        let done = unsafe password.withUnsafeBytes { bytes in
            let text = unsafe bytes.bindMemory(to: CChar.self)
            return unsafe PKCS5_PBKDF2_HMAC(
                text.baseAddress, Int32(truncatingIfNeeded: text.count), salt, Int32(truncatingIfNeeded: salt.count), iterations,
                EVP_sha256(), Int32(byteCount), &key)
        }
        guard done == 1 else { throw .draining("derive a key by PBKDF2") }
        return key
    }
}

extension [UInt8] {
    /// Bytes from libcrypto's generator.
    package static func random(count: Int) throws(TrustError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        ErrorQueue.clear()
        guard unsafe RAND_bytes(&bytes, Int32(truncatingIfNeeded: count)) == 1 else { throw .draining("draw random bytes") }
        return bytes
    }

    /// Whether both hold the same bytes, in a time that tells only whether their lengths differ.
    func isSecretlyEqual(to other: [UInt8]) -> Bool {
        unsafe count == other.count && CRYPTO_memcmp(self, other, count) == 0
    }
}
