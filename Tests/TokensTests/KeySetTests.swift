import Foundation
import Testing
import Trust

@testable import Tokens

@Suite struct KeySetTests {
    private func problem(_ text: String) -> String? {
        do throws(KeySetError) {
            _ = try KeySet(json: Array(text.utf8))
            return nil
        } catch { return error.description }
    }

    private static let ed = #""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#

    @Test(
        "Threat 45: sets that are refused as a whole",
        arguments: [
            ("", "the set of keys is not JSON"), ("[]", "this is no set of keys"), (#"{"keys":{}}"#, "this is no set of keys"),
            (#"{"keys":[]}"#, "the set has no key that signatures can be checked with"),
            (#"{"keys":[],"keys":[]}"#, "a member twice"), (#"{"keys":[7]}"#, "key 1 of the set has no `kty`"),
            (#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#, "key 1 of the set is symmetric"),
            (#"{"keys":[{\#(ed),"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#, "has its private part"),
            (#"{"keys":[{\#(ed),"alg":"ES256"}]}"#, "is a key of Ed25519, and no key for its `alg` ES256"),
            (#"{"keys":[{\#(ed),"kid":1}]}"#, "a `kid` that is no text"),
            (#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}"#, "an Ed25519 key has 32 bytes"),
            (#"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#, "`x` is not base64url"),
            (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}]}"#, "two coordinates of 32 bytes"),
            // No point of the curve.
            (#"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(zeros)","y":"\#(zeros)"}]}"#, "libcrypto takes it for no P-256 key"),
            (#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, "an RSA key of 17 bits"),
            // A good key does not save the others.
            (#"{"keys":[{\#(ed)},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, "key 2 of the set: an RSA key of 17 bits"),
            (#"{"keys":[{\#(ed),"use":"enc"}]}"#, "no key that signatures"), (#"{"keys":[{\#(ed),"key_ops":["sign"]}]}"#, "no key that"),
            (#"{"keys":[{"kty":"OKP","crv":"X25519","x":"AAAA"}]}"#, "no key that signatures"),
            (#"{"keys":[{\#(ed),"alg":"HS512"}]}"#, "no key that signatures"),
            (#"{"keys":[\#(Array(repeating: "{\(ed)}", count: 65).joined(separator: ","))]}"#, "the set has more than 64 keys"),
        ])
    func sets(text: String, expected: String) {
        #expect(problem(text)?.contains(expected) == true, "\(problem(text) ?? "taken")")
    }

    private static let zeros = String(repeating: "A", count: 43)

    @Test("Keys for other purposes are passed over") func otherPurposes() throws {
        let set = try KeySet(
            json: Array(#"{"keys":[{\#(Self.ed),"use":"sig"},{\#(Self.ed),"use":"enc"},{"kty":"EC","crv":"secp256k1"}],"more":1}"#.utf8))
        #expect(set.summary == "Ed25519")
    }

    @Test func weakKeysAreRefused() {
        #expect(problem(String(decoding: TokenVectors.weakKeys, as: UTF8.self))?.contains("1024 bits: 2048 to 4096 are taken") == true)
    }

    @Test("Exponents of RSA that no key has", arguments: ["AQ", "AA", "Ag", "AQABAQABAQAB"]) func exponents(text: String) throws {
        let set = try JSONSerialization.jsonObject(with: Data(TokenVectors.keys)) as? [String: [[String: Any]]]
        var key = try #require(set?["keys"]?.first { $0["kty"] as? String == "RSA" })
        key["e"] = text
        let changed = try JSONSerialization.data(withJSONObject: ["keys": [key]])
        #expect(problem(String(decoding: changed, as: UTF8.self))?.contains("no RSA key has") == true)
    }

    @Test func secretsAreLongAndNoKeys() {
        #expect(throws: TrustError.self) { try KeySet(secret: Array("short".utf8)) }
        #expect(throws: TrustError.self) {
            try KeySet(secret: Array("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE".utf8))
        }
    }

    @Test("A file of keys that is broken is an error, and names itself") func files() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "secret").path
        #expect(throws: KeySetError.self) { try KeySet(file: path) }
        try Data("{".utf8).write(to: URL(filePath: path))
        #expect(throws: KeySetError.self) { try KeySet(file: path) }
        // A secret that others can read.
        try Data((TokenVectors.shared.secret + "\n").utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(throws: KeySetError.self) { try KeySet(secretFile: path) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let set = try KeySet(secretFile: path)
        // The line's end is not part of it.
        #expect(try set.entries[0].key.thumbprint == KeySet(secret: Array(TokenVectors.shared.secret.utf8)).entries[0].key.thumbprint)
    }
}
