/// Why a key, a certificate or a file of the certificate folder cannot be used.
///
/// One case per situation that a person can act on; ``description`` says what to do. Texts that come out of a certificate are
/// escaped before they get here, so a description may be logged as it is.
package enum TrustError: Error, Equatable, Sendable {
    /// A libcrypto call failed that does not fail on any input: no memory, no provider, a broken installation.
    case cryptography(operation: String, detail: String)

    case noCertificate(source: String)
    case malformedCertificate(source: String, detail: String)
    case tooLarge(source: String, bytes: Int, limit: Int)

    case noRevocationList(source: String)
    case malformedRevocationList(source: String, detail: String)

    case noPrivateKey(source: String)
    case encryptedPrivateKey(source: String)
    case malformedPrivateKey(source: String, detail: String)
    case privateKeyReadableByOthers(path: String, mode: UInt32)

    case notAnAuthority(subject: String)
    case keyMismatch(subject: String)
    case unusableThingName(name: String, reason: String)
    case unusableAlternativeName(name: String, reason: String)
    case noAlternativeNames
    case daysOutOfRange(days: Int, limit: Int)
    case validityEndsBeforeItBegins(notBefore: Int64, notAfter: Int64)
    case outlivesAuthority(notAfter: Int64, authorityNotAfter: Int64)

    case unusableUserName(name: String, reason: String)
    case unusablePassword(reason: String)
    case iterationsOutOfRange(iterations: Int, min: Int, max: Int)
    case malformedCredentials(source: String, line: Int, reason: String)
    case credentialsReadableByOthers(path: String, mode: UInt32)
    case unusableKey(reason: String)
    case noSuchUser(path: String, name: String)
    /// A password could not be hashed, most likely for want of memory.
    case passwordHashing(detail: String)

    case fileMissing(path: String)
    case fileExists(path: String)
    case notARegularFile(path: String)
    case fileOperation(operation: String, path: String, errno: Int32)
    case incompletePair(present: String, missing: String)
    case unsound(path: String, reason: String)
}

extension TrustError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cryptography(let operation, let detail):
            "libcrypto could not \(operation): \(detail)"
        case .noCertificate(let source):
            "\(source): no certificate in it (expected PEM, -----BEGIN CERTIFICATE-----)"
        case .malformedCertificate(let source, let detail):
            "\(source): not a well-formed certificate: \(detail)"
        case .tooLarge(let source, let bytes, let limit):
            "\(source): \(bytes) bytes, more than the limit of \(limit)"
        case .noRevocationList(let source):
            "\(source): no revocation list in it (expected PEM, -----BEGIN X509 CRL-----)"
        case .malformedRevocationList(let source, let detail):
            "\(source): not a well-formed revocation list: \(detail)"
        case .noPrivateKey(let source):
            "\(source): no private key in it (expected PEM with a block PRIVATE KEY)"
        case .encryptedPrivateKey(let source):
            "\(source): the key is encrypted; Crema asks for no passphrase, so write it out plain with mode 0600 (openssl pkey)"
        case .malformedPrivateKey(let source, let detail):
            "\(source): not a usable private key: \(detail)"
        case .privateKeyReadableByOthers(let path, let mode):
            "\(path): mode 0\(String(mode, radix: 8)) lets others read the private key; chmod 600 it"
        case .notAnAuthority(let subject):
            "\(subject): this certificate is not a CA (basicConstraints CA:TRUE is missing)"
        case .keyMismatch(let subject):
            "\(subject): the private key does not belong to this certificate"
        case .unusableThingName(let name, let reason):
            "'\(PrintableText.escaping(name.utf8))' cannot name a client: \(reason)"
        case .unusableAlternativeName(let name, let reason):
            "'\(PrintableText.escaping(name.utf8))' cannot name a server: \(reason)"
        case .noAlternativeNames:
            "a server certificate needs at least one DNS name or IP address that clients connect to"
        case .daysOutOfRange(let days, let limit):
            "\(days) days: a certificate is valid for 1 to \(limit) days"
        case .validityEndsBeforeItBegins(let notBefore, let notAfter):
            "validity ends (\(CalendarDay(secondsSince1970: notAfter))) before it begins (\(CalendarDay(secondsSince1970: notBefore)))"
        case .outlivesAuthority(let notAfter, let authorityNotAfter):
            "the certificate would be valid until \(CalendarDay(secondsSince1970: notAfter)), but its CA ends on "
                + "\(CalendarDay(secondsSince1970: authorityNotAfter)); ask for fewer days or make a new CA"
        case .unusableUserName(let name, let reason):
            "'\(PrintableText.escaping(name.utf8))' cannot be a user name: \(reason)"
        case .unusablePassword(let reason):
            "the password cannot be used: \(reason)"
        case .iterationsOutOfRange(let iterations, let min, let max):
            "\(iterations) iterations: a password is stretched by \(min) to \(max)"
        case .malformedCredentials(let source, let line, let reason):
            "\(source):\(line): \(reason)"
        case .credentialsReadableByOthers(let path, let mode):
            "\(path): mode 0\(String(mode, radix: 8)) lets others read the credentials; chmod 600 it"
        case .unusableKey(let reason):
            reason
        case .noSuchUser(let path, let name):
            "\(path): there is no user '\(PrintableText.escaping(name.utf8))'"
        case .passwordHashing(let detail):
            "a password could not be hashed: \(detail)"
        case .fileMissing(let path):
            "\(path): there is no such file"
        case .fileExists(let path):
            "\(path): exists already and is kept; use --force to replace it"
        case .notARegularFile(let path):
            "\(path): not a regular file"
        case .fileOperation(let operation, let path, let errno):
            "\(path): cannot \(operation): \(SystemErrors.text(errno))"
        case .incompletePair(let present, let missing):
            "\(present) is there but \(missing) is not; restore it, or remove \(present) to start anew"
        case .unsound(let path, let reason):
            "\(path): \(reason)"
        }
    }
}
