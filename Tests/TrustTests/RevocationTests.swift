import Testing

@testable import Trust

/// Revocation lists: made here, judged by libcrypto, and by the openssl program.
@Suite struct RevocationTests {
    private static let month = Validity(notBefore: Issuing.now - 100, notAfter: Issuing.now + 30 * Issuing.day)

    private func list(
        of authority: CertificateAuthority, revoking certificates: [Certificate] = [], after earlier: RevocationList? = nil,
        _ validity: Validity = month
    ) throws -> RevocationList {
        try authority.revocationList(after: earlier, revoking: certificates, validity: validity, at: Issuing.now)
    }

    private func reason(
        _ leaf: Certificate, of authorities: [CertificateAuthority], _ lists: [RevocationList]?, intermediates: [Certificate] = [],
        at time: Int64? = nil
    ) throws -> VerificationReason? {
        let verifier = try CertificateVerifier(authorities: authorities.map(\.certificate), revocations: lists)
        do {
            _ = try verifier.verify(leaf: leaf.der, intermediates: intermediates.map(\.der), at: time)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("Threat 14: a certificate in its issuer's list is refused, and others are not")
    func revoked() throws {
        let authority = try Issuing.authority()
        let (mallory, alice) = (try Issuing.client("mallory", of: authority), try Issuing.client("alice", of: authority))
        let list = try list(of: authority, revoking: [mallory.certificate])
        #expect(try reason(mallory.certificate, of: [authority], [list]) == .revoked)
        #expect(try reason(alice.certificate, of: [authority], [list]) == nil)
        #expect(try reason(mallory.certificate, of: [authority], nil) == nil, "no list was asked for")
    }

    @Test("Threat 14: where lists are asked for, a client without one of its issuer is refused")
    func noList() throws {
        let (one, other) = (try Issuing.authority(), try Issuing.authority())
        let client = try Issuing.client("alice", of: other)
        #expect(try reason(client.certificate, of: [one, other], [list(of: one)]) == .noRevocationList)
        #expect(try reason(client.certificate, of: [one, other], [list(of: one), list(of: other)]) == nil)
    }

    @Test("Threat 14: a list that has ended lets nobody in, and who stands in it is still called revoked")
    func ended() throws {
        let authority = try Issuing.authority()
        let (mallory, alice) = (try Issuing.client("mallory", of: authority), try Issuing.client("alice", of: authority))
        let end = Issuing.now - Issuing.day
        let late = try list(
            of: authority, revoking: [mallory.certificate], Validity(notBefore: end - 10 * Issuing.day, notAfter: end))
        #expect(late.hasEnded(at: Issuing.now))
        #expect(try reason(alice.certificate, of: [authority], [late]) == .revocationListEnded(nextUpdate: end))
        #expect(try reason(mallory.certificate, of: [authority], [late]) == .revoked)
        #expect(try reason(alice.certificate, of: [authority], [late, list(of: authority)]) == nil, "one in time is enough")
    }

    @Test("Threat 14: a list with the authority's name and another's signature counts for nothing")
    func forged() throws {
        let ours = try CertificateAuthority.create(commonName: "Shop CA", validity: TestValidity.long)
        let theirs = try CertificateAuthority.create(commonName: "Shop CA", validity: TestValidity.long)
        let client = try Issuing.client("mallory", of: ours)
        let forged = try list(of: theirs)
        #expect(try !forged.isSigned(by: ours.certificate))
        #expect(try reason(client.certificate, of: [ours], [forged]) != nil)
    }

    @Test func aListKeepsItsEntriesAndItsNumberGrows() throws {
        let authority = try Issuing.authority()
        let clients = try (0..<3).map { try Issuing.client("c\($0)", of: authority).certificate }
        var current = try list(of: authority)
        #expect(current.number == "01")
        #expect(current.count == 0)
        for client in clients { current = try list(of: authority, revoking: [client], after: current) }
        current = try list(of: authority, revoking: [clients[0]], after: current)
        #expect(current.number == "05")
        #expect(current.count == 3, "one that is revoked already is not there twice")
        for client in clients { #expect(try current.revokes(client)) }
        #expect(current.nextUpdate == Self.month.notAfter)
        #expect(try current.isSigned(by: authority.certificate))
    }

    @Test func theOpensslProgramReadsAndVerifiesIt() async throws {
        let directory = try TemporaryDirectory()
        let authority = try Issuing.authority()
        let client = try Issuing.client("mallory", of: authority).certificate
        try directory.write(authority.certificate.pem(), to: "ca.crt")
        try directory.write(client.pem(), to: "mallory.crt")
        try directory.write(list(of: authority, revoking: [client]).pem(), to: "ca.crl")
        let shown = try await OpenSSLProgram.run("crl", "-in", "ca.crl", "-CAfile", "ca.crt", "-noout", "-text", in: directory)
        #expect(shown.output.contains("verify OK"))
        #expect(shown.output.contains(client.serialNumber))
        let checked = try await OpenSSLProgram.run(
            "verify", "-CAfile", "ca.crt", "-CRLfile", "ca.crl", "-crl_check", "mallory.crt", in: directory)
        #expect(!checked.succeeded)
        #expect(checked.output.contains("certificate revoked"))
    }

    @Test("Threat 41: a file of lists that is empty, damaged or cut off is refused")
    func damaged() throws {
        let authority = try Issuing.authority()
        let text = try list(of: authority).pem()
        #expect(throws: TrustError.noRevocationList(source: "f")) { try RevocationList.list(pem: [], source: "f") }
        #expect(throws: TrustError.noRevocationList(source: "f")) { try RevocationList.list(pem: Array("none\n".utf8), source: "f") }
        for length in [text.count - 20, text.count / 2, 40] {
            #expect(throws: TrustError.self, "\(length)") { try RevocationList.list(pem: text + text.prefix(length)) }
        }
        var broken = text
        broken[60] = UInt8(ascii: "!")
        #expect(throws: TrustError.self) { try RevocationList.list(pem: broken) }
        #expect(try RevocationList.list(pem: text + authority.certificate.pem() + text).count == 2, "other blocks are skipped")
        var generator = SeededGenerator(seed: 14)
        let sound = try list(of: authority, revoking: [Issuing.client("c", of: authority).certificate]).der
        for _ in 0..<2_000 {
            var bytes = sound
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[place] ^= UInt8.random(in: 1...255, using: &generator)
            _ = try? RevocationList(der: bytes)  // no trap
        }
    }

    @Test func theFolderRevokesRenewsAndSaysSo() throws {
        let directory = try TemporaryDirectory()
        let folder = CertificateFolder(path: directory.path)
        _ = try folder.initialise(at: Issuing.now)
        for name in ["alice", "mallory"] { _ = try folder.issue(name: ThingName(name), at: Issuing.now) }
        #expect(try folder.renewRevocations(at: Issuing.now).count == 0)
        let (list, certificate) = try folder.revoke(name: ThingName("mallory"), at: Issuing.now)
        #expect(list.count == 1)
        #expect(list.number == "02")
        #expect(certificate.subject == "CN=mallory,O=Crema thing")
        #expect(try directory.mode("ca.crl") == 0o644)
        let findings = folder.check(at: Issuing.now)
        #expect(findings.filter { $0.subject == .revocation }.map(\.file) == [directory.path + "/clients/mallory.crt"])
        #expect(!findings.contains { $0.severity == .failure })
        #expect(throws: TrustError.self, "a revoked pair is not kept as sound") {
            try folder.issue(name: ThingName("mallory"), at: Issuing.now)
        }
        _ = try folder.issue(name: ThingName("mallory"), force: true, at: Issuing.now)
        #expect(try folder.revoke(name: ThingName("alice"), at: Issuing.now).list.count == 2)
        let late = folder.check(at: Issuing.now + 31 * Issuing.day).first { $0.file.hasSuffix("ca.crl") }
        #expect(late?.severity == .failure)
        #expect(late?.text.contains("it has ended") == true)
        #expect(throws: TrustError.fileMissing(path: directory.path + "/clients/nobody.crt")) {
            try folder.revoke(name: ThingName("nobody"))
        }
    }

    @Test func theListOfAnotherAuthorityIsNotContinued() throws {
        let directory = try TemporaryDirectory()
        let folder = CertificateFolder(path: directory.path)
        _ = try folder.initialise(at: Issuing.now)
        _ = try folder.issue(name: ThingName("alice"), at: Issuing.now)
        try directory.write(list(of: Issuing.authority()).pem(), to: "ca.crl")
        #expect(throws: TrustError.self) { try folder.revoke(name: ThingName("alice"), at: Issuing.now) }
        let findings = folder.check(at: Issuing.now)
        #expect(findings.contains { $0.severity == .failure && $0.text.contains("has no revocation list of") })
    }
}

private enum TestValidity {
    static let long = Validity(days: 900, from: Issuing.now)
}
