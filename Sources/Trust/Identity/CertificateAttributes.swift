import COpenSSL

/// What a certificate says beside the principal, under the names by which AWS IoT's policies call it.
///
/// `Subject.CommonName` is the first common name of the subject, `Subject.CommonName.1` the second; likewise for the issuer and the alternative
/// names. `SerialNumber` is hexadecimal digits, as ``Certificate/serialNumber``. Values that are no UTF-8 text, or hold a NUL or a control
/// character, are left out, and so is what is beyond ``CertificateLimits/attributesMax``.
package struct CertificateAttributes: Sendable, Equatable {
    package private(set) var values: [String: String] = [:]

    /// Names in subject and issuer (X.520), by libcrypto's numbers.
    private static let fields: [(identifier: Int32, name: String)] = [
        (NID_commonName, "CommonName"), (NID_countryName, "Country"), (NID_dnQualifier, "DistinguishedNameQualifier"),
        (NID_generationQualifier, "GenerationQualifier"), (NID_givenName, "GivenName"), (NID_initials, "Initials"),
        (NID_organizationName, "Organization"), (NID_organizationalUnitName, "OrganizationalUnit"), (NID_pseudonym, "Pseudonym"),
        (NID_serialNumber, "SerialNumber"), (NID_stateOrProvinceName, "State"), (NID_surname, "Surname"), (NID_title, "Title"),
    ]

    /// Reads a certificate's fields; says nothing about whether it is to be believed.
    package init(of certificate: Certificate) throws(TrustError) {
        let handle = try CertificateHandle.reading(certificate.der, source: certificate.subject)
        add([Array(certificate.serialNumber.utf8)], as: "SerialNumber")
        for (identifier, name) in Self.fields {
            add(unsafe Self.texts(in: X509_get_subject_name(handle.pointer), identifier), as: "Subject.\(name)")
            add(unsafe Self.texts(in: X509_get_issuer_name(handle.pointer), identifier), as: "Issuer.\(name)")
        }
        let names = certificate.alternativeNames
        add(names.filter { $0.kind == .dns }.map(\.bytes), as: "AlternativeName.DNSName")
        add(names.filter { $0.kind == .ip }.map { Array($0.text.utf8) }, as: "AlternativeName.IPAddress")
        add(names.filter { $0.kind == .email }.map(\.bytes), as: "AlternativeName.RFC822Name")
        add(names.filter { $0.kind == .uri }.map(\.bytes), as: "AlternativeName.UniformResourceIdentifier")
    }

    /// A value that cannot be used keeps its place: the second stays the second.
    private mutating func add(_ texts: [[UInt8]], as name: String) {
        for (place, bytes) in texts.enumerated() {
            guard values.count < CertificateLimits.attributesMax, (1...CertificateLimits.principalBytesMax).contains(bytes.count),
                let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: Self.isControl)
            else { continue }
            values[place == 0 ? name : "\(name).\(place)"] = text
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    @unsafe private static func texts(in name: OpaquePointer?, _ identifier: Int32) -> [[UInt8]] {
        unsafe CertificateHandle.names(in: name, identifier).map { name in
            switch name {
            case .utf8(let bytes): bytes
            case .undecodable: []
            }
        }
    }
}
