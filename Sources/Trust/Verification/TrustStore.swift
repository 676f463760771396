import COpenSSL

/// Owns one `X509_STORE` with the authorities that are trusted.
// @unchecked: filled in `init` and never changed after; X509_verify_cert reads a store from several threads, under the store's own lock.
@safe final class TrustStore: @unchecked Sendable {
    /// Security level 2 of OpenSSL: 112 bits, so RSA from 2,048 bits and no SHA-1 (SSL_CTX_set_security_level(3)).
    private static let securityLevel: Int32 = 2

    private let pointer: OpaquePointer

    /// With `revocations`, every certificate of a chain is looked for in its issuer's list; without, no list is asked for.
    init(_ authorities: [Certificate], revocations: [RevocationList]? = nil) throws(TrustError) {
        guard !authorities.isEmpty else { throw .noCertificate(source: "list of trusted authorities") }
        ErrorQueue.clear()
        guard let pointer = unsafe X509_STORE_new() else { throw .draining("make a trust store") }
        unsafe self.pointer = pointer
        for authority in authorities {
            guard authority.isAuthority else { throw .notAnAuthority(subject: authority.subject) }
            let handle = try CertificateHandle.reading(authority.der, source: authority.subject)
            // Takes a count of its own, and one that is there already is no error.
            guard unsafe X509_STORE_add_cert(pointer, handle.pointer) == 1 else { throw .draining("trust an authority") }
        }
        guard unsafe X509_STORE_set_depth(pointer, CertificateLimits.chainDepthMax) == 1 else { throw .draining("limit a chain") }
        unsafe X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(pointer), Self.securityLevel)
        guard let revocations else { return }
        for list in revocations {
            let handle = try RevocationHandle.reading(list.der, source: list.issuer)
            guard unsafe X509_STORE_add_crl(pointer, handle.pointer) == 1 else { throw .draining("keep a revocation list") }
        }
        // The whole chain: an intermediate authority that is revoked must take its clients with it.
        guard unsafe X509_STORE_set_flags(pointer, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL)) == 1 else {
            throw .draining("ask for revocation lists")
        }
    }

    deinit { unsafe X509_STORE_free(pointer) }

    /// Whether `leaf` is to be believed.
    enum Verdict {
        /// By a chain over those of the given certificates, by their places.
        case believed(over: [Int])
        case failed(VerificationFailure)
    }

    func verdict(
        of leaf: borrowing CertificateHandle, chain: borrowing CertificateStack, purpose: CertificatePurpose, at time: Int64
    ) throws(TrustError) -> Verdict {
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        guard let context = unsafe X509_STORE_CTX_new() else { throw .draining("prepare a verification") }
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_CTX_init(context, pointer, leaf.pointer, chain.pointer) == 1,
            unsafe X509_STORE_CTX_set_purpose(context, purpose.identifier) == 1
        else { throw .draining("prepare a verification") }
        unsafe X509_STORE_CTX_set_time(context, 0, time_t(time))

        if unsafe X509_verify_cert(context) == 1 {
            return unsafe .believed(over: Self.places(of: chain, in: context))
        }
        return .failed(try unsafe Self.failure(in: context))
    }

    /// Which of the given certificates the chain goes over: libcrypto puts the very ones that it was given into it.
    @unsafe private static func places(of given: borrowing CertificateStack, in context: OpaquePointer) -> [Int] {
        let built = unsafe X509_STORE_CTX_get0_chain(context)
        let links = unsafe (0..<COpenSSL_X509_stack_count(built)).map { unsafe COpenSSL_X509_stack_value(built, $0) }
        let count = unsafe COpenSSL_X509_stack_count(given.pointer)
        return (0..<count).filter { place in unsafe links.contains(COpenSSL_X509_stack_value(given.pointer, place)) }.map(Int.init)
    }

    @unsafe private static func failure(in context: OpaquePointer) throws(TrustError) -> VerificationFailure {
        let code = unsafe X509_STORE_CTX_get_error(context)
        let depth = unsafe Int(max(0, X509_STORE_CTX_get_error_depth(context)))
        // Borrowed from the context: a count of our own makes it an ordinary handle.
        guard let current = unsafe X509_STORE_CTX_get_current_cert(context), unsafe X509_up_ref(current) == 1 else {
            return VerificationFailure(reason: .refusedByOpenSSL(code: code), depth: depth, subject: "")
        }
        let certificate = unsafe CertificateHandle(owning: current)
        var reason = reason(code, try certificate.validity(source: "certificate"))
        if code == X509_V_ERR_CRL_HAS_EXPIRED { reason = unsafe reasonOfEndedList(in: context, certificate) }
        return VerificationFailure(reason: reason, depth: depth, subject: try certificate.subjectText())
    }

    /// Dates come first in libcrypto's order; but who stands in a list that has ended is revoked all the same.
    @unsafe private static func reasonOfEndedList(
        in context: OpaquePointer, _ certificate: borrowing CertificateHandle
    ) -> VerificationReason {
        let lists = unsafe X509_STORE_CTX_get1_crls(context, X509_get_issuer_name(certificate.pointer))
        defer { unsafe COpenSSL_X509_CRL_stack_free(lists) }
        var nextUpdate: Int64 = 0
        let count = unsafe COpenSSL_X509_CRL_stack_count(lists)
        for index in 0..<count {
            guard let list = unsafe COpenSSL_X509_CRL_stack_value(lists, index) else { continue }
            var entry: OpaquePointer?
            // 1 says that it is revoked, 2 that it was and is not any more.
            if unsafe X509_CRL_get0_by_cert(list, &entry, certificate.pointer) == 1 { return .revoked }
            nextUpdate = unsafe max(nextUpdate, CertificateHandle.seconds(X509_CRL_get0_nextUpdate(list)) ?? 0)
        }
        return .revocationListEnded(nextUpdate: nextUpdate)
    }

    private static func reason(_ code: Int32, _ validity: Validity) -> VerificationReason {
        switch code {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_CERT_UNTRUSTED:
            .unknownAuthority
        case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: .badSignature
        case X509_V_ERR_CERT_HAS_EXPIRED: .expired(notAfter: validity.notAfter)
        case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid(notBefore: validity.notBefore)
        case X509_V_ERR_INVALID_PURPOSE: .wrongPurpose
        case X509_V_ERR_INVALID_CA, X509_V_ERR_PATH_LENGTH_EXCEEDED, X509_V_ERR_KEYUSAGE_NO_CERTSIGN: .notAnAuthority
        case X509_V_ERR_CERT_CHAIN_TOO_LONG: .chainTooLong
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: .tooWeak
        case X509_V_ERR_CERT_REVOKED: .revoked
        case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER: .noRevocationList
        case X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE,
            X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
            X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
            .unusableRevocationList(code: code)
        default: .refusedByOpenSSL(code: code)
        }
    }
}

/// Owns a list of certificates that a peer sent.
@safe struct CertificateStack: ~Copyable {
    let pointer: OpaquePointer

    init() throws(TrustError) {
        guard let pointer = unsafe COpenSSL_X509_stack_new() else { throw .draining("make a list of certificates") }
        unsafe self.pointer = pointer
    }

    deinit { unsafe COpenSSL_X509_stack_free(pointer) }

    /// Adds a certificate; the list takes a count of its own.
    mutating func append(_ certificate: borrowing CertificateHandle) throws(TrustError) {
        guard unsafe X509_up_ref(certificate.pointer) == 1 else { throw .draining("keep a certificate") }
        guard unsafe COpenSSL_X509_stack_push(pointer, certificate.pointer) > 0 else {
            unsafe X509_free(certificate.pointer)
            throw .draining("keep a certificate")
        }
    }
}
