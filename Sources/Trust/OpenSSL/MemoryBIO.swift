import COpenSSL

/// Owns one memory `BIO`: bytes that libcrypto reads from or writes to.
@safe struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer

    init() throws(TrustError) {
        guard let pointer = unsafe BIO_new(BIO_s_mem()) else { throw .draining("make a memory buffer") }
        unsafe self.pointer = pointer
    }

    /// Holds a copy of `bytes`, so that nothing depends on how long the array lives.
    static func holding(_ bytes: [UInt8]) throws(TrustError) -> MemoryBIO {
        let buffer = try MemoryBIO()
        guard let count = Int32(exactly: bytes.count) else {
            throw .tooLarge(source: "PEM text", bytes: bytes.count, limit: CertificateLimits.fileBytesMax)
        }
        guard unsafe count == 0 || BIO_write(buffer.pointer, bytes, count) == count else { throw .draining("fill a memory buffer") }
        return buffer
    }

    deinit { unsafe BIO_free(pointer) }

    /// What was written so far.
    var bytes: [UInt8] {
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe COpenSSL_BIO_get_mem_data(pointer, &start)
        guard count > 0, let start = unsafe start else { return [] }
        return unsafe UnsafeRawBufferPointer(start: start, count: count).map { $0 }
    }
}
