import COpenSSL

/// The RSA keys of a PEM file, and signatures in base64 as AWS IoT's custom authorizers have them.
extension VerificationKey {
    /// Reads every public key of a PEM file, in order.
    ///
    /// - Throws: for a file that cannot be read, one without a key, and one with a key that is no RSA key of the bounds of ``rsa(modulus:exponent:)``.
    package static func rsaKeys(file path: String) throws(TrustError) -> [VerificationKey] {
        try rsaKeys(pem: try PublicFile.read(path, bytesMax: CertificateLimits.fileBytesMax), source: path)
    }

    /// Reads every public key of a PEM text, in order: a block that cannot be read fails the whole.
    package static func rsaKeys(pem: [UInt8], source: String = "PEM text") throws(TrustError) -> [VerificationKey] {
        guard pem.count <= CertificateLimits.fileBytesMax else {
            throw .tooLarge(source: source, bytes: pem.count, limit: CertificateLimits.fileBytesMax)
        }
        let text = try MemoryBIO.holding(pem)
        ErrorQueue.clear()
        var keys: [VerificationKey] = []
        while let key = try nextKey(in: text, number: keys.count + 1, source) { keys.append(key) }
        guard !keys.isEmpty else { throw .unsound(path: source, reason: "no public key in it (expected PEM, -----BEGIN PUBLIC KEY-----)") }
        return keys
    }

    /// nil behind the last one.
    private static func nextKey(
        in text: borrowing MemoryBIO, number: Int, _ source: String
    ) throws(TrustError) -> VerificationKey? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        guard unsafe PEM_read_bio(text.pointer, &name, &header, &data, &count) == 1 else {
            guard COpenSSL_ERR_is_pem_end(ErrorQueue.newest) != 0 else {
                throw .unsound(path: source, reason: "key \(number) is no well-formed PEM: \(ErrorQueue.drain())")
            }
            ErrorQueue.clear()
            return nil
        }
        defer {
            unsafe COpenSSL_free(name)
            unsafe COpenSSL_free(header)
            unsafe COpenSSL_free(data)
        }
        var cursor = unsafe UnsafePointer(data)
        guard let pointer = unsafe d2i_PUBKEY(nil, &cursor, count) else {
            throw .unsound(
                path: source, reason: "key \(number) is no public key (expected PEM, -----BEGIN PUBLIC KEY-----): \(ErrorQueue.drain())")
        }
        let handle = unsafe KeyHandle(owning: pointer)
        guard let modulus = self.number("n", of: handle), let exponent = self.number("e", of: handle) else {
            throw .unsound(path: source, reason: "key \(number) is no RSA key, which is all that signs for a custom authorizer")
        }
        return try rsa(modulus: modulus, exponent: exponent)
    }

    private static func number(_ name: String, of key: borrowing KeyHandle) -> [UInt8]? {
        var found: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key.pointer, name, &found) == 1, let number = unsafe found else { return nil }
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: (Int(unsafe BN_num_bits(number)) + 7) / 8)
        guard unsafe Int(BN_bn2bin(number, &bytes)) == bytes.count else { return nil }
        return bytes
    }

    /// Whether a signature in base64 is one of the message by this key, by RSA with SHA-256; false for what is no base64.
    package func verifies(base64 signature: String, of message: [UInt8]) -> Bool {
        guard let bytes = Base64.bytes(Array(signature.utf8)) else { return false }
        return verifies(bytes, of: message, by: .rs256)
    }
}
