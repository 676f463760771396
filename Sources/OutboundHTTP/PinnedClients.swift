import AsyncHTTPClient
import EventBus
import NIOCore
import NIOSSL
import Synchronization

/// HTTP clients that connect to one address each, whatever a name server says by then.
///
/// The certificate is still checked against the host's name. Few are kept, so that connections to targets in use stay open.
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
    }

    private let state = Mutex(State())
    private let eventLoopGroup: any EventLoopGroup
    private let trustRoots: NIOSSLTrustRoots
    private let secondsMax: Int64

    init(eventLoopGroup: any EventLoopGroup, trustRoots: NIOSSLTrustRoots, secondsMax: Int64) {
        self.eventLoopGroup = eventLoopGroup
        self.trustRoots = trustRoots
        self.secondsMax = secondsMax
    }

    /// Lends a client that connects to an address only.
    func withClient<Value: Sendable>(
        for endpoint: HTTPEndpoint, at address: InternetAddress, _ body: (HTTPClient) async throws -> Value
    ) async throws -> Value {
        let key = Key(endpoint: endpoint, address: address)
        let (client, surplus) = lend(key)
        for client in surplus { try? await client.shutdown() }
        defer { giveBack(key) }
        return try await body(client)
    }

    func shutDown() async {
        let clients = state.withLock { state in
            defer { state.kept = [:] }
            return state.kept.values.map(\.client)
        }
        for client in clients { try? await client.shutdown() }
    }

    private func lend(_ key: Key) -> (client: HTTPClient, surplus: [HTTPClient]) {
        state.withLock { state in
            state.uses += 1
            var kept = state.kept[key] ?? Kept(client: makeClient(key), lastUse: 0)
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

    private func makeClient(_ key: Key) -> HTTPClient {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = trustRoots
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(secondsMax), read: .seconds(secondsMax)))
        configuration.httpVersion = .http1Only
        configuration.http1_1ConnectionDebugInitializer = { StatusGuard.install(on: $0) }
        // What failed is tried again by the rules' policies, not here.
        configuration.connectionPool.retryConnectionEstablishment = false
        if key.endpoint.address == nil { configuration.dnsOverride = [key.endpoint.host: "\(key.address)"] }
        return HTTPClient(eventLoopGroupProvider: .shared(eventLoopGroup), configuration: configuration)
    }
}
