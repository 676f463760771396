import COpenSSL

extension CertificateAuthority {
    /// Signs a revocation list that takes the place of an earlier one.
    ///
    /// - Parameters:
    ///   - earlier: The authority's list so far, all of whose entries stay; `nil` for its first.
    ///   - certificates: What is revoked beside these, each issued by this authority. One that is revoked already keeps its date.
    ///   - validity: From when the list holds, and until when the next one is due.
    ///   - time: Seconds since 1970, the date of what is revoked now.
    /// - Returns: The list, with the number after the earlier one's.
    /// - Throws: ``TrustError`` when libcrypto cannot make it.
    package func revocationList(
        after earlier: RevocationList?, revoking certificates: [Certificate], validity: Validity, at time: Int64
    ) throws(TrustError) -> RevocationList {
        let authority = try CertificateHandle.reading(certificate.der, source: certificate.subject)
        let draft = try RevocationHandle.draft(after: earlier)
        try draft.setHead(issuer: authority, validity)
        try draft.setNumber(after: earlier)
        for revoked in certificates {
            let handle = try CertificateHandle.reading(revoked.der, source: revoked.subject)
            if !draft.names(handle) { try draft.add(handle, at: time) }
        }
        try draft.sign(with: key, of: authority)
        return try RevocationList(der: draft.derBytes(), source: certificate.subject)
    }
}

extension RevocationHandle {
    /// A copy of the earlier list without its extensions, or an empty one.
    fileprivate static func draft(after earlier: RevocationList?) throws(TrustError) -> RevocationHandle {
        ErrorQueue.clear()
        if let earlier {
            let copy = try reading(earlier.der, source: earlier.issuer)
            while let removed = unsafe X509_CRL_delete_ext(copy.pointer, 0) { unsafe X509_EXTENSION_free(removed) }
            return copy
        }
        guard let pointer = unsafe X509_CRL_new() else { throw .draining("make a revocation list") }
        let draft = unsafe RevocationHandle(owning: pointer)
        try draft.check(unsafe X509_CRL_set_version(draft.pointer, 1), "set a revocation list's version")  // 1 means version 2
        return draft
    }

    fileprivate func check(_ result: Int32, _ operation: String) throws(TrustError) {
        guard result > 0 else { throw .draining(operation) }
    }

    fileprivate func setHead(issuer: borrowing CertificateHandle, _ validity: Validity) throws(TrustError) {
        let operation = "set a revocation list's issuer and dates"
        try check(unsafe X509_CRL_set_issuer_name(pointer, X509_get_subject_name(issuer.pointer)), operation)
        guard let begin = unsafe ASN1_TIME_set(nil, time_t(validity.notBefore)) else { throw .draining(operation) }
        defer { unsafe ASN1_STRING_free(begin) }
        guard let end = unsafe ASN1_TIME_set(nil, time_t(validity.notAfter)) else { throw .draining(operation) }
        defer { unsafe ASN1_STRING_free(end) }
        try check(unsafe X509_CRL_set1_lastUpdate(pointer, begin), operation)
        try check(unsafe X509_CRL_set1_nextUpdate(pointer, end), operation)
    }

    /// One more than the earlier list's number (RFC 5280 section 5.2.3: they only ever grow).
    fileprivate func setNumber(after earlier: RevocationList?) throws(TrustError) {
        let operation = "number a revocation list"
        var number: OpaquePointer? = unsafe BN_new()
        defer { unsafe BN_free(number) }
        if let text = earlier?.number { try check(unsafe BN_hex2bn(&number, text), operation) }
        try check(unsafe BN_add_word(number, 1), operation)
        guard let integer = unsafe BN_to_ASN1_INTEGER(number, nil) else { throw .draining(operation) }
        defer { unsafe ASN1_INTEGER_free(integer) }
        try check(unsafe X509_CRL_add1_ext_i2d(pointer, NID_crl_number, integer, 0, 0), operation)
    }

    fileprivate func add(_ certificate: borrowing CertificateHandle, at time: Int64) throws(TrustError) {
        let operation = "revoke a certificate"
        guard let date = unsafe ASN1_TIME_set(nil, time_t(time)) else { throw .draining(operation) }
        defer { unsafe ASN1_STRING_free(date) }
        guard let entry = unsafe X509_REVOKED_new() else { throw .draining(operation) }
        // The serial number is copied; it is not const for historical reasons.
        let serial = unsafe X509_get_serialNumber(certificate.pointer)
        guard unsafe X509_REVOKED_set_serialNumber(entry, serial) == 1, unsafe X509_REVOKED_set_revocationDate(entry, date) == 1,
            unsafe X509_CRL_add0_revoked(pointer, entry) == 1
        else {
            unsafe X509_REVOKED_free(entry)
            throw .draining(operation)
        }
    }

    fileprivate func sign(with key: PrivateKey, of authority: borrowing CertificateHandle) throws(TrustError) {
        try check(unsafe COpenSSL_X509_CRL_name_key(pointer, authority.pointer), "name the key of a revocation list")
        try check(unsafe X509_CRL_sort(pointer), "sort a revocation list")
        let signer = unsafe key.handle.pointer
        let hashesItself = unsafe EVP_PKEY_is_a(signer, "ED25519") == 1 || EVP_PKEY_is_a(signer, "ED448") == 1
        try check(unsafe X509_CRL_sign(pointer, signer, hashesItself ? nil : EVP_sha256()), "sign a revocation list")
    }
}
