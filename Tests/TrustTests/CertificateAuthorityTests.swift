import Testing

@testable import Trust

@Suite struct CertificateAuthorityTests {
    @Test func aServerCertificateSaysWhatItWasIssuedFor() throws {
        let authority = try Issuing.authority()
        let server = try Issuing.server(["localhost", "127.0.0.1", "::1", "*.shop.example"], of: authority).certificate
        #expect(server.alternativeNames.map(\.description) == ["DNS:localhost", "IP:127.0.0.1", "IP:::1", "DNS:*.shop.example"])
        #expect(server.extendedKeyUsages == [.serverAuth])
        #expect(server.subject == "CN=localhost,O=Crema server")
        #expect(server.issuer == authority.certificate.subject)
        #expect(!server.isAuthority)
        #expect(server.notBefore == Issuing.now - 300)
        #expect(server.notAfter == Issuing.now + 825 * Issuing.day)
    }

    @Test func aClientCertificateNamesItsThingTwice() throws {
        let client = try Issuing.client("barista-1", of: Issuing.authority()).certificate
        #expect(client.alternativeNames.map(\.description) == ["URI:urn:crema:thing:barista-1"])
        #expect(client.commonNames == [.utf8(Array("barista-1".utf8))])
        #expect(client.extendedKeyUsages == [.clientAuth])
        #expect(client.subject == "CN=barista-1,O=Crema thing")
    }

    @Test func anAuthorityIsOneAndTwoOfThemHaveDifferentNames() throws {
        let one = try Issuing.authority().certificate
        let other = try Issuing.authority().certificate
        #expect(one.isAuthority)
        #expect(one.subject == one.issuer)
        #expect(one.subject != other.subject)
    }

    @Test func serialNumbersAreLongAndNeverRepeat() throws {
        let authority = try Issuing.authority()
        let serials = try (0..<50).map { try Issuing.client("thing-\($0)", of: authority).certificate.serialNumber }
        #expect(Set(serials).count == 50)
        // 128 random bits begin with three zero bytes once in 16 million certificates.
        #expect(serials.allSatisfy { $0.utf8.count > 26 && $0.utf8.count <= 32 })
    }

    @Test func aCertificateThatOutlivesItsAuthorityIsRefused() throws {
        let authority = try Issuing.authority(Validity(days: 10, from: Issuing.now))
        let (asked, end) = (Issuing.now + 11 * Issuing.day, Issuing.now + 10 * Issuing.day)
        #expect(throws: TrustError.outlivesAuthority(notAfter: asked, authorityNotAfter: end)) {
            try Issuing.client("late", of: authority, Validity(days: 11, from: Issuing.now))
        }
    }

    @Test func aServerWithoutNamesIsRefused() throws {
        let authority = try Issuing.authority()
        #expect(throws: TrustError.noAlternativeNames) { try Issuing.server([], of: authority) }
    }

    @Test func validityThatEndsBeforeItBeginsIsRefused() throws {
        let authority = try Issuing.authority()
        let backwards = Validity(notBefore: Issuing.now, notAfter: Issuing.now - 1)
        #expect(throws: TrustError.validityEndsBeforeItBegins(notBefore: Issuing.now, notAfter: Issuing.now - 1)) {
            try Issuing.client("backwards", of: authority, backwards)
        }
    }

    @Test func anotherKeyDoesNotMakeAnAuthority() throws {
        let certificate = try Issuing.authority().certificate
        #expect(throws: TrustError.keyMismatch(subject: certificate.subject)) {
            try CertificateAuthority(certificate: certificate, key: .generate())
        }
    }

    @Test func aLeafDoesNotMakeAnAuthority() throws {
        let client = try Issuing.client("alice", of: Issuing.authority())
        #expect(throws: TrustError.notAnAuthority(subject: client.certificate.subject)) {
            try CertificateAuthority(certificate: client.certificate, key: client.key)
        }
    }

    @Test(
        "Threat 52: names that cannot be issued to a client, whose files are called so",
        arguments: ["", "-x", ".x", "a/b", "../x", "a b", "a+b", "a#", "a\0b", "é", "a\nb", "a,b", String(repeating: "a", count: 65)])
    func refusesThingName(_ name: String) {
        #expect(throws: TrustError.self) { try ThingName(name) }
    }

    @Test("Names that can", arguments: ["a", "barista", "shop-1_till.2", "urn:x", String(repeating: "a", count: 64)])
    func takesThingName(_ name: String) throws {
        #expect(try ThingName(name).text == name)
    }

    @Test(
        "Names that no server has",
        arguments: [
            "", "*", "*.", "a..b", ".a", "a.", "-a.b", "a-.b", "a b", "a,DNS:evil", "1.2.3", "1.2.3.4.5", "a/b", "*.*.a", "é.example",
        ])
    func refusesAlternativeName(_ name: String) {
        #expect(throws: TrustError.self) { try AlternativeName(parsing: name) }
    }

    @Test func opensslReadsWhatWeIssue() async throws {
        let folder = try TemporaryDirectory()
        let authority = try Issuing.authority()
        let server = try Issuing.server(["localhost", "::1"], of: authority)
        try folder.write(server.certificate.pem(), to: "server.crt")
        try folder.write(server.key.pem(), to: "server.key")
        let text = try await OpenSSLProgram.run(
            "x509", "-in", "server.crt", "-noout", "-text", "-fingerprint", "-sha256", "-serial", in: folder)
        #expect(text.succeeded)
        for expected in [
            "Version: 3 (0x2)", "Signature Algorithm: ecdsa-with-SHA256", "ASN1 OID: prime256v1", "TLS Web Server Authentication",
            "DNS:localhost, IP Address:0:0:0:0:0:0:0:1", "CA:FALSE", "X509v3 Authority Key Identifier",
            "Fingerprint=\(server.certificate.fingerprint)", "serial=\(server.certificate.serialNumber)",
        ] {
            #expect(text.output.contains(expected), "\(expected) is not in \(text.output)")
        }
        let key = try await OpenSSLProgram.run("pkey", "-in", "server.key", "-noout", "-check", in: folder)
        #expect(key.output.contains("Key is valid"))
    }

    @Test func opensslVerifiesWhatWeIssueForItsPurposeOnly() async throws {
        let folder = try TemporaryDirectory()
        let authority = try Issuing.authority()
        try folder.write(authority.certificate.pem(), to: "ca.crt")
        try folder.write(Issuing.client("alice", of: authority).certificate.pem(), to: "alice.crt")
        try folder.write(Issuing.server(["localhost"], of: authority).certificate.pem(), to: "server.crt")
        func verify(_ purpose: String, _ file: String) async throws -> Bool {
            try await OpenSSLProgram.run("verify", "-x509_strict", "-CAfile", "ca.crt", "-purpose", purpose, file, in: folder).succeeded
        }
        #expect(try await verify("sslclient", "alice.crt"))
        #expect(try await verify("sslserver", "server.crt"))
        #expect(try await !verify("sslserver", "alice.crt"))
        #expect(try await !verify("sslclient", "server.crt"))
    }
}
