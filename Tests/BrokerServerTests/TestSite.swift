import BrokerCore
import CremaTesting
import Foundation
import Logging
import Subprocess
import Synchronization
import SystemPackage
import Trust

@testable import BrokerServer

/// A temporary folder with a CA, a server certificate and a running broker, all gone when the body ends.
struct TestSite {
    let folder: URL
    let authority: CertificateAuthority
    let log: LogRecorder
    let broker: Broker

    static let now = Int64(Date().timeIntervalSince1970)
    static let day: Int64 = 86_400
    static let longValidity = Validity(notBefore: now - 400 * day, notAfter: now + 3_650 * day)

    /// A loaded machine may need long for what a client does at once: only tests about the deadline have a short one.
    static let patient = {
        var limits = BrokerLimits()
        limits.connectSecondsMax = 120
        return limits
    }()

    static func run(
        time: (@Sendable () -> Int64)? = nil, limits: BrokerLimits = patient, authorizer: any Authorizer = ListenerAuthorizer(),
        _ body: (TestSite) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let log = LogRecorder()
        let broker = Broker(
            limits: limits, authorizer: authorizer, rules: nil, loopCount: 2, logger: log.logger, version: "test",
            certificateTime: time)
        let site = TestSite(
            folder: folder, authority: try CertificateAuthority.create(validity: longValidity), log: log, broker: broker)
        do {
            try site.write("ca", site.authority.certificate)
            let names = [try AlternativeName(parsing: "localhost"), try AlternativeName(parsing: "127.0.0.1")]
            try site.write("server", site.authority.issueServer(names: names, validity: longValidity))
            try await body(site)
        } catch {
            await broker.drain(within: .seconds(2))
            throw error
        }
        await broker.drain(within: .seconds(2))
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func write(_ name: String, _ certificate: Certificate) throws {
        try Data(try certificate.pem()).write(to: URL(fileURLWithPath: path("\(name).crt")))
    }

    func write(_ name: String, _ pair: KeyPair) throws {
        try write(name, pair.certificate)
        let url = URL(fileURLWithPath: path("\(name).key"))
        try Data(try pair.key.pem()).write(to: url)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
    }

    /// Writes `name.crt` and `name.key` for a client.
    func issue(_ name: String, by issuer: CertificateAuthority? = nil, _ validity: Validity = longValidity) throws {
        try write(name, (issuer ?? authority).issueClient(name: ThingName(name), validity: validity))
    }

    /// Writes `ca.crl`, the authority's revocation list, with these clients in it beside those that are there.
    func revoke(_ names: String..., until validity: Validity = Validity(days: 30, from: now)) throws {
        let file = path("ca.crl")
        let earlier = try? RevocationList.list(file: file).first
        let certificates = try names.compactMap { try Certificate.list(file: path("\($0).crt")).first }
        let list = try authority.revocationList(after: earlier, revoking: certificates, validity: validity, at: Self.now)
        try Data(try list.pem()).write(to: URL(fileURLWithPath: file))
    }

    func mutualTLS(anonymous: Bool = false, required: Bool = true, crl: String? = nil) -> Listener {
        let tls = TLSListener(
            certificate: path("server.crt"), key: path("server.key"), clientCA: path("ca.crt"), crl: crl.map { path($0) },
            requireClientCertificate: required)
        return Listener(name: "mqtts", host: "127.0.0.1", port: 0, transport: .tls(tls), anonymous: anonymous)
    }

    static let plain = Listener(name: "mqtt", host: "127.0.0.1", port: 0, transport: .tcp, anonymous: true)

    static func webSocket(_ webSocket: WebSocketListener = WebSocketListener(), host: String = "127.0.0.1") -> Listener {
        Listener(name: "ws", host: host, port: 0, transport: .ws(webSocket), anonymous: true)
    }

    /// ``mutualTLS(anonymous:required:crl:)`` with WebSocket inside.
    func secureWebSocket(anonymous: Bool = false, required: Bool = true, crl: String? = nil) -> Listener {
        var listener = mutualTLS(anonymous: anonymous, required: required, crl: crl)
        listener.name = "wss"
        if case .tls(let tls) = listener.transport { listener.transport = .wss(WebSocketListener(), tls) }
        return listener
    }

    func start(_ listener: Listener) async throws -> Int {
        let bindings = try await broker.start([listener])
        await broker.beginAccepting()
        return bindings.first?.port ?? 0
    }

    /// Connects by `openssl s_client`, sends CONNECT and DISCONNECT or other bytes, and answers with everything it printed.
    func openSSL(
        port: Int, certificate: String?, _ more: [String] = [], sending bytes: [UInt8] = Packets.connect("a") + Packets.disconnect
    ) async throws -> Data {
        let input = path("packets-\(UUID().uuidString)")
        try Data(bytes).write(to: URL(fileURLWithPath: input))
        var arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", path("ca.crt"), "-ign_eof"]
        if let certificate { arguments += ["-cert", path("\(certificate).crt"), "-key", path("\(certificate).key")] }
        let packets = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
        defer { try? packets.close() }
        let result = try await Subprocess.run(
            .name("openssl"), arguments: Arguments(arguments + more),
            input: .fileDescriptor(.init(rawValue: packets.fileDescriptor), closeAfterSpawningProcess: false),
            output: .bytes(limit: 16_777_216), error: .combinedWithOutput)
        return Data(result.standardOutput)
    }
}
