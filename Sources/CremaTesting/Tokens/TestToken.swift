package import Tokens
import Trust

/// Tokens of an issuer that tests play, by HS256 with a secret that everybody may know.
package enum TestToken {
    package static let issuer = "https://issuer.example"
    package static let secret = "the secret of tests, which is no secret"

    /// A token with these claims, a JSON object.
    package static func signed(_ claims: String, secret: String = secret) -> String {
        let input = "\(base64URL(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))).\(base64URL(Array(claims.utf8)))"
        return "\(input).\(base64URL(code(of: Array(input.utf8), secret: Array(secret.utf8))))"
    }

    /// A token of a customer that ends at a time, in seconds since 1970.
    package static func of(_ name: String, until end: Int64, more: String = "") -> String {
        signed(#"{"iss":"\#(issuer)","aud":"shop","sub":"\#(name)","exp":\#(end)\#(more)}"#)
    }

    /// What takes the tokens.
    package static func verifier(
        issuer: String? = issuer, audiences: [String] = ["shop"], secret: String = secret, limits: TokenLimits = TokenLimits()
    ) throws -> TokenVerifier {
        TokenVerifier(
            TokenSettings(name: "shop", issuer: issuer, audiences: audiences, algorithms: [.hs256]),
            keys: .fixed(try KeySet(secret: Array(secret.utf8))), limits: limits)
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = (0..<3).map { start + $0 < bytes.count ? UInt32(bytes[start + $0]) : 0 }
            let bits = group[0] << 16 | group[1] << 8 | group[2]
            let count = min(bytes.count - start, 3) + 1
            for place in 0..<count { text.append(alphabet[Int(bits >> UInt32(18 - 6 * place)) & 63]) }
        }
        return text
    }

    /// HMAC (RFC 2104) with a secret that is not longer than a block.
    private static func code(of message: [UInt8], secret: [UInt8]) -> [UInt8] {
        let block = secret + [UInt8](repeating: 0, count: max(0, 64 - secret.count))
        func hash(_ bytes: [UInt8]) -> [UInt8] { Digest.hash(bytes, algorithm: "SHA256") ?? [] }
        return hash(block.map { $0 ^ 0x5C } + hash(block.map { $0 ^ 0x36 } + message))
    }
}
