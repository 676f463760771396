import Rules
import Synchronization
import Trust

/// Verifies the tokens of one entry of `tokens`.
///
/// Sans-IO and shared by threads: it is told the time, and its keys come from a file that was read or from ``FetchedKeys``. What cannot be
/// verified is refused, whatever the reason.
package final class TokenVerifier: Sendable {
    /// Where the keys come from.
    package enum Keys: Sendable {
        case fixed(KeySet)
        case fetched(FetchedKeys)
    }

    package let settings: TokenSettings
    package let keys: Keys
    private let limits: TokenLimits
    private let fingerprint: [UInt8]
    private let verified: Mutex<VerifiedTokens>

    package init(_ settings: TokenSettings, keys: Keys, limits: TokenLimits = TokenLimits()) {
        self.settings = settings
        self.keys = keys
        self.limits = limits
        fingerprint = settings.fingerprint
        verified = Mutex(VerifiedTokens(countMax: limits.tokensVerifiedMax))
    }

    /// Verifies a token in the compact form of JWS.
    ///
    /// - Parameters:
    ///   - text: its bytes, as they came.
    ///   - now: seconds since 1970.
    /// - Returns: what it says.
    /// - Throws: the first reason why not.
    package func verify(_ text: [UInt8], now: Int64) throws(TokenRefusal) -> VerifiedToken {
        guard text.count <= TokenLimits.tokenBytesMax else { throw .tooLong(bytes: text.count) }
        let (set, generation) = try keySet(at: now)
        let digest = Digest.hash(text, algorithm: "SHA256")
        if let digest, let known = verified.withLock({ $0.token(digest, generation: generation) }) {
            try checkTimes(of: known, now)
            return known
        }
        let token = try SignedToken(text)
        guard settings.algorithms.contains(token.algorithm) else { throw .algorithm(token.algorithm.rawValue) }
        let key = try signer(of: token, among: set)
        let result = try read(token, signedBy: key)
        try checkTimes(of: result, now)
        if let digest { verified.withLock { $0.keep(result, as: digest, generation: generation) } }
        return result
    }

    private func keySet(at now: Int64) throws(TokenRefusal) -> (KeySet, UInt64) {
        switch keys {
        case .fixed(let set): (set, 0)
        case .fetched(let fetched): try fetched.keys(at: now)
        }
    }

    /// The key that signed the token.
    private func signer(of token: SignedToken, among set: KeySet) throws(TokenRefusal) -> VerificationKey {
        let candidates = set.candidates(for: token)
        guard !candidates.isEmpty else {
            if case .fetched(let fetched) = keys { fetched.wantOthers() }
            throw .unknownKey
        }
        guard candidates.count <= TokenLimits.keysTriedMax else { throw .namesNoKey }
        let signer = candidates.first { $0.verifies(token.signature, of: token.signingInput, by: token.algorithm) }
        guard let signer else { throw .badSignature }
        return signer
    }

    /// What a token says whose signature is good.
    private func read(_ token: SignedToken, signedBy key: VerificationKey) throws(TokenRefusal) -> VerifiedToken {
        let claims = token.claims
        guard let expiry = try Claims.date("exp", of: claims) else { throw .missingClaim("exp") }
        if let issuer = settings.issuer {
            guard let claim = claims["iss"] else { throw .missingClaim("iss") }
            guard let text = claim.stringValue, Claims.areEqual(text, issuer) else { throw .wrongIssuer }
        }
        if !settings.audiences.isEmpty {
            guard claims["aud"] != nil else { throw .missingClaim("aud") }
            let named = Claims.audiences(claims)
            guard named.contains(where: { name in settings.audiences.contains { Claims.areEqual($0, name) } }) else { throw .wrongAudience }
        }
        return VerifiedToken(
            principal: try Claims.principal(settings.principalClaim, of: claims), expiresAt: expiry,
            notBefore: try Claims.date("nbf", of: claims), issuedAt: try Claims.date("iat", of: claims), claims: claims,
            credential: credential(key))
    }

    private func checkTimes(of token: VerifiedToken, _ now: Int64) throws(TokenRefusal) {
        let skew = limits.clockSkewSeconds
        guard now < token.expiresAt + skew else { throw .expired }
        if let start = token.notBefore, now < start - skew { throw .notYetValid }
        if let issued = token.issuedAt, now < issued - skew { throw .issuedInTheFuture }
    }

    /// When a token ends, with the difference that clocks may have.
    package func end(of token: VerifiedToken) -> Int64 { token.expiresAt + limits.clockSkewSeconds }

    // MARK: After a reload

    private func credential(_ key: VerificationKey) -> [UInt8] { fingerprint + key.thumbprint }

    /// Whether a token that was verified before by ``VerifiedToken/credential`` would be verified by the same key and settings now.
    package func stillTakes(_ credential: [UInt8]) -> Bool {
        let set: KeySet?
        switch keys {
        case .fixed(let fixed): set = fixed
        case .fetched(let fetched): set = fetched.lastKeys
        }
        return set?.entries.contains { self.credential($0.key) == credential } ?? false
    }
}

extension [TokenVerifier] {
    /// Verifies a token by the entry that it is for.
    ///
    /// Every entry is asked; of the reasons, the one that came furthest is told.
    package func verify(_ text: [UInt8], now: Int64) throws(TokenRefusal) -> (token: VerifiedToken, verifier: TokenVerifier) {
        var refusal = TokenRefusal.notTakenHere
        for verifier in self {
            do throws(TokenRefusal) {
                return (try verifier.verify(text, now: now), verifier)
            } catch {
                refusal = refusal.isMoreTelling(than: error) ? refusal : error
            }
        }
        throw refusal
    }
}
