import COpenSSL

/// Owns one `EVP_PKEY`.
// @unchecked: a key is not changed once it is made, and libcrypto reads keys from several threads safely (atomic counts, own locks).
@safe struct KeyHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    @unsafe init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_free(pointer) }
}
