import FuzzDriver
import Rules
import Tokens
import Trust

/// What holds for every token and every set of keys, whatever its bytes are.
struct TokenProperties {
    private static let now: Int64 = 1_800_000_000
    private static let secret = [UInt8](repeating: 0x73, count: 32)
    private static let verifier = TokenVerifier(
        TokenSettings(name: "shop", issuer: "i", audiences: ["a"], algorithms: [.hs256]), keys: .fixed(keys))
    private static let keys = known()

    private let kind: UInt8
    private let bytes: [UInt8]

    /// An input is a byte that chooses what is done, and the text.
    init(input: [UInt8]) {
        kind = input.first ?? 0
        bytes = Array(input.dropFirst())
    }

    func check() {
        switch kind {
        case UInt8(ascii: "k"): checkKeys()
        case UInt8(ascii: "s"): checkSigned()
        default: checkToken(bytes)
        }
    }

    private static func known() -> KeySet {
        guard let set = try? KeySet(secret: secret) else { refuse("the secret of the harness is refused") }
        return set
    }

    /// Nobody who does not know the secret is let in, and the reason is one line.
    private func checkToken(_ text: [UInt8]) {
        do throws(TokenRefusal) {
            _ = try Self.verifier.verify(text, now: Self.now)
            refuse("a token is taken that nobody has signed")
        } catch {
            checkWords(error.description)
        }
    }

    /// Two parts, between them a byte that none can hold, signed as the issuer would: what is taken has an end, an issuer and a name.
    private func checkSigned() {
        let parts = bytes.split(separator: 0xFF, maxSplits: 1, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count == 2 else { return }
        let input = Base64URLText.of(parts[0]) + [UInt8(ascii: ".")] + Base64URLText.of(parts[1])
        let text = input + [UInt8(ascii: ".")] + Base64URLText.of(code(of: input))
        do throws(TokenRefusal) {
            let token = try Self.verifier.verify(text, now: Self.now)
            require(token.expiresAt > Self.now - 61, "an expired token is taken")
            require(!token.principal.isEmpty && token.principal.utf8.count <= TokenLimits.principalBytesMax, "a principal without a name")
            require(token.claims["iss"]?.stringValue == "i", "a token of another issuer is taken")
            require(token.claims["exp"] != nil, "a token without an end is taken")
            require(token.texts.reduce(0) { $0 + $1.value.utf8.count } <= TokenLimits.tokenBytesMax, "claims longer than their token")
            _ = token.scopes
            let again = try Self.verifier.verify(text, now: Self.now)
            require(again.principal == token.principal, "two answers to the same token")
            checkChanges(of: text)
        } catch {
            checkWords(error.description)
        }
    }

    private func checkChanges(of text: [UInt8]) {
        for place in stride(from: 0, to: text.count, by: 7) {
            var changed = text
            changed[place] ^= 1
            checkToken(changed)
        }
    }

    private func checkKeys() {
        do throws(KeySetError) {
            let set = try KeySet(json: bytes)
            require(!set.summary.isEmpty, "a set without a key is taken")
            require(!set.hasKey(for: .hs256), "a set of public keys has a secret")
        } catch {
            checkWords(error.description)
        }
    }

    private func checkWords(_ words: String) {
        require(!words.isEmpty && words.utf8.count < 1_024, "a reason of \(words.utf8.count) bytes")
        require(words.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "a reason of more than one line")
    }

    /// HMAC (RFC 2104).
    private func code(of message: [UInt8]) -> [UInt8] {
        let block = Self.secret + [UInt8](repeating: 0, count: 32)
        func hash(_ bytes: [UInt8]) -> [UInt8] { Digest.hash(bytes, algorithm: "SHA256") ?? [] }
        return hash(block.map { $0 ^ 0x5C } + hash(block.map { $0 ^ 0x36 } + message))
    }
}

/// Writes what the reader reads.
enum Base64URLText {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func of(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
            let bits = group[0] << 16 | group[1] << 8 | group[2]
            for place in 0...min(bytes.count - start, 3) { text.append(alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63]) }
        }
        return text
    }
}
