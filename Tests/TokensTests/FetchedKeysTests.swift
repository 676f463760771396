import Testing

@testable import Tokens

@Suite struct FetchedKeysTests {
    private let start = TokenVectors.shared.now

    private func verifier(_ keys: FetchedKeys) -> TokenVerifier {
        TokenVerifier(
            TokenSettings(
                name: "shop", issuer: TokenVectors.issuer, audiences: ["shop"], algorithms: TokenVectors.publicAlgorithms),
            keys: .fetched(keys))
    }

    private func refusal(_ verifier: TokenVerifier, _ name: String, at now: Int64) -> TokenRefusal? {
        do throws(TokenRefusal) {
            _ = try verifier.verify(TokenVectors.token(name), now: now)
            return nil
        } catch { return error }
    }

    private func keys(without curve: String? = nil) throws -> KeySet {
        var text = String(decoding: TokenVectors.keys, as: UTF8.self)
        if let curve { text = text.replacing("\"\(curve)\"", with: "\"none\"") }
        return try KeySet(json: Array(text.utf8))
    }

    @Test("Threat 45: without keys every token is refused, also after a fetch that failed") func failClosed() throws {
        let fetched = FetchedKeys(url: "https://issuer.example/keys")
        let verifier = verifier(fetched)
        #expect(refusal(verifier, "ES256", at: start) == .noKeys("its keys have not been fetched yet"))
        fetched.fetchBegan(at: start)
        #expect(fetched.failed("no answer", at: start))
        #expect(!fetched.failed("no answer", at: start), "told once")
        #expect(
            refusal(verifier, "ES256", at: start) == .noKeys("its keys have not been fetched yet (no answer)"))
    }

    @Test("The last good keys hold while newer ones cannot be fetched, for a day") func lastGoodKeys() throws {
        let fetched = FetchedKeys(url: "https://issuer.example/keys", limits: TokenLimits())
        _ = fetched.fetched(try keys(), at: start - 86_400)
        _ = fetched.failed("no answer", at: start)
        let verifier = verifier(fetched)
        #expect(refusal(verifier, "ES256", at: start) == nil)
        // A token that was verified before is no exception.
        #expect(refusal(verifier, "ES256", at: start + 1)?.description.contains("tokenKeysKeptSecondsMax") == true)
        _ = fetched.fetched(try keys(), at: start + 2)
        #expect(refusal(verifier, "ES256", at: start + 2) == nil)
    }

    @Test("A key that is gone verifies nothing, also not what it verified before") func rotation() throws {
        let fetched = FetchedKeys(url: "https://issuer.example/keys")
        #expect(!fetched.fetched(try keys(), at: start))
        let verifier = verifier(fetched)
        let credential = try verifier.verify(TokenVectors.token("ES256"), now: start).credential
        #expect(fetched.fetched(try keys(without: "P-256"), at: start + 1))
        #expect(refusal(verifier, "ES256", at: start + 1) == .unknownKey)
        #expect(!verifier.stillTakes(credential))
        #expect(!fetched.fetched(try keys(), at: start + 2), "one more is no reason to close anybody")
    }

    @Test("Keys are fetched at an interval, and for unknown names not more often than the pause") func schedule() throws {
        let fetched = FetchedKeys(url: "https://issuer.example/keys")
        #expect(fetched.isDue(at: start))
        fetched.fetchBegan(at: start)
        _ = fetched.fetched(try keys(), at: start)
        #expect(!fetched.isDue(at: start + 299) && fetched.isDue(at: start + 300))
        let verifier = verifier(fetched)
        for second in 0..<15 {
            #expect(refusal(verifier, "kid '/dev/null'", at: start) == .unknownKey)
            #expect(!fetched.isDue(at: start + Int64(second)))
        }
        #expect(fetched.isDue(at: start + 15))
        fetched.fetchBegan(at: start + 15)
        #expect(!fetched.isDue(at: start + 30), "nobody has asked since")
        _ = fetched.failed("no answer", at: start + 15)
        #expect(fetched.isDue(at: start + 30), "what failed is tried again")
        #expect(fetched.isDue(at: start - 1), "a clock that was set back")
    }

    @Test func setsAreSharedByURL() {
        let sets = FetchedKeySets()
        sets.keep(urls: ["a", "b"])
        let one = sets.set(of: "a")
        sets.keep(urls: ["a"])
        #expect(sets.set(of: "a") === one)
        #expect(sets.due(at: start).count == 1)
    }
}
