import Foundation
import Subprocess
import Synchronization
import Testing
import Trust

@testable import BrokerServer

/// Who was verified a moment ago is not verified anew, and not a second longer than the answer holds.
@Suite struct BelievedCertificatesTests {
    /// An endpoint whose clock is set by hand, and a client's certificate that ends in ten days.
    private struct Fixture {
        let endpoint: TLSEndpoint
        let leaf: [UInt8]
        let clock = Clock()

        init(_ site: TestSite) throws {
            try site.issue("barista", Validity(notBefore: TestSite.now - TestSite.day, notAfter: TestSite.now + 10 * TestSite.day))
            let listener = try #require(site.mutualTLS().tls)
            let clock = clock
            endpoint = try TLSEndpoint(listener, applicationProtocols: [], time: { clock.now.withLock { $0 } })
            leaf = try #require(Certificate.list(file: site.path("barista.crt")).first?.der)
        }
    }

    private final class Clock: Sendable {
        let now = Mutex(TestSite.now)
    }

    private func name(_ leaf: [UInt8], by endpoint: TLSEndpoint) throws -> String { try endpoint.identify([leaf]).name }
    private func nameAgain(_ leaf: [UInt8], by endpoint: TLSEndpoint) throws -> String { try endpoint.identifyAgain(leaf).name }

    @Test("A chain is known once it was verified, by itself and when its session is resumed")
    func known() async throws {
        try await TestSite.run { site in
            let fixture = try Fixture(site)
            let (endpoint, leaf) = (fixture.endpoint, fixture.leaf)
            #expect(endpoint.believed.count == 0)
            #expect(try name(leaf, by: endpoint) == "barista")
            #expect(endpoint.believed.count == 1)
            #expect(try name(leaf, by: endpoint) == "barista")
            #expect(endpoint.believed.count == 1)
            #expect(try nameAgain(leaf, by: endpoint) == "barista")
            #expect(endpoint.believed.count == 2)
            // A byte that differs is another certificate.
            var other = leaf
            other[other.count - 1] ^= 1
            #expect(throws: HandshakeFailure.self) { try name(other, by: endpoint) }
            #expect(throws: HandshakeFailure.self) { try nameAgain(other, by: endpoint) }
            #expect(endpoint.believed.count == 2)
        }
    }

    @Test("A session is resumed whatever intermediates other clients have shown since")
    func otherIntermediates() async throws {
        try await TestSite.run { site in
            let chains = try await site.chains(TLSEndpoint.intermediatesMax + 1)
            let fixture = try Fixture(site)
            fixture.clock.now.withLock { $0 = Int64(Date().timeIntervalSince1970) + 60 }
            for chain in chains { _ = try fixture.endpoint.identify(chain) }
            _ = try fixture.endpoint.identify(chains[0])
            for (number, chain) in chains.enumerated() {
                #expect(try nameAgain(chain[0], by: fixture.endpoint) == "leaf\(number)")
            }
        }
    }

    @Test("Threat 14: what was believed is refused from the second on at which the certificate ends, and before it begins")
    func ended() async throws {
        try await TestSite.run { site in
            let fixture = try Fixture(site)
            let (endpoint, leaf, clock) = (fixture.endpoint, fixture.leaf, fixture.clock)
            _ = try endpoint.identify([leaf])
            _ = try endpoint.identifyAgain(leaf)
            clock.now.withLock { $0 = TestSite.now + 10 * TestSite.day - 1 }
            #expect(try name(leaf, by: endpoint) == "barista")
            for time in [TestSite.now + 10 * TestSite.day, TestSite.now - 2 * TestSite.day] {
                clock.now.withLock { $0 = time }
                #expect(throws: HandshakeFailure.self) { try name(leaf, by: endpoint) }
                #expect(throws: HandshakeFailure.self) { try nameAgain(leaf, by: endpoint) }
            }
        }
    }

    @Test("Threat 14: a belief ends with the first of the authorities and lists that it rests on")
    func endsWithItsGround() async throws {
        try await TestSite.run { site in
            let leaf = try Fixture(site).leaf
            let certificate = try Certificate(der: leaf)
            let now = TestSite.now
            let principal = try Principal(from: certificate)
            let day = TestSite.day
            let short = try CertificateAuthority.create(validity: Validity(notBefore: now - day, notAfter: now + day)).certificate
            let byAuthority = BelievedCertificates(authorities: [site.authority.certificate, short], revocations: [])
            byAuthority.note(principal, of: [leaf], isResumed: false, dependingOn: [certificate], at: now)
            #expect(byAuthority.principal(of: [leaf], isResumed: false, at: now + day - 1)?.name == "barista")
            #expect(byAuthority.principal(of: [leaf], isResumed: false, at: now + day) == nil)
            // The session that is resumed is another question, and so is a chain with more in it.
            #expect(byAuthority.principal(of: [leaf], isResumed: true, at: now) == nil)
            #expect(byAuthority.principal(of: [leaf, leaf], isResumed: false, at: now) == nil)

            try site.revoke("barista", until: Validity(notBefore: now - day, notAfter: now + 2 * day))
            let lists = try RevocationList.list(file: site.path("ca.crl"))
            let byList = BelievedCertificates(authorities: [site.authority.certificate], revocations: lists)
            byList.note(principal, of: [leaf], isResumed: false, dependingOn: [certificate], at: now)
            #expect(byList.principal(of: [leaf], isResumed: false, at: now + 2 * day - 1) != nil)
            #expect(byList.principal(of: [leaf], isResumed: false, at: now + 2 * day) == nil)
            // An intermediate that ends before all of them.
            let byIntermediate = BelievedCertificates(authorities: [site.authority.certificate], revocations: [])
            byIntermediate.note(principal, of: [leaf], isResumed: false, dependingOn: [certificate, short], at: now)
            #expect(byIntermediate.principal(of: [leaf], isResumed: false, at: now + day) == nil)
        }
    }
}

extension TestSite {
    /// As many chains of a client's certificate and the intermediate that issued it, under an authority in place of the site's own.
    fileprivate func chains(_ count: Int) async throws -> [[[UInt8]]] {
        try Data("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n".utf8).write(to: URL(fileURLWithPath: path("ca.ext")))
        try Data("extendedKeyUsage=clientAuth\n".utf8).write(to: URL(fileURLWithPath: path("leaf.ext")))
        try await request("ca")
        try await openSSLProgram(
            "x509", "-req", "-in", path("ca.csr"), "-signkey", path("ca.key"), "-extfile", path("ca.ext"), "-days", "2", "-out",
            path("ca.crt"))
        var chains: [[[UInt8]]] = []
        for number in 0..<count { chains.append(try await chain(number)) }
        return chains
    }

    private func chain(_ number: Int) async throws -> [[UInt8]] {
        var issuer = "ca"
        for (name, extensions) in [("by\(number)", "ca.ext"), ("leaf\(number)", "leaf.ext")] {
            try await request(name)
            try await openSSLProgram(
                "x509", "-req", "-in", path("\(name).csr"), "-CA", path("\(issuer).crt"), "-CAkey", path("\(issuer).key"),
                "-CAcreateserial", "-extfile", path(extensions), "-days", "2", "-out", path("\(name).crt"))
            issuer = name
        }
        return try ["leaf\(number)", "by\(number)"].flatMap { try Certificate.list(file: path("\($0).crt")).map(\.der) }
    }

    /// A key, and what asks for a certificate for it.
    private func request(_ name: String) async throws {
        try await openSSLProgram("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path("\(name).key"))
        try await openSSLProgram("req", "-new", "-key", path("\(name).key"), "-subj", "/CN=\(name)", "-out", path("\(name).csr"))
    }

    private func openSSLProgram(_ arguments: String...) async throws {
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(arguments), output: .discarded, error: .string(limit: 10_000))
        try #require(result.terminationStatus.isSuccess, "\(arguments): \(result.standardError)")
    }
}
