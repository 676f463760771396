import CremaTesting
import Foundation
import Gateway
import Testing

/// What strangers may have kept of heads that never end, over all their connections.
@Suite(.timeLimit(.minutes(1))) struct UnfinishedHeadTests {
    private static let bytesMax = 3_000
    /// What each connection may keep beside that.
    private static let bytesAlways = 1_024

    private static func with(_ body: @Sendable (RunningGateway) async throws -> Void) async throws {
        var limits = GatewayLimits()
        limits.httpHeaderBytesInAllMax = bytesMax
        try await RunningGateway.with(limits: limits, body)
    }

    /// The beginning of a request, of as many bytes.
    private static func head(_ bytes: Int, of line: String = "GET / HTTP/1.1") -> String {
        let start = "\(line)\r\nHost: x\r\nX: "
        return start + String(repeating: "a", count: bytes - start.utf8.count)
    }

    private static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    /// Sends a request and, with it, the beginning of another; when the first is answered, the second has been read.
    private static func begin(_ bytes: Int, on client: inout RawClient) async throws -> Bool {
        try await client.send((request + head(bytes)).utf8)
        return try await client.receive(Array("HTTP/1.1 404".utf8))
    }

    @Test("Below and at the limit heads are kept, beyond it the one that adds is refused", arguments: [-1, 0, 1])
    func limit(difference: Int) async throws {
        try await Self.with { gateway in
            try await RawClient.run(port: gateway.port) { first in
                #expect(try await Self.begin(Self.bytesAlways + 1_000, on: &first))
                try await RawClient.run(port: gateway.port) { second in
                    try await second.send(Self.head(Self.bytesAlways).utf8)
                    // Pieces count together.
                    try await second.send(String(repeating: "b", count: Self.bytesMax - 1_000 + difference).utf8)
                    if difference <= 0 { try await second.send("\r\n\r\n".utf8) }
                    #expect(try await second.receive(Array("\r\n\r\n".utf8)))
                    #expect(second.text.hasPrefix(difference <= 0 ? "HTTP/1.1 404 " : "HTTP/1.1 503 "), "\(second.text)")
                    if difference > 0 {
                        _ = try await second.receiveAll()
                        #expect(second.text.contains("httpHeaderBytesInAllMax"))
                    }
                }
                // Requests of the usual size find room all the same.
                #expect(try await gateway.exchange(Array(Self.request.utf8)).hasPrefix("HTTP/1.1 404"))
            }
        }
    }

    @Test func whatIsReadIsNotCounted() async throws {
        try await Self.with { gateway in
            try await RawClient.run(port: gateway.port) { client in
                for number in 1...5 {
                    // A head as long as all may be, and a body that is longer.
                    let head = Self.head(Self.bytesAlways + Self.bytesMax, of: "POST /order HTTP/1.1")
                    let body = "{\"a\": \"\(String(repeating: "c", count: 20_000))\"}"
                    try await client.send("\(head)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
                    while client.text.components(separatedBy: "HTTP/1.1 ").count <= number {
                        let more = try await client.receiveMore()
                        try #require(!more.isEmpty)
                    }
                }
                #expect(!client.text.contains("HTTP/1.1 503 "))
            }
        }
    }

    @Test func whatIsGoneIsNotCounted() async throws {
        try await Self.with { gateway in
            try await RawClient.run(port: gateway.port) { client in
                let begun = try await Self.begin(Self.bytesAlways + Self.bytesMax, on: &client)
                #expect(begun)
            }
            // As soon as the listener knows that it is gone, there is room for as much again.
            var hasRoom = false
            while !hasRoom {
                try await RawClient.run(port: gateway.port) { client in
                    guard try await Self.begin(Self.bytesAlways + Self.bytesMax, on: &client) else { return }
                    try? await client.send("\r\n\r\n".utf8)
                    while !client.text.contains(" 503 "), client.text.components(separatedBy: "HTTP/1.1 404").count < 3 {
                        if try await client.receiveMore().isEmpty { return }
                    }
                    hasRoom = !client.text.contains(" 503 ")
                }
            }
        }
    }

    @Test func chunksAreNoHeads() async throws {
        try await Self.with { gateway in
            try await RawClient.run(port: gateway.port) { client in
                let chunks = String(repeating: "1\r\nx\r\n", count: 3_000)
                let request = "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n"
                try await client.send(request.utf8)
                #expect(try await client.receive(Array("HTTP/1.1 4".utf8)))
                #expect(!client.text.contains(" 503 "))
            }
        }
    }
}
