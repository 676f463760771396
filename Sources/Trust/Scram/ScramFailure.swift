/// Why an exchange of SCRAM ended without an authenticated user.
///
/// ``description`` is for the broker's log; a client is told no more than ``serverFinal``.
package enum ScramFailure: Error, Equatable, Sendable {
    /// The message breaks the grammar of RFC 5802 section 7.
    case malformed(String)
    case tooLarge(bytes: Int, limit: Int)
    /// `=` in a name that is neither `=2C` nor `=3D`, or bytes that cannot be a user name.
    case unusableUserName(String)
    /// `p=`: the client insists on binding the exchange to its TLS connection.
    case channelBindingUnsupported(String)
    /// `c=` does not repeat what the exchange began with.
    case channelBindingDiffers
    /// `a=` names somebody else than `n=`: nobody acts for others here.
    case authorizationIdentityDiffers
    /// `m=`: an extension that must be understood.
    case extensionUnsupported
    /// `r=` is not the nonce of this exchange.
    case nonceDiffers
    /// A wrong password, or no such user: which of them is not told.
    case proofRejected
    /// A message after the exchange has ended.
    case exchangeEnded
    /// libcrypto failed.
    case cryptography(String)

    /// The server's last message, `e=…` (RFC 5802 section 7, server-error-value).
    package var serverFinal: [UInt8] {
        let value =
            switch self {
            case .malformed, .tooLarge: "invalid-encoding"
            case .unusableUserName: "invalid-username-encoding"
            case .channelBindingUnsupported: "channel-binding-not-supported"
            case .channelBindingDiffers: "channel-bindings-dont-match"
            case .extensionUnsupported: "extensions-not-supported"
            case .proofRejected: "invalid-proof"
            case .authorizationIdentityDiffers, .nonceDiffers, .exchangeEnded, .cryptography: "other-error"
            }
        return Array("e=\(value)".utf8)
    }
}

extension ScramFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let what): "a SCRAM message is not well-formed: \(what)"
        case .tooLarge(let bytes, let limit): "a SCRAM message of \(bytes) bytes, more than the limit of \(limit)"
        case .unusableUserName(let reason): "the user name cannot be used: \(reason)"
        case .channelBindingUnsupported(let name): "channel binding (\(name)) is not supported: use SCRAM-SHA-256 without -PLUS"
        case .channelBindingDiffers: "c= does not repeat the header of the first message"
        case .authorizationIdentityDiffers: "a= asks to act for another user, which is not supported"
        case .extensionUnsupported: "m= demands an extension, and none is supported"
        case .nonceDiffers: "r= is not the nonce of this exchange"
        case .proofRejected: "wrong user name or password"
        case .exchangeEnded: "a SCRAM message after the exchange has ended"
        case .cryptography(let detail): detail
        }
    }
}
