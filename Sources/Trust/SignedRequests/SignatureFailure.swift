/// Why a request is not believed to be from the holder of an access key.
///
/// The texts are AWS's own where it has one; none has a signature or a secret in it.
package enum SignatureFailure: Error, Equatable, Sendable {
    /// Nothing is signed.
    case missing
    /// The request says that it is signed, and is not in the form.
    case incomplete(String)
    /// No access key has this identifier, or the request's session token is not the key's.
    case unknownKey
    /// Signed for another service, day or terminator than it is used for.
    case wrongScope(String)
    /// Signed too long ago, or for a time to come.
    case wrongTime(String)
    /// A part that must be signed is not.
    case unsigned(String)
    /// The body is not the one that was signed.
    case wrongBody
    case mismatch
    /// libcrypto failed.
    case unavailable(String)
}

extension SignatureFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "Missing Authentication Token"
        case .incomplete(let text), .wrongScope(let text), .wrongTime(let text), .unsigned(let text), .unavailable(let text): text
        case .unknownKey: "The security token included in the request is invalid."
        case .wrongBody: "The value of 'x-amz-content-sha256' does not match the request's body."
        case .mismatch:
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
                + "method. Consult the service documentation for details."
        }
    }
}
