import Trust

/// Why a token is not taken.
///
/// ``description`` is for the log: it never repeats the token, and of its fields only names, shortened.
package enum TokenRefusal: Error, Equatable, Sendable {
    /// No text of a JWS, or one whose parts do not hold what RFC 7515 and RFC 7519 say.
    case malformed(String)
    case tooLong(bytes: Int)
    /// Of the header, as far as it may be told; `none` among them.
    case algorithm(String)
    /// The set holds no key that the token could be signed with.
    case unknownKey
    /// More keys could have signed it than are tried.
    case namesNoKey
    case badSignature
    /// There are no keys to check any token with.
    case noKeys(String)
    case missingClaim(String)
    case invalidClaim(String)
    case expired
    case notYetValid
    case issuedInTheFuture
    case wrongIssuer
    case wrongAudience
    /// No entry of `tokens` is taken there.
    case notTakenHere
}

extension TokenRefusal {
    /// How far the checks had come: a signature that is good says more about whose token it is than a key that is not there.
    private var stage: Int {
        switch self {
        case .notTakenHere: 0
        case .malformed, .tooLong: 1
        case .algorithm: 2
        case .unknownKey, .namesNoKey, .noKeys: 3
        case .badSignature: 4
        case .missingClaim, .invalidClaim, .wrongIssuer, .wrongAudience: 5
        case .expired, .notYetValid, .issuedInTheFuture: 6
        }
    }

    func isMoreTelling(than other: TokenRefusal) -> Bool { stage > other.stage }
}

extension TokenRefusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let reason): "the token is malformed: \(reason)"
        case .tooLong(let bytes): "the token has \(bytes) bytes, and at most \(TokenLimits.tokenBytesMax) are taken"
        case .algorithm(let name): "the token is signed by `\(name)`, which is not on the list of `algorithms`"
        case .unknownKey: "no key of the issuer fits the token's `kid` and algorithm"
        case .namesNoKey: "the token has no `kid`, and more than \(TokenLimits.keysTriedMax) keys could have signed it"
        case .badSignature: "the token's signature is not by the issuer's key"
        case .noKeys(let reason): "no token can be checked: \(reason)"
        case .missingClaim(let name): "the token has no claim `\(name)`"
        case .invalidClaim(let name): "the token's claim `\(name)` is not what it must be"
        case .expired: "the token has expired"
        case .notYetValid: "the token is not valid yet (`nbf`)"
        case .issuedInTheFuture: "the token was issued in the future (`iat`): is a clock wrong?"
        case .wrongIssuer: "the token is by another issuer (`iss`)"
        case .wrongAudience: "the token is for another audience (`aud`)"
        case .notTakenHere: "no entry of `tokens` is taken here"
        }
    }
}
