import COpenSSL

/// Owns one `X509`.
///
/// Lives for one call on one thread; what outlives it is the value ``Certificate``.
@safe struct CertificateHandle: ~Copyable {
    let pointer: OpaquePointer

    @unsafe init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Reads one certificate; bytes after it are an error, because two readers could then disagree on what was signed.
    static func reading(_ der: [UInt8], source: String) throws(TrustError) -> CertificateHandle {
        guard der.count <= CertificateLimits.certificateBytesMax else {
            throw .tooLarge(source: source, bytes: der.count, limit: CertificateLimits.certificateBytesMax)
        }
        ErrorQueue.clear()
        var consumed = 0
        let parsed: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress, buffer.count > 0 else { return nil }
            var cursor: UnsafePointer<UInt8>? = unsafe start
            let certificate = unsafe d2i_X509(nil, &cursor, buffer.count)
            if let end = unsafe cursor {
                consumed = unsafe end - start
            }
            return unsafe certificate
        }
        guard let parsed = unsafe parsed else { throw .malformedCertificate(source: source, detail: ErrorQueue.drain()) }
        let certificate = unsafe CertificateHandle(owning: parsed)
        guard consumed == der.count else {
            throw .malformedCertificate(source: source, detail: "\(der.count - consumed) bytes follow the certificate")
        }
        return certificate
    }

    deinit { unsafe X509_free(pointer) }

    func derBytes() throws(TrustError) -> [UInt8] {
        ErrorQueue.clear()
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(pointer, &start)
        guard count > 0, let start = unsafe start else { throw .draining("encode a certificate") }
        defer { unsafe COpenSSL_free(start) }
        return unsafe UnsafeBufferPointer(start: start, count: Int(count)).map { $0 }
    }
}
