import COpenSSL

/// A key that signatures are checked with: a public one, or a secret.
///
/// May be shared by threads.
package final class VerificationKey: Sendable {
    /// What is signed with it.
    package enum Kind: String, Sendable {
        case rsa = "RSA"
        case p256 = "P-256"
        case p384 = "P-384"
        case ed25519 = "Ed25519"
        case secret = "secret"
    }

    private enum Material: Sendable {
        case key(PublicKey)
        case secret([UInt8])
    }

    private final class PublicKey: Sendable {
        let handle: KeyHandle

        init(_ handle: consuming KeyHandle) { self.handle = handle }
    }

    package let kind: Kind
    /// Tells the key from every other one: SHA-256 over its kind and its bytes, of a secret over a code made with it.
    package let thumbprint: [UInt8]
    private let material: Material

    private init(_ kind: Kind, _ material: Material, thumbprint: [UInt8]) {
        self.kind = kind
        self.material = material
        self.thumbprint = thumbprint
    }

    private static func thumbprint(_ kind: Kind, _ named: [UInt8]) throws(TrustError) -> [UInt8] {
        try SHA256.hash(Array(kind.rawValue.utf8) + [0] + named)
    }

    /// An RSA key by its modulus and its exponent, big-endian.
    ///
    /// - Throws: ``TrustError/unusableKey(reason:)`` for a modulus of fewer than ``SignatureLimits/rsaBitsMin`` or more than
    ///   ``SignatureLimits/rsaBitsMax`` bits, and an exponent that is even, 1, or longer than four bytes: larger ones only cost time.
    package static func rsa(modulus: [UInt8], exponent: [UInt8]) throws(TrustError) -> VerificationKey {
        let magnitude = Array(modulus.drop { $0 == 0 })
        let bits = magnitude.count * 8 - (magnitude.first?.leadingZeroBitCount ?? 0)
        guard SignatureLimits.rsaBitsMin...SignatureLimits.rsaBitsMax ~= bits else {
            throw .unusableKey(
                reason: "an RSA key of \(bits) bits: \(SignatureLimits.rsaBitsMin) to \(SignatureLimits.rsaBitsMax) are taken")
        }
        let power = exponent.drop { $0 == 0 }
        let isOdd = magnitude.last.map { $0 & 1 == 1 } ?? false
        guard let last = power.last, power.count <= 4, last & 1 == 1, power.count > 1 || last > 1, isOdd else {
            throw .unusableKey(reason: "an RSA key whose modulus or exponent no RSA key has")
        }
        let key = DER.sequence(DER.integer(magnitude), DER.integer(power))
        return try publicKey(.rsa, DER.identifier([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]) + DER.null, key)
    }

    /// A point of P-256 or P-384 by its coordinates, big-endian and in full length (RFC 7518 section 6.2.1.2).
    ///
    /// - Throws: ``TrustError/unusableKey(reason:)`` also for a point that is not on the curve.
    package static func ellipticCurve(_ kind: Kind, x: [UInt8], y: [UInt8]) throws(TrustError) -> VerificationKey {
        let curve: [UInt8]
        switch kind {
        case .p256: curve = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: curve = [0x2B, 0x81, 0x04, 0x00, 0x22]
        case .rsa, .ed25519, .secret: throw .unusableKey(reason: "\(kind.rawValue) is no curve of ECDSA")
        }
        let length = SignatureLimits.coordinateBytes(kind)
        guard x.count == length, y.count == length else {
            throw .unusableKey(reason: "a point of \(kind.rawValue) has two coordinates of \(length) bytes")
        }
        let algorithm = DER.identifier([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]) + DER.identifier(curve)
        return try publicKey(kind, algorithm, [0x04] + x + y)
    }

    /// An Ed25519 key (RFC 8037 section 2).
    package static func ed25519(_ bytes: [UInt8]) throws(TrustError) -> VerificationKey {
        guard bytes.count == 32 else { throw .unusableKey(reason: "an Ed25519 key has 32 bytes") }
        return try publicKey(.ed25519, DER.identifier([0x2B, 0x65, 0x70]), bytes)
    }

    /// A secret for HS256.
    ///
    /// - Throws: ``TrustError/unusableKey(reason:)`` for one that is shorter than the code that it makes (RFC 7518 section 3.2), and for a
    ///   key or certificate in PEM: whoever knows a public key could sign with it.
    package static func secret(_ bytes: [UInt8]) throws(TrustError) -> VerificationKey {
        guard bytes.count >= SHA256.byteCount else {
            throw .unusableKey(reason: "a secret for HS256 has \(SHA256.byteCount) bytes or more, this one has \(bytes.count)")
        }
        guard !String(decoding: bytes, as: UTF8.self).contains("-----BEGIN") else {
            throw .unusableKey(reason: "this is a key or certificate in PEM and no secret: who knows a public key could sign with it")
        }
        let code = try SHA256.authenticate(Array("Crema thumbprint".utf8), key: bytes)
        return VerificationKey(.secret, .secret(bytes), thumbprint: try thumbprint(.secret, code))
    }

    private static func publicKey(_ kind: Kind, _ algorithm: [UInt8], _ key: [UInt8]) throws(TrustError) -> VerificationKey {
        let info = DER.sequence(DER.sequence(algorithm), DER.bitString(key))
        ErrorQueue.clear()
        let parsed: OpaquePointer? = unsafe info.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        guard let parsed = unsafe parsed else {
            throw .unusableKey(reason: "libcrypto takes it for no \(kind.rawValue) key: \(ErrorQueue.drain())")
        }
        let made = unsafe PublicKey(KeyHandle(owning: parsed))
        return VerificationKey(kind, .key(made), thumbprint: try thumbprint(kind, key))
    }

    // MARK: Signatures

    /// Whether the algorithm is one for this kind of key.
    package func fits(_ algorithm: SignatureAlgorithm) -> Bool { algorithm.keyKind == kind }

    /// Whether the signature is one of the message by this key.
    ///
    /// Never throws: what cannot be checked has not been signed. A key of another kind than the algorithm's is not tried.
    ///
    /// - Parameters:
    ///   - signature: as JWS writes it (RFC 7518 section 3): of ECDSA the two numbers in full length.
    ///   - message: what was signed.
    ///   - algorithm: by which.
    /// - Returns: whether it is.
    package func verifies(_ signature: [UInt8], of message: [UInt8], by algorithm: SignatureAlgorithm) -> Bool {
        guard fits(algorithm) else { return false }
        switch material {
        case .secret(let secret):
            guard let code = try? SHA256.authenticate(message, key: secret) else { return false }
            return code.isSecretlyEqual(to: signature)
        case .key(let key):
            guard let encoded = encoded(signature) else { return false }
            let isVerified = Self.verify(encoded, of: message, by: algorithm, key.handle)
            ErrorQueue.clear()
            return isVerified
        }
    }

    /// The signature as libcrypto reads it; `nil` for one of another length, which libcrypto's own form has, too (RFC 7518 section 3.4).
    private func encoded(_ signature: [UInt8]) -> [UInt8]? {
        guard kind == .p256 || kind == .p384 else { return signature }
        let length = SignatureLimits.coordinateBytes(kind)
        guard signature.count == 2 * length else { return nil }
        return DER.sequence(DER.integer(signature[..<length]), DER.integer(signature[length...]))
    }

    private static func verify(
        _ signature: [UInt8], of message: [UInt8], by algorithm: SignatureAlgorithm, _ key: borrowing KeyHandle
    ) -> Bool {
        ErrorQueue.clear()
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        let digest: OpaquePointer? =
            switch algorithm {
            case .rs256, .ps256, .es256: unsafe EVP_sha256()
            case .rs384, .es384: unsafe EVP_sha384()
            case .rs512: unsafe EVP_sha512()
            case .edDSA, .hs256: nil
            }
        var parameters: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &parameters, digest, nil, key.pointer) == 1 else { return false }
        if algorithm == .ps256 {
            // The salt is as long as the digest, and the mask is made with the same digest (RFC 7518 section 3.5).
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, Int32(SHA256.byteCount)) == 1
            else { return false }
        }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}

/// Every bound of signatures here.
package enum SignatureLimits {
    /// Bits of an RSA key at least (RFC 7518 section 3.3).
    package static let rsaBitsMin = 2_048
    /// Bits of an RSA key at most: time grows with their square.
    package static let rsaBitsMax = 4_096

    /// Bytes of a coordinate, and of each number of a signature.
    static func coordinateBytes(_ kind: VerificationKey.Kind) -> Int { kind == .p384 ? 48 : 32 }
}
