import Documents
import EventBus
import Foundation
import NIOPosix
import NIOSSL
import OutboundHTTP
import Testing
import Trust

@Suite struct SecureCallTests {
    private static let untrusted = HTTPOutcome.failed(
        .unreachable("TLS failed: the certificate is not trusted, or not this host's"))

    /// An authority, and what a server needs to which it gave a certificate.
    private static func authority(of name: String) throws -> (CertificateAuthority, TLSConfiguration) {
        let now = Int64(Date().timeIntervalSince1970)
        let validity = Validity(notBefore: now - 86_400, notAfter: now + 86_400)
        let authority = try CertificateAuthority.create(validity: validity)
        let pair = try authority.issueServer(names: [AlternativeName(parsing: name)], validity: validity)
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(pair.certificate.pem()), format: .pem))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(pair.key.pem()), format: .pem)))
        return (authority, tls)
    }

    /// A client for which every host is on loopback.
    private static func client(trusting roots: NIOSSLTrustRoots, secondsMax: Int = 60) throws -> OutboundClient {
        let loopback = try #require(InternetAddress("127.0.0.1"))
        return OutboundClient(
            policy: try OutboundPolicy(allowing: [.init("127.0.0.1", at: .init(file: "c"))]), lookup: { _ in [loopback] },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, trustRoots: roots, secondsMax: secondsMax)
    }

    private static func post(_ url: String, with client: OutboundClient) async throws -> HTTPOutcome {
        let (endpoint, target) = try HTTPEndpoint.parse(url)
        let invocation = HTTPInvocation(
            kind: .http, method: "POST", endpoint: endpoint, target: target, headers: [], body: [], isTrusted: false)
        return await withCheckedContinuation { continuation in
            client.send(invocation) { continuation.resume(returning: $0) }
        }
    }

    /// Calls a server whose certificate is for shop.example.
    private func call(_ host: String, trusting isTrusted: Bool) async throws -> (outcome: HTTPOutcome, requests: Int) {
        let (authority, tls) = try Self.authority(of: "shop.example")
        let root = try NIOSSLCertificate(bytes: Array(authority.certificate.pem()), format: .pem)
        let server = try await TargetServer(tls: NIOSSLContext(configuration: tls))
        let client = try Self.client(trusting: isTrusted ? .certificates([root]) : .default)
        let outcome = try await Self.post("https://\(host):\(server.port)/ok", with: client)
        await client.shutDown()
        await server.close()
        return (outcome, server.requests.count)
    }

    @Test func theCertificateIsCheckedAgainstTheNameAndNotTheAddress() async throws {
        let (outcome, requests) = try await call("shop.example", trusting: true)
        #expect((outcome, requests) == (.answered(status: 200), 1))
    }

    /// One context serves all hosts: a second host's connection does not read the certificates anew.
    @Test func theCertificatesAreReadOnce() async throws {
        let (authority, tls) = try Self.authority(of: "*.example")
        let server = try await TargetServer(tls: NIOSSLContext(configuration: tls))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("roots-\(UUID().uuidString).pem")
        try Data(authority.certificate.pem()).write(to: file)
        let client = try Self.client(trusting: .file(file.path))
        for host in ["a.example", "b.example", "c.example"] {
            let outcome = try await Self.post("https://\(host):\(server.port)/ok", with: client)
            #expect(outcome == .answered(status: 200), "\(host)")
            try? FileManager.default.removeItem(at: file)
        }
        #expect(server.requests.map { $0.split(separator: " ")[2] } == ["a", "b", "c"].map { "\($0).example:\(server.port)" })
        await client.shutDown()
        await server.close()
    }

    @Test("A target that does not answer the end of TLS holds up no other target's call")
    func deafTargets() async throws {
        let (authority, tls) = try Self.authority(of: "*.example")
        let root = try NIOSSLCertificate(bytes: Array(authority.certificate.pem()), format: .pem)
        let deaf = try await TargetServer(tls: NIOSSLContext(configuration: tls), isDeaf: true)
        let other = try await TargetServer()
        let client = try Self.client(trusting: .certificates([root]), secondsMax: 3)
        // Its body never comes, so its connection is being closed when the call is over.
        #expect(try await Self.post("https://deaf.example:\(deaf.port)/endless", with: client) == .answered(status: 200))
        // As many as stay open, with that one, and one more, for which it is given up.
        for number in 1...64 {
            let outcome = try await Self.post("http://h\(number).example:\(other.port)/ok", with: client)
            #expect(outcome == .answered(status: 200), "\(number)")
        }
        deaf.hangUp()
        await client.shutDown()
        for server in [deaf, other] { await server.close() }
    }

    @Test func anAddressIsCheckedAsSuch() async throws {
        let (outcome, requests) = try await call("127.0.0.1", trusting: true)
        #expect((outcome, requests) == (Self.untrusted, 0))
    }

    @Test(arguments: [("other.example", true), ("shop.example", false)])
    func anotherCertificateIsRefused(host: String, isTrusted: Bool) async throws {
        let (outcome, requests) = try await call(host, trusting: isTrusted)
        #expect((outcome, requests) == (Self.untrusted, 0))
    }
}
