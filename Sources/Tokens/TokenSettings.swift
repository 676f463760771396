package import Trust

/// What an entry of `tokens` says: which tokens are taken, and whose they are.
package struct TokenSettings: Sendable {
    /// Of the entry.
    package var name: String
    /// What `iss` must be; `nil` where any is taken that the keys are for.
    package var issuer: String?
    /// What `aud` must have one of; empty where any audience is taken.
    package var audiences: [String]
    package var algorithms: Set<SignatureAlgorithm>
    /// The claim that names the principal.
    package var principalClaim: String

    package init(
        name: String, issuer: String?, audiences: [String] = [], algorithms: Set<SignatureAlgorithm>, principalClaim: String = "sub"
    ) {
        self.name = name
        self.issuer = issuer
        self.audiences = audiences
        self.algorithms = algorithms
        self.principalClaim = principalClaim
    }

    /// Tells the entry from one that would let in others.
    var fingerprint: [UInt8] {
        let texts = [issuer.map { "=\($0)" } ?? "any", principalClaim] + audiences.sorted() + algorithms.map(\.rawValue).sorted()
        // The length before each, so that no two lists are written alike.
        let bytes = texts.flatMap { text in Array("\(text.utf8.count):".utf8) + Array(text.utf8) }
        return Digest.hash(bytes, algorithm: "SHA256") ?? bytes
    }
}
