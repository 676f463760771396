import COpenSSL

/// Hash functions by their names, by libcrypto.
package enum Digest {
    /// Nil for an algorithm that libcrypto has not, or is not allowed to use.
    package static func hash(_ bytes: [UInt8], algorithm: String) -> [UInt8]? {
        ErrorQueue.clear()
        guard let method = unsafe EVP_get_digestbyname(algorithm) else { return nil }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard unsafe EVP_Digest(bytes, bytes.count, &digest, &length, method, nil) == 1 else {
            ErrorQueue.clear()
            return nil
        }
        return Array(digest.prefix(Int(length)))
    }
}
