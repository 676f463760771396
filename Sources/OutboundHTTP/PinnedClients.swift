import AsyncHTTPClient
import EventBus
import NIOCore
import NIOSSL
import Synchronization

/// HTTP clients that connect to one address each, whatever a name server says by then.
///
/// Few are kept, so that connections to targets in use stay open. All share one context of TLS, with the system's certificates read
/// once: clients with TLS of their own would read them for every host. So they know of plain HTTP only, and ``SecureConnections`` puts
/// TLS below it, before anything is sent; there the certificate is checked against the host's name.
final class PinnedClients: Sendable {
    private static let keptMax = 64

    private struct Key: Hashable {
        let endpoint: HTTPEndpoint
        let address: InternetAddress
    }

    private struct Kept {
        let client: HTTPClient
        var users = 0
        var lastUse: UInt64
    }

    private struct State {
        var kept: [Key: Kept] = [:]
        var uses: UInt64 = 0
        var isShutDown = false
    }

    private let state = Mutex(State())
    private let eventLoopGroup: any EventLoopGroup
    private let connections: SecureConnections
    private let connectSecondsMax: Int64

    init(eventLoopGroup: any EventLoopGroup, trustRoots: NIOSSLTrustRoots, connectSecondsMax: Int64) {
        self.eventLoopGroup = eventLoopGroup
        self.connectSecondsMax = connectSecondsMax
        connections = SecureConnections(trustRoots: trustRoots)
    }

    /// Lends a client that connects to an address only, and the beginning of the URLs that it takes for the endpoint.
    func withClient<Value: Sendable>(
        for endpoint: HTTPEndpoint, at address: InternetAddress, _ body: (HTTPClient, String) async throws -> Value
    ) async throws -> Value {
        let key = Key(endpoint: endpoint, address: address)
        // Not on an event loop, and not under the lock: it reads files.
        let context = endpoint.isSecure ? try connections.context() : nil
        let (client, surplus) = try lend(key, context)
        for client in surplus { try? await client.shutdown() }
        defer { giveBack(key) }
        return try await body(client, endpoint.plainOrigin)
    }

    func shutDown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.kept = [:] }
            return state.kept.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }

    private func lend(_ key: Key, _ context: NIOSSLContext?) throws -> (client: HTTPClient, surplus: [HTTPClient]) {
        try state.withLock { state in
            // One that is made now would never be shut down.
            guard !state.isShutDown else { throw CancellationError() }
            state.uses += 1
            var kept = state.kept[key] ?? Kept(client: makeClient(key, context), lastUse: 0)
            kept.users += 1
            kept.lastUse = state.uses
            state.kept[key] = kept
            var surplus: [HTTPClient] = []
            while state.kept.count > Self.keptMax {
                let idle = state.kept.filter { $0.value.users == 0 }.min { $0.value.lastUse < $1.value.lastUse }
                guard let idle else { break }
                state.kept[idle.key] = nil
                surplus.append(idle.value.client)
            }
            return (kept.client, surplus)
        }
    }

    private func giveBack(_ key: Key) { state.withLock { $0.kept[key]?.users -= 1 } }

    private func makeClient(_ key: Key, _ context: NIOSSLContext?) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(connectSecondsMax)))
        configuration.httpVersion = .http1Only
        let endpoint = key.endpoint
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.submit {
                try StatusGuard.install(on: channel.pipeline.syncOperations)
                if let context { try SecureConnections.begin(on: channel.pipeline.syncOperations, to: endpoint, context) }
            }
        }
        // What failed is tried again by the rules' policies, not here.
        configuration.connectionPool.retryConnectionEstablishment = false
        // How many calls there are at once is decided there, too: here none waits for another target's at the same host.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        if endpoint.address == nil { configuration.dnsOverride = [endpoint.host: "\(key.address)"] }
        return HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
    }
}
