import Documents
import EventBus
import NIOCore
import NIOPosix
import OutboundHTTP
import Synchronization
import Testing

@Suite struct OutboundClientTests {
    private static let loopback = InternetAddress(bytes: [127, 0, 0, 1])

    private static func policy(_ allowed: String...) throws -> OutboundPolicy {
        try OutboundPolicy(allowing: allowed.map { .init($0, at: SourceLocation(file: "c")) })
    }

    /// One call to a server of the test's own.
    private static func call(
        _ path: String, host: String = "127.0.0.1", allowing policy: OutboundPolicy,
        lookup: @escaping @Sendable (String) async throws -> [InternetAddress] = { _ in [] }
    ) async throws -> (outcome: HTTPOutcome, requests: [String]) {
        let server = try await TargetServer()
        let client = OutboundClient(
            policy: policy, lookup: lookup, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 1)
        let outcome = await send(try invocation("http://\(host):\(server.port)\(path)"), with: client)
        await client.shutDown()
        await server.close()
        return (outcome, server.requests)
    }

    private static func invocation(_ url: String) throws -> HTTPInvocation {
        let (endpoint, target) = try HTTPEndpoint.parse(url)
        return HTTPInvocation(
            kind: .http, method: "POST", endpoint: endpoint, target: target, headers: [("X-Key", "s3cret")], body: Array("{}".utf8),
            isTrusted: false)
    }

    private static func send(_ invocation: HTTPInvocation, with client: OutboundClient) async -> HTTPOutcome {
        await withCheckedContinuation { continuation in
            client.send(invocation) { continuation.resume(returning: $0) }
        }
    }

    @Test(
        "What servers answer",
        arguments: [
            ("/ok", HTTPOutcome.answered(status: 200)), ("/busy", .answered(status: 429, retryAfter: "7")),
            ("/function", .answered(status: 200, functionError: "Unhandled")), ("/hang", .failed(.timedOut(seconds: 1))),
            // The head has said that it was taken, so the body that never comes does not matter.
            ("/endless", .answered(status: 200)), ("/moved", .answered(status: 302)),
            // A status that there is not must not stop the process.
            ("/000", .failed(.unreachable("the answer has no status of HTTP's"))),
            ("/099", .failed(.unreachable("the answer has no status of HTTP's"))),
        ])
    func answers(path: String, expected: HTTPOutcome) async throws {
        let (outcome, requests) = try await Self.call(path, allowing: Self.policy("127.0.0.0/8"))
        #expect(outcome == expected)
        // No redirect is followed, and nothing is sent twice.
        #expect(requests.count == 1)
        #expect(requests.first?.hasSuffix(" s3cret {}") == true)
    }

    @Test func aBrokenConnectionMayPass() async throws {
        let (outcome, requests) = try await Self.call("/break", allowing: Self.policy("127.0.0.1"))
        guard case .failed(.unreachable(let why)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(!why.contains("s3cret"))
        #expect(requests.count == 1)
    }

    @Test func nobodyThereIsNoConnection() async throws {
        let client = OutboundClient(
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [] }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 1)
        let outcome = await Self.send(try Self.invocation("http://127.0.0.1:1/"), with: client)
        await client.shutDown()
        #expect(outcome == .failed(.unreachable("the connection was refused or not answered")))
    }

    @Test func anAddressThatIsNotAllowedIsNotCalled() async throws {
        let (outcome, requests) = try await Self.call("/ok", allowing: OutboundPolicy())
        guard case .failed(.denied(let why)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(why.contains("loopback address 127.0.0.1"))
        #expect(requests.isEmpty)
    }

    @Test func aNameIsJudgedByItsAddressAndTheConnectionGoesThere() async throws {
        let address = try #require(Self.loopback)
        let denied = try await Self.call("/ok", host: "shop.example", allowing: OutboundPolicy(), lookup: { _ in [address] })
        guard case .failed(.denied) = denied.outcome else {
            Issue.record("\(denied.outcome)")
            return
        }
        #expect(denied.requests.isEmpty)
        // No name server knows the host: the connection went to the address that was judged.
        let (outcome, requests) = try await Self.call(
            "/ok", host: "shop.example", allowing: Self.policy("127.0.0.1"), lookup: { _ in [address] })
        #expect(outcome == .answered(status: 200))
        #expect(requests.first?.contains("shop.example") == true)
    }

    @Test func aNameWhoseAddressChangesLeadsNowhereElse() async throws {
        let addresses = try [#require(Self.loopback), #require(InternetAddress("10.0.0.1"))]
        let server = try await TargetServer()
        let counter = Lookups()
        let client = OutboundClient(
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [addresses[counter.next() % 2]] },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 1)
        let invocation = try Self.invocation("http://shop.example:\(server.port)/ok")
        #expect(await Self.send(invocation, with: client) == .answered(status: 200))
        guard case .failed(.denied(let why)) = await Self.send(invocation, with: client) else {
            Issue.record("the second address was called")
            return
        }
        #expect(why.contains("private address 10.0.0.1"))
        await client.shutDown()
        await server.close()
    }

    @Test func theSystemFindsAddresses() async throws {
        let lookup = HostLookup()
        #expect(try await lookup.addresses(of: "127.0.0.1") == [try #require(Self.loopback)])
        #expect(try await lookup.addresses(of: "no-such-host.invalid").isEmpty)
        await lookup.shutDown()
    }
}

/// Counts lookups.
private final class Lookups: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
