import EventBus
import NIOCore
import NIOSSL
import Synchronization

/// TLS for calls, with one context for all hosts.
final class SecureConnections: Sendable {
    private let trustRoots: NIOSSLTrustRoots
    private let made = Mutex<NIOSSLContext?>(nil)

    /// - Parameter trustRoots: who may vouch for servers; read when the first call needs them.
    init(trustRoots: NIOSSLTrustRoots) {
        self.trustRoots = trustRoots
    }

    /// The context, made when it is asked for the first time.
    func context() throws -> NIOSSLContext {
        try made.withLock { made in
            if let made { return made }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = trustRoots
            configuration.applicationProtocols = ["http/1.1"]
            let context = try NIOSSLContext(configuration: configuration)
            made = context
            return context
        }
    }

    /// Puts TLS below all that a connection's pipeline has.
    ///
    /// What is written waits until the server has shown a certificate that is trusted, and is for the endpoint's host.
    static func begin(
        on pipeline: ChannelPipeline.SynchronousOperations, to endpoint: HTTPEndpoint, _ context: NIOSSLContext
    ) throws {
        // Of a host that is an address, it is the address that the certificate must have.
        let name = endpoint.address == nil ? endpoint.host : nil
        try pipeline.addHandler(try NIOSSLClientHandler(context: context, serverHostname: name), position: .first)
    }
}
