import CremaTesting
import EventBus
import Gateway
import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOPosix
import Rules
import Testing

@Suite struct HostileRequestTests {
    /// Threat: JSON bombs.
    ///
    /// Each is answered 4xx, by the gateway's own bounded parser.
    static let bombs: [String] = [
        String(repeating: "[", count: 100_000),
        String(repeating: #"{"a":"#, count: 100_000),
        #"{"Entries":\#(String(repeating: "[", count: 100_000))\#(String(repeating: "]", count: 100_000))}"#,
        #"{"Entries":[{"Time":\#(String(repeating: "9", count: 1_000_000))}]}"#,
        #"{"Entries":[{"Time":1e\#(String(repeating: "9", count: 100_000))}]}"#,
        #"{"Entries":[{"Source":"\uD8"}]}"#,
        #"{"Entries":[{"Source":"\#u{0}"}]}"#,
        #"{"Entries":["#, "{\"Entries\":[\u{FEFF}]}", "nul", "-", "1e", "\"\\u12\"",
    ]

    @Test("Threat 51: a JSON bomb is refused", arguments: bombs.indices)
    func aJSONBombIsRefused(index: Int) async throws {
        let fixture = try GatewayFixture()
        #expect(try await fixture.call(body: Self.bombs[index]).status == .badRequest)
        #expect(try await fixture.post("/order", body: Self.bombs[index]).status.code / 100 == 4)
        #expect(fixture.broker.published.isEmpty)
    }

    @Test func ofDuplicateMembersTheLastCounts() async throws {
        let fixture = try GatewayFixture()
        let entry = #"{"Source":1,"Source":"shop.orders","DetailType":"d","Detail":"{\"user\":\"u\"}","EventBusName":"shop"}"#
        #expect(try await fixture.call(body: #"{"Entries":null,"Entries":[\#(entry)]}"#).status == .ok)
        #expect(fixture.broker.published.count == 1)
    }

    /// Damages valid requests at random; the seed is in the test's arguments.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedRequestsAreAnsweredAndNeverTrap(seed: UInt64) async throws {
        let fixture = try GatewayFixture()
        let valid = Array(#"{"Entries":[\#(GatewayFixture.entry()),{"Time":1.5e3,"Resources":["a","\u00e9"],"Source":null}]}"#.utf8)
        try await fixture.server.application.test(.router) { client in
            var generator = SplitMix(state: seed)
            for _ in 0..<250 {
                var bytes = valid
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.remove(at: place)
                    default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                    }
                }
                let body = ByteBuffer(bytes: bytes)
                let call = try await client.execute(uri: "/", method: .post, headers: GatewayFixture.headers(), body: body)
                #expect(call.status == .ok || call.status == .badRequest, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
                let route = try await client.execute(uri: "/order", method: .post, body: body)
                #expect(route.status == .badRequest, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    @Test(
        "Threat 55: raw requests on a socket, with too many fields and too long ones among them",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"),
            ("GET //%00%ff HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"),
            ("GET http://x/y?z HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"),
            ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404"),
            ("GET ? HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 4"),
            ("GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost: x y\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "HTTP/1.1 404"),
            ("GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 404"),
            ("GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "HTTP/1.1 404"),
            ("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", "HTTP/1.1 4"),
            ("rubbish\r\n\r\n", "HTTP/1.1 400"),
            ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", "HTTP/1.1 400"),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "HTTP/1.1 400"),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400"),
            ("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400"),
            ("POST /order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "HTTP/1.1 400"),
            ("POST /order HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n", "HTTP/1.1 400"),
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 400"),
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "HTTP/1.1 400"),
            ("POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 501"),
            ("GET /x?\u{301}y HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n", "HTTP/1.1 400"),
            ("GET / HTTP/1.1\r\nHost: x\r\n\(String(repeating: "X: y\r\n", count: 200))\r\n", "HTTP/1.1 400"),
        ])
    func rawRequest(request: String, start: String) async throws {
        try await RunningGateway.with { gateway in
            let answer = try await gateway.exchange(Array(request.utf8))
            #expect(answer.hasPrefix(start), "\(answer.prefix(200))")
            // And the listener is still there.
            #expect(try await gateway.exchange(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)).hasPrefix("HTTP/1.1 404"))
        }
    }
}

/// Threat 20: the decoder reads nothing behind a request for another protocol, and must not keep what comes there either.
@Suite(.timeLimit(.minutes(1))) struct UnreadBytesTests {
    @Test func whatComesBehindARequestForAnotherProtocolIsNotKept() async throws {
        try await RunningGateway.with { gateway in
            let release = gateway.fixture.broker.holdNextPublish()
            try await RawClient.run(port: gateway.port) { client in
                let body = #"{"detail":{"user":"u"}}"#
                let head =
                    "POST /order HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                try await client.send(Array((head + body).utf8))
                while gateway.fixture.engine.counters.eventsAccepted == 0 {
                    try Task.checkCancellation()  // else it goes on when the test's time is over
                    await Task.yield()
                }
                // The request is being answered. Far more than the limit is read off the socket meanwhile, and dropped.
                try await client.send(Array(repeating: UInt8(ascii: "x"), count: 8 << 20))
                release.yield()
                _ = try await client.receiveAll()
                #expect(client.text.hasPrefix("HTTP/1.1 200 "))
                #expect(client.text.lowercased().contains("\r\nconnection: close\r\n"))
            }
        }
    }
}

/// Threat 20: a body that two readers end at different places.
@Suite(.timeLimit(.minutes(1))) struct TransferCodingTests {
    /// The second request of each would be somebody else's, smuggled.
    @Test(arguments: [
        "POST /order HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "POST /nothing HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n",
    ])
    func whatEndsNowhereForSureIsRefusedAndCloses(request: String) async throws {
        try await RunningGateway.with { gateway in
            let answer = try await gateway.exchange(Array((request + "GET / HTTP/1.1\r\nHost: x\r\n\r\n").utf8))
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"), "\(answer)")
            #expect(answer.ranges(of: "HTTP/1.1 ").count == 1, "\(answer)")
        }
    }

    @Test(arguments: ["chunked", "Chunked", " chunked "])
    func chunkedAloneIsRead(coding: String) async throws {
        try await RunningGateway.with { gateway in
            let request = "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\(coding)\r\n\r\n0\r\n\r\n"
            let answer = try await gateway.exchange(Array(request.utf8))
            #expect(answer.hasPrefix("HTTP/1.1 404 "), "\(answer)")
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
