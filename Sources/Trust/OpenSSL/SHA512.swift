import COpenSSL

/// SHA-512 and what password files build on it, by libcrypto.
enum SHA512 {
    static let byteCount = 64

    static func hash(_ bytes: [UInt8]) throws(TrustError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        var length: UInt32 = 0
        ErrorQueue.clear()
        let done = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha512(), nil)
        guard done == 1, length == byteCount else { throw .draining("hash by SHA-512") }
        return digest
    }

    /// PBKDF2 (RFC 8018) to 64 bytes: as slow as `iterations` make it.
    static func stretch(_ password: [UInt8], salt: [UInt8], iterations: Int) throws(TrustError) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: byteCount)
        // An array without elements has no address to give, and libcrypto takes none for a length of -1.
        let text = password.isEmpty ? [0] : password
        ErrorQueue.clear()
        let done = unsafe text.withUnsafeBytes { bytes in
            let start = unsafe bytes.bindMemory(to: CChar.self).baseAddress
            return unsafe PKCS5_PBKDF2_HMAC(
                start, Int32(clamping: password.count), salt, Int32(clamping: salt.count), Int32(clamping: iterations), EVP_sha512(),
                Int32(byteCount), &key)
        }
        guard done == 1 else { throw .draining("derive a key by PBKDF2") }
        return key
    }
}
