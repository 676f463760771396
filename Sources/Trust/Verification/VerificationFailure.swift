import COpenSSL

/// Why a certificate is not believed, where in its chain, and whose certificate that is.
///
/// ``description`` is for the log.
package struct VerificationFailure: Error, Sendable, Equatable {
    package let reason: VerificationReason
    /// 0 for the peer's own certificate, 1 for its issuer, and so on.
    package let depth: Int
    /// The subject at that depth, escaped and bounded; empty when the bytes are no certificate.
    package let subject: String
}

extension VerificationFailure: CustomStringConvertible {
    package var description: String {
        "\(reason) (depth \(depth), subject \(subject.isEmpty ? "unreadable" : subject))"
    }
}

/// The reasons, as far as they differ in what a person does about them.
package enum VerificationReason: Sendable, Equatable {
    case noCertificate
    case malformed(String)
    case tooManyCertificates(Int)
    /// libcrypto could not even begin: no memory, a broken installation. Refused, because nothing is known.
    case notChecked(String)
    /// No chain to an authority that is trusted here: another CA's certificate, or an intermediate that was not sent.
    case unknownAuthority
    case badSignature
    case expired(notAfter: Int64)
    case notYetValid(notBefore: Int64)
    /// The extended key usage or key usage does not allow what it is used for.
    case wrongPurpose
    /// A certificate in the chain that signed another is no CA, or may not be at this depth.
    case notAnAuthority
    case chainTooLong
    /// A key or a digest below 112 bits of security: RSA under 2,048 bits, SHA-1.
    case tooWeak
    case revoked
    /// No list of the certificate's issuer is at hand, so nobody knows whether it is revoked.
    case noRevocationList
    /// The list of the certificate's issuer should have been renewed by then; what was revoked since is not in it.
    case revocationListEnded(nextUpdate: Int64)
    /// The list of the certificate's issuer counts for nothing: it is signed by somebody else, say.
    case unusableRevocationList(code: Int32)
    /// Anything else that X509_verify_cert(3) can say, by its number, for which ``description`` has libcrypto's text.
    case refusedByOpenSSL(code: Int32)
}

extension VerificationReason {
    /// Whether the fault is a revocation list's, and nothing is known against the certificate itself.
    package var isOfRevocationList: Bool {
        switch self {
        case .noRevocationList, .revocationListEnded, .unusableRevocationList: true
        default: false
        }
    }

    /// The reason that a certificate could not be read.
    init(_ error: TrustError) {
        self =
            switch error {
            case .malformedCertificate(_, let detail): .malformed(detail)
            case .tooLarge(_, let bytes, let limit): .malformed("\(bytes) bytes, more than the limit of \(limit)")
            default: .notChecked(error.description)
            }
    }
}

extension VerificationReason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificate: "no certificate was sent"
        case .malformed(let detail): "not a well-formed certificate: \(detail)"
        case .notChecked(let detail): "could not be checked: \(detail)"
        case .tooManyCertificates(let count):
            "\(count) certificates were sent; at most \(CertificateLimits.chainCertificatesMax) are taken"
        case .unknownAuthority: "issued by an authority that is not trusted here"
        case .badSignature: "its signature is wrong"
        case .expired(let notAfter): "expired on \(CalendarDay(secondsSince1970: notAfter))"
        case .notYetValid(let notBefore): "not valid before \(CalendarDay(secondsSince1970: notBefore))"
        case .wrongPurpose: "its key usage does not allow this purpose"
        case .notAnAuthority: "an issuer in its chain is not a CA"
        case .chainTooLong: "its chain is too long"
        case .tooWeak: "its key or its digest is too weak"
        case .revoked: "it is revoked"
        case .noRevocationList: "the listener's `crl` has no revocation list of its issuer"
        case .revocationListEnded(let nextUpdate):
            "the revocation list of its issuer was due to be renewed on \(CalendarDay(secondsSince1970: nextUpdate))"
        case .unusableRevocationList(let code): "the revocation list of its issuer cannot be used: \(Self.text(ofCode: code))"
        case .refusedByOpenSSL(let code): Self.text(ofCode: code)
        }
    }

    private static func text(ofCode code: Int32) -> String {
        guard let text = unsafe X509_verify_cert_error_string(Int(code)) else { return "verification error \(code)" }
        return unsafe String(cString: text)
    }
}
