import Foundation
import Tokens
import Trust

/// Tokens made by another program (PyJWT 2.15 with cryptography 50) with keys that are gone: what is left are their public halves.
struct TokenVectors: Decodable {
    struct Vector: Decodable {
        var name: String
        var token: String
        /// Why it is not taken; `nil` for one that is.
        var refusal: String?
    }

    /// Seconds since 1970 when the tokens are shown.
    var now: Int64
    var secret: String
    var tokens: [Vector]
    /// Taken with the secret, and only then.
    var hs256: String

    static let shared = try! read()
    /// The set of keys.
    static let keys = try! member("keys")
    /// A set with an RSA key of 1,024 bits.
    static let weakKeys = try! member("weak")

    static let issuer = "https://issuer.example"
    static let publicAlgorithms = Set(SignatureAlgorithm.allCases).subtracting([.hs256])

    private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/tokens.json")

    private static func read() throws -> TokenVectors { try JSONDecoder().decode(TokenVectors.self, from: Data(contentsOf: file)) }

    private static func member(_ name: String) throws -> [UInt8] {
        let document = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        return Array(try JSONSerialization.data(withJSONObject: document?[name] ?? [:]))
    }

    static func token(_ name: String) -> [UInt8] { Array(shared.tokens.first { $0.name == name }!.token.utf8) }

    static func verifier(
        algorithms: Set<SignatureAlgorithm> = publicAlgorithms, issuer: String? = issuer, audiences: [String] = ["shop"],
        principal: String = "sub", keys: [UInt8] = keys, limits: TokenLimits = TokenLimits()
    ) throws -> TokenVerifier {
        TokenVerifier(
            TokenSettings(name: "shop", issuer: issuer, audiences: audiences, algorithms: algorithms, principalClaim: principal),
            keys: .fixed(try KeySet(json: keys)), limits: limits)
    }
}
