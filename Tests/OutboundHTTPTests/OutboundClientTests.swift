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
        kind: HTTPInvocation.Kind = .http, secondsMax: Int = 30, functionSecondsMax: Int = 30,
        lookup: @escaping @Sendable (String) async throws -> [InternetAddress] = { _ in [] }
    ) async throws -> (outcome: HTTPOutcome, requests: [String]) {
        let server = try await TargetServer()
        let client = OutboundClient(
            policy: policy, lookup: lookup, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: secondsMax,
            functionSecondsMax: functionSecondsMax)
        let outcome = await send(try invocation("http://\(host):\(server.port)\(path)", kind), with: client)
        await client.shutDown()
        await server.close()
        return (outcome, server.requests)
    }

    private static func invocation(_ url: String, _ kind: HTTPInvocation.Kind = .http) throws -> HTTPInvocation {
        let (endpoint, target) = try HTTPEndpoint.parse(url)
        return HTTPInvocation(
            kind: kind, method: "POST", endpoint: endpoint, target: target, headers: [("X-Key", "s3cret")], body: Array("{}".utf8),
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
        let seconds = ["/hang": 1, "/endless": 3][path] ?? 30
        let (outcome, requests) = try await Self.call(path, allowing: Self.policy("127.0.0.0/8"), secondsMax: seconds)
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
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [] }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 30
        )
        let outcome = await Self.send(try Self.invocation("http://127.0.0.1:1/"), with: client)
        await client.shutDown()
        #expect(outcome == .failed(.unreachable("the connection was refused or not answered")))
    }

    @Test("Threat 48: an address that is not allowed is not called") func anAddressThatIsNotAllowedIsNotCalled() async throws {
        let (outcome, requests) = try await Self.call("/ok", allowing: OutboundPolicy())
        guard case .failed(.denied(let why)) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(why.contains("loopback address 127.0.0.1"))
        #expect(requests.isEmpty)
    }

    @Test("Threat 48: a name is judged by its address, and the connection goes there") func aNameIsJudgedByItsAddress() async throws {
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

    @Test("Threat 48: a name whose address changes leads nowhere else") func aNameWhoseAddressChangesLeadsNowhereElse() async throws {
        let addresses = try [#require(Self.loopback), #require(InternetAddress("10.0.0.1"))]
        let server = try await TargetServer()
        let counter = Lookups()
        let client = OutboundClient(
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [addresses[counter.next() % 2]] },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 30)
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

    @Test(
        "What functions answer",
        arguments: [
            ("/ok", 30, HTTPOutcome.answered(status: 200)), ("/function", 30, .answered(status: 200, functionError: "Unhandled")),
            ("/failed", 30, .answered(status: 200, functionError: "ValueError")),
            ("/exited", 30, .answered(status: 502, functionError: "Runtime.ExitError")),
            ("/overtime", 30, .answered(status: 200, functionError: "Task timed out")),
            // Longer than any other call may take.
            ("/slow", 30, .answered(status: 200)), ("/hang", 2, .failed(.timedOut(seconds: 2))),
            // What it would have said is not known.
            ("/endless", 2, .failed(.timedOut(seconds: 2))),
        ])
    func functions(path: String, seconds: Int, expected: HTTPOutcome) async throws {
        let (outcome, requests) = try await Self.call(
            path, allowing: Self.policy("127.0.0.1"), kind: .function, secondsMax: 1, functionSecondsMax: seconds)
        #expect(outcome == expected)
        #expect(requests.count == 1)
    }

    @Test("A lookup has no more time than the call", arguments: [HTTPInvocation.Kind.http, .function])
    func slowLookup(kind: HTTPInvocation.Kind) async throws {
        let (outcome, requests) = try await Self.call(
            "/ok", host: "shop.example", allowing: Self.policy("127.0.0.1"), kind: kind, secondsMax: 1, functionSecondsMax: 60,
            lookup: { _ in
                try await Task.sleep(for: .seconds(60))
                return []
            })
        #expect(outcome == .failed(.unreachable("the host was not found within 1 seconds")))
        #expect(requests.isEmpty)
    }

    @Test func callsThatHangHoldUpNoOtherOfTheirHost() async throws {
        let server = try await TargetServer()
        let client = OutboundClient(
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [] }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 60
        )
        for _ in 0..<20 { client.send(try Self.invocation("http://127.0.0.1:\(server.port)/hang")) { _ in } }
        while server.requests.count < 20 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await Self.send(try Self.invocation("http://127.0.0.1:\(server.port)/ok"), with: client) == .answered(status: 200))
        await client.shutDown()
        await server.close()
    }

    @Test func afterTheStopNobodyIsCalled() async throws {
        let server = try await TargetServer()
        let client = OutboundClient(
            policy: try Self.policy("127.0.0.1"), lookup: { _ in [] }, eventLoopGroup: MultiThreadedEventLoopGroup.singleton, secondsMax: 30
        )
        await client.shutDown()
        let outcome = await Self.send(try Self.invocation("http://127.0.0.1:\(server.port)/ok"), with: client)
        if case .failed = outcome {} else { Issue.record("\(outcome)") }
        #expect(server.requests.isEmpty)
        await server.close()
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
