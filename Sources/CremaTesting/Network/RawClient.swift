import Glibc
package import NIOCore
import NIOPosix

/// A TCP client that sends and reads bytes.
package struct RawClient {
    package typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    package let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    package private(set) var received: [UInt8] = []

    /// Connects, gives the client to the body, and closes.
    package static func run<Answer>(
        host: String = "127.0.0.1", port: Int, _ body: (inout RawClient) async throws -> Answer
    ) async throws -> Answer {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var client = RawClient(outbound: outbound, inbound: inbound.makeAsyncIterator())
            return try await body(&client)
        }
    }

    package func send(_ bytes: some Sequence<UInt8> & Sendable) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Reads until what came holds these bytes; answers false when the peer closed before.
    package mutating func receive(_ bytes: [UInt8]) async throws -> Bool {
        while !received.contains(bytes) {
            if try await receiveMore().isEmpty { return false }
        }
        return true
    }

    /// Reads what comes next; answers with it, or with nothing when the peer has closed.
    package mutating func receiveMore() async throws -> [UInt8] {
        do {
            guard let more = try await inbound.next(isolation: nil) else { return [] }
            received += more.readableBytesView
            return Array(more.readableBytesView)
        } catch let error as IOError where error.errnoCode == ECONNRESET {
            return []  // closed with bytes of ours unread
        }
    }

    /// Reads until the peer closes.
    package mutating func receiveAll() async throws -> [UInt8] {
        while try await !receiveMore().isEmpty {}
        return received
    }

    /// What came, as text.
    package var text: String { String(decoding: received, as: UTF8.self) }
}
