import COpenSSL
import Glibc

/// What a parsed certificate says, field by field. Every length comes from libcrypto and is checked before use.
extension CertificateHandle {
    func subjectText() throws(TrustError) -> String {
        unsafe try Self.text(ofName: X509_get_subject_name(pointer))
    }

    func issuerText() throws(TrustError) -> String {
        unsafe try Self.text(ofName: X509_get_issuer_name(pointer))
    }

    func serialText() throws(TrustError) -> String {
        try unsafe Self.text(ofSerial: X509_get0_serialNumber(pointer))
    }

    /// Hexadecimal digits, as the openssl program prints them.
    @unsafe static func text(ofSerial serial: UnsafePointer<ASN1_INTEGER>?) throws(TrustError) -> String {
        ErrorQueue.clear()
        guard let number = unsafe ASN1_INTEGER_to_BN(serial, nil) else { throw .draining("read a serial number") }
        defer { unsafe BN_free(number) }
        guard let digits = unsafe BN_bn2hex(number) else { throw .draining("print a serial number") }
        defer { unsafe COpenSSL_free(digits) }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: digits, count: strlen(digits)).prefix(128), as: UTF8.self)
    }

    func validity(source: String) throws(TrustError) -> Validity {
        guard let notBefore = unsafe Self.seconds(X509_get0_notBefore(pointer)),
            let notAfter = unsafe Self.seconds(X509_get0_notAfter(pointer))
        else { throw .malformedCertificate(source: source, detail: "its dates are no dates") }
        return Validity(notBefore: notBefore, notAfter: notAfter)
    }

    func commonNames() -> [CommonName] { unsafe Self.names(in: X509_get_subject_name(pointer), NID_commonName) }

    /// Every value of one field of a subject or an issuer, in order.
    @unsafe static func names(in name: OpaquePointer?, _ identifier: Int32) -> [CommonName] {
        var names: [CommonName] = []
        var index: Int32 = -1
        while true {
            index = unsafe X509_NAME_get_index_by_NID(name, identifier, index)
            guard index >= 0, let entry = unsafe X509_NAME_get_entry(name, index) else { return names }
            var text: UnsafeMutablePointer<UInt8>?
            // Converts from the declared encoding, and fails if the bytes are not in it.
            let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry))
            guard count >= 0, let text = unsafe text else {
                ErrorQueue.clear()
                names.append(.undecodable)
                continue
            }
            names.append(.utf8(unsafe UnsafeBufferPointer(start: text, count: Int(count)).map { $0 }))
            unsafe COpenSSL_free(text)
        }
    }

    /// The subjectAltName.
    ///
    /// One that is there twice or cannot be read is an error: to go on with the common name instead would let whoever garbles the
    /// extension choose which name counts.
    func alternativeNames(source: String) throws(TrustError) -> [AlternativeName] {
        guard let raw = try unsafe decodedExtension(NID_subject_alt_name, named: "subjectAltName", source: source) else { return [] }
        let names = OpaquePointer(raw)
        defer { unsafe COpenSSL_GENERAL_NAMES_free(names) }
        let count = unsafe COpenSSL_GENERAL_NAMES_count(names)
        guard count <= CertificateLimits.alternativeNamesMax else {
            throw .malformedCertificate(source: source, detail: "more than \(CertificateLimits.alternativeNamesMax) alternative names")
        }
        var list: [AlternativeName] = []
        for index in 0..<max(0, count) {
            guard let name = unsafe COpenSSL_GENERAL_NAMES_value(names, index) else { continue }
            unsafe list.append(Self.alternativeName(name))
        }
        return list
    }

    func extendedKeyUsages(source: String) throws(TrustError) -> [ExtendedKeyUsage] {
        guard let raw = try unsafe decodedExtension(NID_ext_key_usage, named: "extendedKeyUsage", source: source) else { return [] }
        let usages = OpaquePointer(raw)
        defer { unsafe COpenSSL_EXTENDED_KEY_USAGE_free(usages) }
        var list: [ExtendedKeyUsage] = []
        for index in 0..<max(0, unsafe COpenSSL_EXTENDED_KEY_USAGE_count(usages)) {
            let identifier = unsafe COpenSSL_EXTENDED_KEY_USAGE_value(usages, index)
            switch unsafe OBJ_obj2nid(identifier) {
            case NID_server_auth: list.append(.serverAuth)
            case NID_client_auth: list.append(.clientAuth)
            default: unsafe list.append(.other(Self.dottedText(identifier)))
            }
        }
        return list
    }

    var isAuthority: Bool {
        defer { ErrorQueue.clear() }
        return unsafe X509_check_ca(pointer) == 1
    }

    func fingerprint() throws(TrustError) -> String {
        ErrorQueue.clear()
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard unsafe X509_digest(pointer, EVP_sha256(), &digest, &length) == 1 else { throw .draining("digest a certificate") }
        return Hexadecimal.text(digest.prefix(Int(length)), separator: ":")
    }

    /// Decodes one extension; `nil` when the certificate does not have it.
    ///
    /// The caller owns what it gets.
    @unsafe private func decodedExtension(_ nid: Int32, named name: String, source: String) throws(TrustError) -> UnsafeMutableRawPointer? {
        ErrorQueue.clear()
        var critical: Int32 = 0
        if let decoded = unsafe X509_get_ext_d2i(pointer, nid, &critical, nil) {
            return unsafe decoded
        }
        let detail = ErrorQueue.drain()
        switch critical {  // X509_get_ext_d2i(3): -1 not there, -2 more than once, else it could not be decoded
        case -1: return nil
        case -2: throw .malformedCertificate(source: source, detail: "\(name) is there more than once")
        default: throw .malformedCertificate(source: source, detail: "\(name) cannot be read: \(detail)")
        }
    }

    private static func alternativeName(_ name: UnsafePointer<GENERAL_NAME>) -> AlternativeName {
        var type: Int32 = -1
        let value = unsafe GENERAL_NAME_get0_value(name, &type)
        let kind: AlternativeName.Kind
        switch type {
        case GEN_DNS: kind = .dns
        case GEN_IPADD: kind = .ip
        case GEN_URI: kind = .uri
        case GEN_EMAIL: kind = .email
        default: return AlternativeName(kind: .other, bytes: [])
        }
        // All four kinds are an ASN1_STRING behind the pointer (GENERAL_NAME_get0_value(3)).
        guard let string = unsafe value?.assumingMemoryBound(to: ASN1_STRING.self) else { return AlternativeName(kind: kind, bytes: []) }
        let count = unsafe Int(ASN1_STRING_length(string))
        guard count > 0, let data = unsafe ASN1_STRING_get0_data(string) else { return AlternativeName(kind: kind, bytes: []) }
        return AlternativeName(kind: kind, bytes: unsafe UnsafeBufferPointer(start: data, count: count).map { $0 })
    }

    private static func dottedText(_ identifier: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let count = unsafe OBJ_obj2txt(&buffer, Int32(buffer.count), identifier, 1)
        guard count > 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// RFC 2253 escapes control characters and everything that is not ASCII, so the text is safe to log once it is cut.
    static func text(ofName name: OpaquePointer?) throws(TrustError) -> String {
        let text = try MemoryBIO()
        ErrorQueue.clear()
        guard unsafe COpenSSL_X509_NAME_print_rfc2253(text.pointer, name) >= 0 else {
            ErrorQueue.clear()
            return "(a name that cannot be printed)"
        }
        let bytes = text.bytes
        let shown = String(decoding: bytes.prefix(PrintableText.charactersMax), as: UTF8.self)
        return bytes.count > PrintableText.charactersMax ? shown + "…" : shown
    }

    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
        var parts = unsafe tm()
        guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else {
            ErrorQueue.clear()
            return nil
        }
        return unsafe Int64(timegm(&parts))
    }
}
