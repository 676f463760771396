import Testing

@testable import Trust

@Suite struct PrivateKeyTests {
    @Test func aKeySurvivesItsPEMText() throws {
        let authority = try Issuing.authority()
        let client = try Issuing.client("alice", of: authority)
        let copy = try PrivateKey(pem: client.key.pem())
        #expect(try copy.belongs(to: client.certificate))
        #expect(try !copy.belongs(to: authority.certificate))
    }

    @Test(
        "Keys as other programs write them",
        arguments: [
            ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key"], ["genrsa", "-traditional", "-out", "key", "2048"],
            ["genpkey", "-algorithm", "ED25519", "-out", "key"],
        ])
    func readsOtherKeys(_ arguments: [String]) async throws {
        let folder = try TemporaryDirectory()
        try #require(try await OpenSSLProgram.run(arguments, in: folder).succeeded)
        #expect(throws: Never.self) { try PrivateKey(pem: folder.read("key")) }
    }

    @Test func anEncryptedKeyIsRefusedByNameAndNobodyIsAsked() async throws {
        let folder = try TemporaryDirectory()
        let arguments = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:x", "-out", "key"]
        try #require(try await OpenSSLProgram.run(arguments, in: folder).succeeded)
        #expect(throws: TrustError.encryptedPrivateKey(source: "my.key")) { try PrivateKey(pem: folder.read("key"), source: "my.key") }
    }

    @Test func aCertificateIsNoKeyAndAKeyNoCertificate() throws {
        let authority = try Issuing.authority()
        #expect(throws: TrustError.noPrivateKey(source: "x")) { try PrivateKey(pem: authority.certificate.pem(), source: "x") }
        #expect(throws: TrustError.noCertificate(source: "x")) { try Certificate.list(pem: authority.key.pem(), source: "x") }
        #expect(throws: TrustError.noCertificate(source: "x")) { try Certificate.list(pem: [], source: "x") }
    }

    @Test func aListOfCertificatesKeepsItsOrderAndToleratesTextAround() throws {
        let authority = try Issuing.authority()
        let client = try Issuing.client("alice", of: authority).certificate
        let text = try Array("Bag Attributes: none\n".utf8) + client.pem() + Array("\n# the CA\n".utf8) + authority.certificate.pem()
        #expect(try Certificate.list(pem: text) == [client, authority.certificate])
    }

    @Test func oneBadBlockFailsTheWholeList() throws {
        let good = try Issuing.authority().certificate.pem()
        let bad = Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8)
        #expect(throws: TrustError.self) { try Certificate.list(pem: good + bad) }
    }
}
