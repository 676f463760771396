import Rules
import Testing
import Trust

@testable import Tokens

@Suite struct TokenVerifierTests {
    private let now = TokenVectors.shared.now

    private func refusal(_ verifier: TokenVerifier, _ token: [UInt8], at time: Int64? = nil) -> TokenRefusal? {
        do throws(TokenRefusal) {
            _ = try verifier.verify(token, now: time ?? now)
            return nil
        } catch { return error }
    }

    /// Every way around the signature that is known, and every claim that is not what it must be (row 45 of the threats).
    @Test("Threat 45: tokens of another program", arguments: TokenVectors.shared.tokens.map(\.name))
    func vectors(name: String) throws {
        let vector = try #require(TokenVectors.shared.tokens.first { $0.name == name })
        let verifier = try TokenVectors.verifier()
        let refusal = refusal(verifier, Array(vector.token.utf8))
        #expect(refusal?.description == vector.refusal)
        // What is remembered of the first time changes nothing.
        #expect(self.refusal(verifier, Array(vector.token.utf8)) == refusal)
        if refusal == nil { #expect(try verifier.verify(Array(vector.token.utf8), now: now).principal == "customer-1") }
    }

    @Test("A token with any byte changed is refused", arguments: ["RS256", "PS256", "ES256", "EdDSA"])
    func changes(algorithm: String) throws {
        let verifier = try TokenVectors.verifier()
        let token = TokenVectors.token(algorithm)
        for index in token.indices {
            var changed = token
            changed[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(refusal(verifier, changed) != nil, "byte \(index)")
        }
        for length in 0..<token.count { #expect(refusal(verifier, Array(token.prefix(length))) != nil) }
    }

    @Test("An algorithm that is not declared is refused, though its key is there", arguments: ["RS256", "ES256", "EdDSA"])
    func algorithmsThatAreNotDeclared(name: String) throws {
        let algorithm = try #require(SignatureAlgorithm(rawValue: name))
        let others = try TokenVectors.verifier(algorithms: TokenVectors.publicAlgorithms.subtracting([algorithm]))
        #expect(refusal(others, TokenVectors.token(name)) == .algorithm(name))
    }

    @Test(
        "Threat 45: a public key is no secret, even where HS256 is declared by mistake", arguments: TokenVectors.shared.tokens.map(\.name))
    func publicKeysAreNoSecrets(name: String) throws {
        guard name.hasPrefix("HS256") else { return }
        let verifier = try TokenVectors.verifier(algorithms: Set(SignatureAlgorithm.allCases))
        #expect(refusal(verifier, TokenVectors.token(name)) == .unknownKey)
    }

    @Test func aSecretSignsAndVerifies() throws {
        let settings = TokenSettings(name: "s", issuer: TokenVectors.issuer, audiences: ["shop"], algorithms: [.hs256])
        let token = Array(TokenVectors.shared.hs256.utf8)
        let verifier = TokenVerifier(settings, keys: .fixed(try KeySet(secret: Array(TokenVectors.shared.secret.utf8))))
        #expect(refusal(verifier, token) == nil)
        let other = TokenVerifier(settings, keys: .fixed(try KeySet(secret: Array(TokenVectors.shared.secret.utf8) + [1])))
        #expect(refusal(other, token) == .badSignature)
        // And no token of a public key passes where a secret is declared.
        #expect(refusal(verifier, TokenVectors.token("ES256")) == .algorithm("ES256"))
    }

    @Test func whatIsNotDeclaredIsNotCompared() throws {
        let open = try TokenVectors.verifier(issuer: nil, audiences: [])
        for name in ["no iss", "iss ''", "no aud", "aud 'Shop'"] { #expect(refusal(open, TokenVectors.token(name)) == nil) }
        #expect(refusal(open, TokenVectors.token("no exp")) == .missingClaim("exp"))
    }

    @Test func anotherClaimMayNameThePrincipal() throws {
        let verifier = try TokenVectors.verifier(principal: "aud")
        #expect(try verifier.verify(TokenVectors.token("ES256"), now: now).principal == "shop")
        #expect(refusal(verifier, TokenVectors.token("audiences")) == .invalidClaim("aud"))
    }

    @Test("A remembered token expires all the same, to the second") func times() throws {
        let verifier = try TokenVectors.verifier()
        let token = TokenVectors.token("ES256")
        #expect(refusal(verifier, token) == nil)
        #expect(refusal(verifier, token, at: now + 659) == nil)
        #expect(refusal(verifier, token, at: now + 660) == .expired)
        #expect(refusal(verifier, token, at: now - 70) == nil)
        #expect(refusal(verifier, token, at: now - 71) == .notYetValid)
        #expect(try verifier.end(of: verifier.verify(token, now: now)) == now + 660)
    }

    @Test("Clocks may differ by no more than a minute, whatever is set", arguments: [(1, 601), (30, 630), (600, 660)])
    func clockSkew(seconds: Int, end: Int64) throws {
        var limits = TokenLimits()
        limits.tokenClockSkewSecondsMax = seconds
        let verifier = try TokenVectors.verifier(limits: limits)
        #expect(refusal(verifier, TokenVectors.token("ES256"), at: now + end - 1) == nil)
        #expect(refusal(verifier, TokenVectors.token("ES256"), at: now + end) == .expired)
    }

    @Test func tokensAreBounded() throws {
        let long = TokenVectors.token("ES256") + [UInt8](repeating: UInt8(ascii: "A"), count: TokenLimits.tokenBytesMax)
        #expect(refusal(try TokenVectors.verifier(), long) == .tooLong(bytes: long.count))
    }

    @Test("Policies read every claim, of however many and however long: what denies by one must hold")
    func everyClaimIsRead() throws {
        let many = (0..<100).map { "\"a\($0)\":\"x\"," }.joined()
        let long = String(repeating: "l", count: 3_000)
        let json = Array(#"{\#(many)"long":"\#(long)","n":7,"list":["x"],"none":null,"role":"guest"}"#.utf8)
        let token = VerifiedToken(
            principal: "ann", expiresAt: 1, notBefore: nil, issuedAt: nil, claims: try JSONDocument(parsing: json).root, credential: [])
        let texts = token.texts
        #expect(texts["role"] == "guest" && texts["long"] == long && texts["n"] == "7" && texts["a99"] == "x")
        #expect(texts["list"] == nil && texts["none"] == nil && texts.count == 103)
    }

    @Test func whatIsRememberedIsBounded() throws {
        var tokens = VerifiedTokens(countMax: 3)
        _ = tokens.token([0], generation: 1)
        let token = try TokenVectors.verifier().verify(TokenVectors.token("ES256"), now: now)
        for number in 0..<10 { tokens.keep(token, as: [UInt8(number)], generation: 1) }
        #expect(tokens.count == 3)
        #expect(tokens.token([9], generation: 1) != nil && tokens.token([6], generation: 1) == nil)
        // Verified by keys that are not in force any more.
        tokens.keep(token, as: [11], generation: 0)
        #expect(tokens.token([11], generation: 1) == nil)
        #expect(tokens.token([9], generation: 2) == nil && tokens.count == 0)
    }

    @Test func aCredentialCountsWhileItsKeyAndSettingsDo() throws {
        let verifier = try TokenVectors.verifier()
        let credential = try verifier.verify(TokenVectors.token("ES256"), now: now).credential
        #expect(verifier.stillTakes(credential))
        #expect(try TokenVectors.verifier().stillTakes(credential), "read again")
        #expect(try !TokenVectors.verifier(audiences: ["shop", "other"]).stillTakes(credential))
        #expect(try !TokenVectors.verifier(issuer: "https://other.example").stillTakes(credential))
        #expect(try !TokenVectors.verifier(algorithms: [.es256]).stillTakes(credential))
        let without = String(decoding: TokenVectors.keys, as: UTF8.self).replacing("\"P-256\"", with: "\"P-257\"")
        #expect(try !TokenVectors.verifier(keys: Array(without.utf8)).stillTakes(credential))
    }

    @Test("Of several entries, the reason of the one that came furthest is told") func severalEntries() throws {
        let verifiers = [
            try TokenVectors.verifier(algorithms: [.rs256]), try TokenVectors.verifier(audiences: ["other"]),
            try TokenVectors.verifier(algorithms: [.edDSA]),
        ]
        #expect(throws: TokenRefusal.wrongAudience) { try verifiers.verify(TokenVectors.token("ES256"), now: now) }
        #expect(try verifiers.verify(TokenVectors.token("RS256"), now: now).token.principal == "customer-1")
        #expect(throws: TokenRefusal.notTakenHere) { try [TokenVerifier]().verify(TokenVectors.token("ES256"), now: now) }
    }
}
