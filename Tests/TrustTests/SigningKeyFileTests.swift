import Testing
import Trust

/// Keys and signatures by the real openssl, as whoever runs a custom authorizer makes them.
@Suite struct SigningKeyFileTests {
    private let directory = try! TemporaryDirectory()  // there is room for one

    private func key(_ name: String, _ arguments: String...) async throws -> [UInt8] {
        let made = try await OpenSSLProgram.run(["genpkey", "-out", "\(name).pem"] + arguments, in: directory)
        #expect(made.succeeded, "\(made.output)")
        return Array(try await OpenSSLProgram.run("pkey", "-in", "\(name).pem", "-pubout", in: directory).output.utf8)
    }

    @Test func aSignatureIsOfOneKeyAndOneMessage() async throws {
        let one = try await key("one", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        let other = try await key("other", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")
        try directory.write(Array("token".utf8), to: "message")
        _ = try await OpenSSLProgram.run("dgst", "-sha256", "-sign", "other.pem", "-out", "signature", "message", in: directory)
        let text = try await OpenSSLProgram.run("base64", "-A", "-in", "signature", in: directory).output
        let keys = try VerificationKey.rsaKeys(pem: Array("two keys\n".utf8) + one + Array("\n".utf8) + other)
        #expect(keys.map { $0.verifies(base64: text, of: Array("token".utf8)) } == [false, true])
        #expect(
            !keys[1].verifies(base64: text, of: Array("tokens".utf8)) && !keys[1].verifies(base64: text + "\n", of: Array("token".utf8)))
    }

    @Test func whatIsNoRSAKeyIsRefused() async throws {
        let good = try await key("good", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        let curve = try await key("curve", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        let small = try await key("small", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
        let broken = Array(
            String(decoding: good, as: UTF8.self).replacing("-----BEGIN PUBLIC KEY-----\nM", with: "-----BEGIN PUBLIC KEY-----\nN").utf8)
        for text in [[], Array("nothing".utf8), curve, small, good + curve, good + broken, broken] {
            #expect(throws: TrustError.self) { try VerificationKey.rsaKeys(pem: text) }
        }
        #expect(try VerificationKey.rsaKeys(pem: good).count == 1)
    }
}
