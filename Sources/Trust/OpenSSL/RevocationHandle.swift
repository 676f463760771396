import COpenSSL

/// Owns one `X509_CRL`.
///
/// Lives for one call on one thread; what outlives it is the value ``RevocationList``.
@safe struct RevocationHandle: ~Copyable {
    let pointer: OpaquePointer

    @unsafe init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    /// Reads one list, and nothing after it.
    static func reading(_ der: [UInt8], source: String) throws(TrustError) -> RevocationHandle {
        ErrorQueue.clear()
        var consumed = 0
        let parsed: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress, buffer.count > 0 else { return nil }
            var cursor: UnsafePointer<UInt8>? = unsafe start
            let list = unsafe d2i_X509_CRL(nil, &cursor, buffer.count)
            if let end = unsafe cursor {
                consumed = unsafe end - start
            }
            return unsafe list
        }
        guard let parsed = unsafe parsed else { throw .malformedRevocationList(source: source, detail: ErrorQueue.drain()) }
        let list = unsafe RevocationHandle(owning: parsed)
        guard consumed == der.count else {
            throw .malformedRevocationList(source: source, detail: "\(der.count - consumed) bytes follow the list")
        }
        return list
    }

    deinit { unsafe X509_CRL_free(pointer) }

    func derBytes() throws(TrustError) -> [UInt8] {
        ErrorQueue.clear()
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509_CRL(pointer, &start)
        guard count > 0, let start = unsafe start else { throw .draining("encode a revocation list") }
        defer { unsafe COpenSSL_free(start) }
        return unsafe UnsafeBufferPointer(start: start, count: Int(count)).map { $0 }
    }

    /// The list's number (RFC 5280 section 5.2.3) in hexadecimal digits; `nil` when it has none.
    func numberText() throws(TrustError) -> String? {
        var critical: Int32 = 0
        ErrorQueue.clear()
        guard let raw = unsafe X509_CRL_get_ext_d2i(pointer, NID_crl_number, &critical, nil) else {
            ErrorQueue.clear()
            return nil
        }
        let number = unsafe raw.assumingMemoryBound(to: ASN1_INTEGER.self)
        defer { unsafe ASN1_INTEGER_free(number) }
        return unsafe try CertificateHandle.text(ofSerial: number)
    }

    var count: Int { unsafe Int(max(0, COpenSSL_X509_CRL_count(pointer))) }

    /// Whether the certificate stands in the list, whoever its issuer is.
    func names(_ certificate: borrowing CertificateHandle) -> Bool {
        var entry: OpaquePointer?
        return unsafe X509_CRL_get0_by_cert(pointer, &entry, certificate.pointer) == 1
    }
}
