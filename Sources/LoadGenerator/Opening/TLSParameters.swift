package import NIOSSL

/// How the generator speaks TLS.
package struct TLSParameters: Equatable, Sendable {
    package enum Version: String, Codable, CaseIterable, Sendable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    /// PEM file of the authorities to trust; without it the system's.
    package var authorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// Accepts any server certificate.
    package var isInsecure = false
    /// The one version to speak; `nil` for 1.2 or 1.3.
    package var version: Version?

    package init() {}

    /// Reads the files.
    ///
    /// A context serves every connection of a run, and resumes no session: each handshake is a full one; see ``ResumingTLSContext``.
    package func makeContext() throws(LoadError) -> NIOSSLContext {
        guard (certificateFile == nil) == (keyFile == nil) else { throw .parameters("--cert and --key belong together") }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = version == .tls13 ? .tlsv13 : .tlsv12
        configuration.maximumTLSVersion = version == .tls12 ? .tlsv12 : .tlsv13
        if let authorityFile { configuration.trustRoots = .file(authorityFile) }
        if isInsecure { configuration.certificateVerification = .none }
        if let certificateFile, let keyFile {
            configuration.certificateChain = try reading(certificateFile) {
                try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) }
            }
            configuration.privateKey = try reading(keyFile) { .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)) }
        }
        return try reading(authorityFile ?? "the TLS parameters") { try NIOSSLContext(configuration: configuration) }
    }

    private func reading<Value>(_ name: String, _ body: () throws -> Value) throws(LoadError) -> Value {
        do { return try body() } catch { throw .parameters("cannot use \(name): \(error)") }
    }
}
