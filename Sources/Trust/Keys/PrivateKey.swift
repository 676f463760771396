import COpenSSL

/// A private key: made here (ECDSA on P-256) or read from PEM (any kind that OpenSSL reads).
///
/// May be shared by threads. Its bytes leave it only by ``pem()``.
package final class PrivateKey: Sendable {
    let handle: KeyHandle

    private init(_ handle: consuming KeyHandle) {
        self.handle = handle
    }

    /// A new ECDSA key on P-256: small in a handshake, and what every TLS client of the last ten years takes.
    package static func generate() throws(TrustError) -> PrivateKey {
        ErrorQueue.clear()
        guard let pointer = unsafe COpenSSL_EVP_PKEY_generate_p256() else { throw .draining("generate a P-256 key") }
        return unsafe PrivateKey(KeyHandle(owning: pointer))
    }

    /// Reads the first private key in a PEM text: PKCS #8, SEC1 (`EC PRIVATE KEY`) or PKCS #1.
    ///
    /// An encrypted key is refused by name; nobody is asked for a passphrase.
    package convenience init(pem: [UInt8], source: String = "PEM text") throws(TrustError) {
        guard pem.count <= CertificateLimits.fileBytesMax else {
            throw .tooLarge(source: source, bytes: pem.count, limit: CertificateLimits.fileBytesMax)
        }
        let text = try MemoryBIO.holding(pem)
        ErrorQueue.clear()
        // Without a callback libcrypto would prompt on the terminal, and block.
        guard let pointer = unsafe PEM_read_bio_PrivateKey(text.pointer, nil, { _, _, _, _ in -1 }, nil) else {
            let newest = ErrorQueue.newest
            let detail = ErrorQueue.drain()
            if COpenSSL_ERR_is_passphrase_missing(newest) != 0 || detail.contains("bad password read") {
                throw .encryptedPrivateKey(source: source)
            }
            // libcrypto 3 answers "unsupported" for a text without any key, so look for the block itself.
            if COpenSSL_ERR_is_pem_end(newest) != 0 || !String(decoding: pem, as: UTF8.self).contains("PRIVATE KEY-----") {
                throw .noPrivateKey(source: source)
            }
            throw .malformedPrivateKey(source: source, detail: detail)
        }
        unsafe self.init(KeyHandle(owning: pointer))
    }

    /// The key as an unencrypted PKCS #8 PEM text, for a file of mode 0600.
    package func pem() throws(TrustError) -> [UInt8] {
        let text = try MemoryBIO()
        ErrorQueue.clear()
        guard unsafe PEM_write_bio_PKCS8PrivateKey(text.pointer, handle.pointer, nil, nil, 0, nil, nil) == 1 else {
            throw .draining("write a private key")
        }
        return text.bytes
    }

    /// Whether `certificate` carries the public half of this key.
    package func belongs(to certificate: Certificate) throws(TrustError) -> Bool {
        let parsed = try CertificateHandle.reading(certificate.der, source: certificate.subject)
        ErrorQueue.clear()
        let matches = unsafe X509_check_private_key(parsed.pointer, handle.pointer) == 1
        ErrorQueue.clear()
        return matches
    }
}
