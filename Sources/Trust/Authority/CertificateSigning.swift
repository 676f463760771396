import COpenSSL

/// What a new certificate is to say.
struct CertificateContents {
    /// What the certificate's holder may do with it.
    enum Role {
        case authority, server, client
    }

    let role: Role
    let commonName: String
    let organization: String
    let alternativeNames: [AlternativeName]
    let validity: Validity

    /// Extensions as in openssl.cnf.
    ///
    /// Only constants: names go into a certificate as structures, never through this syntax.
    var extensions: [(identifier: Int32, value: String)] {
        switch role {
        case .authority:
            [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ]
        case .server, .client:
            [
                (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, role == .server ? "serverAuth" : "clientAuth"), (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid:always"),
            ]
        }
    }
}

extension CertificateContents {
    /// Makes the certificate for the holder of `holder`, signed by `signer`; `issuer` is `nil` for a root, which signs itself.
    func signed(holder: PrivateKey, issuer: Certificate?, signer: PrivateKey) throws(TrustError) -> Certificate {
        guard validity.notBefore < validity.notAfter else {
            throw .validityEndsBeforeItBegins(notBefore: validity.notBefore, notAfter: validity.notAfter)
        }
        ErrorQueue.clear()
        guard let pointer = unsafe X509_new() else { throw .draining("make a certificate") }
        let draft = unsafe CertificateHandle(owning: pointer)
        try draft.setVersionAndSerial()
        try draft.setSubject(commonName: commonName, organization: organization)
        try draft.setValidity(validity)
        try draft.check(unsafe X509_set_pubkey(draft.pointer, holder.handle.pointer), "set a certificate's key")

        if let issuer {
            let authority = try CertificateHandle.reading(issuer.der, source: issuer.subject)
            try draft.setIssuer(authority)
            try draft.add(extensions, issuer: authority)
        } else {
            try draft.setIssuer(draft)
            try draft.add(extensions, issuer: draft)
        }
        try draft.add(alternativeNames)
        try draft.sign(with: signer)
        return try Certificate(der: draft.derBytes(), source: commonName)
    }
}

extension CertificateHandle {
    fileprivate func check(_ result: Int32, _ operation: String) throws(TrustError) {
        guard result > 0 else { throw .draining(operation) }
    }

    fileprivate func setVersionAndSerial() throws(TrustError) {
        try check(unsafe X509_set_version(pointer, 2), "set a certificate's version")  // 2 means version 3
        var bytes = [UInt8](repeating: 0, count: 16)
        try check(unsafe RAND_bytes(&bytes, Int32(bytes.count)), "draw a serial number")
        guard let number = unsafe BN_bin2bn(bytes, Int32(bytes.count), nil) else { throw .draining("make a serial number") }
        defer { unsafe BN_free(number) }
        guard unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil else { throw .draining("set a serial number") }
    }

    fileprivate func setSubject(commonName: String, organization: String) throws(TrustError) {
        let subject = unsafe X509_get_subject_name(pointer)
        for (field, text) in [("O", organization), ("CN", commonName)] {
            let bytes = Array(text.utf8)
            let length = Int32(clamping: bytes.count)
            try check(
                unsafe X509_NAME_add_entry_by_txt(subject, field, MBSTRING_FLAG | 0, bytes, length, -1, 0), "set the subject's \(field)")
        }
    }

    fileprivate func setValidity(_ validity: Validity) throws(TrustError) {
        guard unsafe ASN1_TIME_set(X509_getm_notBefore(pointer), time_t(validity.notBefore)) != nil,
            unsafe ASN1_TIME_set(X509_getm_notAfter(pointer), time_t(validity.notAfter)) != nil
        else { throw .draining("set a certificate's dates") }
    }

    fileprivate func setIssuer(_ authority: borrowing CertificateHandle) throws(TrustError) {
        try check(unsafe X509_set_issuer_name(pointer, X509_get_subject_name(authority.pointer)), "set a certificate's issuer")
    }

    fileprivate func add(
        _ extensions: [(identifier: Int32, value: String)], issuer: borrowing CertificateHandle
    ) throws(TrustError) {
        for (identifier, value) in extensions {
            try check(
                unsafe COpenSSL_X509_add_extension(pointer, issuer.pointer, identifier, value), "add the extension '\(value)'")
        }
    }

    fileprivate func add(_ alternativeNames: [AlternativeName]) throws(TrustError) {
        guard !alternativeNames.isEmpty else { return }
        guard let list = unsafe COpenSSL_GENERAL_NAMES_new() else { throw .draining("make a list of names") }
        defer { unsafe COpenSSL_GENERAL_NAMES_free(list) }
        for name in alternativeNames {
            guard let type = name.generalNameType else {
                throw .unusableAlternativeName(name: name.description, reason: "this kind of name is not issued")
            }
            let length = Int32(clamping: name.bytes.count)
            try check(unsafe COpenSSL_GENERAL_NAMES_append(list, type, name.bytes, length), "add the name '\(name)'")
        }
        let data = unsafe UnsafeMutableRawPointer(list)
        try check(unsafe X509_add1_ext_i2d(pointer, NID_subject_alt_name, data, 0, 0), "add the alternative names")
    }

    fileprivate func sign(with signer: PrivateKey) throws(TrustError) {
        // Edwards keys hash for themselves and take no digest (X509_sign(3)).
        let key = unsafe signer.handle.pointer
        let hashesItself = unsafe EVP_PKEY_is_a(key, "ED25519") == 1 || EVP_PKEY_is_a(key, "ED448") == 1
        try check(unsafe X509_sign(pointer, key, hashesItself ? nil : EVP_sha256()), "sign a certificate")
    }
}
