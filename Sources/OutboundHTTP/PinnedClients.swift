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
        /// Of clients that nobody will use any more, by number.
        var endings: [UInt64: Task<Void, Never>] = [:]
        var endingsBegun: UInt64 = 0
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
        let client = try lend(key, context)
        defer { giveBack(key) }
        return try await body(client, endpoint.plainOrigin)
    }

    /// Ends all clients, and answers when the last of them has ended, also of those that were given up before.
    func shutDown() async {
        let endings = state.withLock { state in
            state.isShutDown = true
            for kept in state.kept.values { end(kept.client, in: &state) }
            state.kept = [:]
            return Array(state.endings.values)
        }
        for ending in endings { await ending.value }
    }

    /// Ends a client in a task of its own: one whose server does not answer the end of TLS takes seconds, and is no other call's matter.
    private func end(_ client: HTTPClient, in state: inout State) {
        state.endingsBegun += 1
        let number = state.endingsBegun
        state.endings[number] = Task {
            try? await client.shutdown()
            self.state.withLock { $0.endings[number] = nil }
        }
    }

    private func lend(_ key: Key, _ context: NIOSSLContext?) throws -> HTTPClient {
        try state.withLock { state in
            // One that is made now would never be shut down.
            guard !state.isShutDown else { throw CancellationError() }
            state.uses += 1
            var kept = state.kept[key] ?? Kept(client: makeClient(key, context), lastUse: 0)
            kept.users += 1
            kept.lastUse = state.uses
            state.kept[key] = kept
            while state.kept.count > Self.keptMax {
                let idle = state.kept.filter { $0.value.users == 0 }.min { $0.value.lastUse < $1.value.lastUse }
                guard let idle else { break }
                state.kept[idle.key] = nil
                end(idle.value.client, in: &state)
            }
            return kept.client
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
