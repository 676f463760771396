/// An algorithm that a signed token may name (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// The list is closed: `none` is not on it, and nothing here reads a name that is not.
package enum SignatureAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case es256 = "ES256"
    case es384 = "ES384"
    case edDSA = "EdDSA"
    /// With a secret that both sides know.
    case hs256 = "HS256"

    /// The kind of key that the algorithm takes, and the only one.
    var keyKind: VerificationKey.Kind {
        switch self {
        case .rs256, .rs384, .rs512, .ps256: .rsa
        case .es256: .p256
        case .es384: .p384
        case .edDSA: .ed25519
        case .hs256: .secret
        }
    }

    /// Whether who checks a signature can make one.
    package var isSymmetric: Bool { keyKind == .secret }
}
