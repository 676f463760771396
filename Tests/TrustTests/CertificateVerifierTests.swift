import Foundation
import Testing

@testable import Trust

@Suite struct CertificateVerifierTests {
    private func failure(_ verifier: CertificateVerifier, _ leaf: Certificate, at time: Int64? = nil) -> VerificationFailure? {
        do {
            _ = try verifier.verify(leaf: leaf.der, at: time)
            return nil
        } catch {
            return error
        }
    }

    @Test func aClientOfTheAuthorityIsBelieved() throws {
        let authority = try Issuing.authority()
        let client = try Issuing.client("alice", of: authority)
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        #expect(try verifier.verify(leaf: client.certificate.der).certificate == client.certificate)
    }

    @Test func aClientOfAnotherAuthorityIsNot() throws {
        let verifier = try CertificateVerifier(authorities: [Issuing.authority().certificate])
        let stranger = try Issuing.client("alice", of: Issuing.authority())
        #expect(
            failure(verifier, stranger.certificate)
                == VerificationFailure(reason: .unknownAuthority, depth: 0, subject: "CN=alice,O=Crema thing"))
    }

    @Test func anAuthorityWithTheSameNameAndAnotherKeyIsNot() throws {
        let validity = Validity(days: 900, from: Issuing.now)
        let ours = try CertificateAuthority.create(commonName: "Shop CA", validity: validity)
        let theirs = try CertificateAuthority.create(commonName: "Shop CA", validity: validity)
        let verifier = try CertificateVerifier(authorities: [ours.certificate])
        let forged = try Issuing.client("alice", of: theirs)
        #expect(failure(verifier, forged.certificate)?.reason == .unknownAuthority)
    }

    @Test func datesAreComparedWithTheTimeGiven() throws {
        let authority = try Issuing.authority()
        let begin = Issuing.now - 20 * Issuing.day
        let end = Issuing.now - 10 * Issuing.day
        let client = try Issuing.client("alice", of: authority, Validity(notBefore: begin, notAfter: end)).certificate
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        #expect(failure(verifier, client)?.reason == .expired(notAfter: end))
        #expect(failure(verifier, client, at: end)?.reason == .expired(notAfter: end))
        #expect(failure(verifier, client, at: end - 1) == nil)
        #expect(failure(verifier, client, at: begin + 1) == nil)
        #expect(failure(verifier, client, at: begin - 1)?.reason == .notYetValid(notBefore: begin))
    }

    @Test func anAuthorityThatHasEndedIsNamedWithItsDepth() throws {
        let end = Issuing.now - Issuing.day
        let authority = try Issuing.authority(Validity(notBefore: end - 100 * Issuing.day, notAfter: end))
        let client = try Issuing.client("alice", of: authority, Validity(notBefore: end - 50 * Issuing.day, notAfter: end)).certificate
        let failed = try failure(CertificateVerifier(authorities: [authority.certificate]), client)
        #expect(failed == VerificationFailure(reason: .expired(notAfter: end), depth: 1, subject: authority.certificate.subject))
    }

    @Test func aServerCertificateIsNoClientCertificate() throws {
        let authority = try Issuing.authority()
        let server = try Issuing.server(["localhost"], of: authority).certificate
        #expect(try failure(CertificateVerifier(authorities: [authority.certificate]), server)?.reason == .wrongPurpose)
        #expect(try failure(CertificateVerifier(authorities: [authority.certificate], purpose: .server), server) == nil)
    }

    @Test func theAuthorityItselfIsNoClient() throws {
        let authority = try Issuing.authority().certificate
        #expect(try failure(CertificateVerifier(authorities: [authority]), authority)?.reason == .wrongPurpose)
    }

    @Test func aChangedSignatureIsFound() throws {
        let authority = try Issuing.authority()
        var der = try Issuing.client("alice", of: authority).certificate.der
        der[der.count - 1] ^= 1
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        #expect(failure(verifier, try Certificate(der: der))?.reason == .badSignature)
    }

    @Test func nothingAndTooMuchAreRefusedByName() throws {
        let authority = try Issuing.authority()
        let client = try Issuing.client("alice", of: authority).certificate.der
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        #expect(throws: VerificationFailure(reason: .noCertificate, depth: 0, subject: "")) { try verifier.verify(leaf: []) }
        #expect(throws: VerificationFailure(reason: .tooManyCertificates(11), depth: 0, subject: "")) {
            try verifier.verify(leaf: client, intermediates: Array(repeating: client, count: 10))
        }
        #expect(try verifier.verify(leaf: client, intermediates: Array(repeating: client, count: 9)).certificate.der == client)
    }

    @Test func aLeafIsNotTrustedAsAnAuthority() throws {
        let client = try Issuing.client("alice", of: Issuing.authority()).certificate
        #expect(throws: TrustError.notAnAuthority(subject: client.subject)) { try CertificateVerifier(authorities: [client]) }
    }

    @Test func bytesThatAreNoCertificateAreBlamedOnTheirPlaceInTheChain() throws {
        let authority = try Issuing.authority()
        let client = try Issuing.client("alice", of: authority).certificate.der
        let verifier = try CertificateVerifier(authorities: [authority.certificate])
        func depth(_ leaf: [UInt8], _ intermediates: [[UInt8]]) -> Int? {
            do {
                _ = try verifier.verify(leaf: leaf, intermediates: intermediates)
                return nil
            } catch {
                guard case .malformed = error.reason else { return nil }
                return error.depth
            }
        }
        #expect(depth([0x30], []) == 0)
        #expect(depth(client, [client, [0x30]]) == 2)
        #expect(depth(client, [[]]) == 1)
        #expect(depth([UInt8](repeating: 0x30, count: 70_000), []) == 0)
    }

    @Test func theFailureReadsAsOneLogLine() throws {
        let verifier = try CertificateVerifier(authorities: [Issuing.authority().certificate])
        let stranger = try Issuing.client("alice", of: Issuing.authority()).certificate
        #expect(
            failure(verifier, stranger)?.description
                == "issued by an authority that is not trusted here (depth 0, subject CN=alice,O=Crema thing)")
    }

    @Test func intermediatesCompleteAChainButAreNotTrusted() async throws {
        let folder = try TemporaryDirectory()
        let root = try await OpenSSLChain(in: folder)
        let verifier = try CertificateVerifier(authorityFile: folder.path + "/root.crt")
        let leaf = try root.certificate("leaf.crt")
        let intermediate = try root.certificate("intermediate.crt")
        #expect(failure(verifier, leaf)?.reason == .unknownAuthority)
        #expect(try verifier.verify(leaf: leaf.der, intermediates: [intermediate.der]).certificate == leaf)
        // What the chain does not go over is not told of.
        let others = try [Issuing.authority().certificate.der, root.certificate("root.crt").der, leaf.der]
        #expect(try verifier.verify(leaf: leaf.der, intermediates: others + [intermediate.der]).intermediates == [intermediate.der])
        let elsewhere = try CertificateVerifier(authorities: [Issuing.authority().certificate])
        #expect(throws: VerificationFailure(reason: .unknownAuthority, depth: 1, subject: "CN=intermediate")) {
            try elsewhere.verify(leaf: leaf.der, intermediates: [intermediate.der])
        }
    }

    @Test("A server certificate whose issuer stands in clientCA only is told of: clients would not get the issuer")
    func anIssuerThatIsNotSent() async throws {
        let folder = try TemporaryDirectory()
        _ = try await OpenSSLChain(in: folder)
        try folder.write(folder.read("leaf.crt") + folder.read("intermediate.crt"), to: "chain.crt")
        try folder.write(folder.read("intermediate.crt") + folder.read("root.crt"), to: "both.crt")
        try folder.write(folder.read("leaf.crt") + folder.read("root.crt"), to: "rooted.crt")
        func warnings(_ certificate: String, _ clientCA: String) -> [String] {
            ListenerInspection.findings(
                certificate: folder.path + "/" + certificate, key: folder.path + "/leaf.key", clientCA: folder.path + "/" + clientCA
            ).filter { $0.subject == .chain }.map(\.text)
        }
        for authorities in ["intermediate.crt", "both.crt"] {
            let found = warnings("leaf.crt", authorities)
            #expect(found.count == 1 && found[0].hasPrefix("ends with CN=leaf, whose issuer CN=intermediate stands in "))
            #expect(warnings("chain.crt", authorities).isEmpty)
            // The issuer is not sent, whatever else is.
            #expect(warnings("rooted.crt", authorities).count == 1)
        }
        #expect(warnings("leaf.crt", "root.crt").isEmpty)
        #expect(warnings("intermediate.crt", "root.crt").isEmpty)
    }

    @Test func opensslAgreesOnEveryVerdict() async throws {
        let folder = try TemporaryDirectory()
        let ours = try Issuing.authority()
        let theirs = try Issuing.authority()
        let past = Validity(notBefore: Issuing.now - 20 * Issuing.day, notAfter: Issuing.now - Issuing.day)
        let future = Validity(notBefore: Issuing.now + Issuing.day, notAfter: Issuing.now + 2 * Issuing.day)
        let leaves = [
            try Issuing.client("good", of: ours), try Issuing.client("stranger", of: theirs), try Issuing.client("expired", of: ours, past),
            try Issuing.client("early", of: ours, future), try Issuing.server(["localhost"], of: ours),
        ].map(\.certificate)
        let verifier = try CertificateVerifier(authorities: [ours.certificate])
        try folder.write(ours.certificate.pem(), to: "ca.crt")
        for (index, leaf) in leaves.enumerated() {
            try folder.write(leaf.pem(), to: "\(index).crt")
            let theirVerdict = try await OpenSSLProgram.run(
                "verify", "-CAfile", "ca.crt", "-purpose", "sslclient", "\(index).crt", in: folder)
            #expect((failure(verifier, leaf) == nil) == theirVerdict.succeeded, "\(leaf.subject): \(theirVerdict.output)")
        }
    }

    @Test func severalThreadsShareOneVerifier() throws {
        let ours = try Issuing.authority()
        let good = try Issuing.client("alice", of: ours).certificate
        let bad = try Issuing.client("alice", of: Issuing.authority()).certificate
        let verifier = try CertificateVerifier(authorities: [ours.certificate])
        let wrong = Tally()
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<250 {
                let expectsGood = (thread + round).isMultiple(of: 2)
                let passed = failure(verifier, expectsGood ? good : bad) == nil
                if passed != expectsGood {
                    wrong.increment()
                }
            }
        }
        #expect(wrong.count == 0)
    }
}

/// Root, intermediate and leaf made by the openssl program, for what Trust itself does not issue.
struct OpenSSLChain {
    let folder: TemporaryDirectory

    init(in folder: TemporaryDirectory) async throws {
        self.folder = folder
        let authority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
        try folder.write(Array(authority.utf8), to: "ca.ext")
        try folder.write(Array("extendedKeyUsage=clientAuth\n".utf8), to: "leaf.ext")
        for name in ["root", "intermediate", "leaf"] {
            try await run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "\(name).key")
            try await run("req", "-new", "-key", "\(name).key", "-subj", "/CN=\(name)", "-out", "\(name).csr")
        }
        try await run("x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-extfile", "ca.ext", "-days", "2", "-out", "root.crt")
        try await sign("intermediate", by: "root", extensions: "ca.ext")
        try await sign("leaf", by: "intermediate", extensions: "leaf.ext")
    }

    func certificate(_ name: String) throws -> Certificate {
        try #require(try Certificate.list(pem: folder.read(name)).first)
    }

    private func sign(_ name: String, by issuer: String, extensions: String) async throws {
        try await run(
            "x509", "-req", "-in", "\(name).csr", "-CA", "\(issuer).crt", "-CAkey", "\(issuer).key", "-CAcreateserial", "-extfile",
            extensions, "-days", "2", "-out", "\(name).crt")
    }

    private func run(_ arguments: String...) async throws {
        let outcome = try await OpenSSLProgram.run(arguments, in: folder)
        try #require(outcome.succeeded, "\(arguments): \(outcome.output)")
    }
}

/// Counts from several threads.
final class Tally: @unchecked Sendable {  // the lock guards the number
    private let lock = NSLock()
    private var number = 0
    var count: Int { lock.withLock { number } }
    func increment() { lock.withLock { number += 1 } }
}
