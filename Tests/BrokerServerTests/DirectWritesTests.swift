import CremaTesting
import NIOCore
import NIOPosix
import Testing

@testable import BrokerServer

/// The order of what goes past a channel and what goes through it.
@Suite(.timeLimit(.minutes(1))) struct DirectWritesTests {
    /// What one attempt to send leaves, and whether all went.
    private struct Attempt: Equatable {
        var hasSentAll: Bool
        var left: String
    }

    private static func attempt(_ writes: inout DirectWrites, _ text: String, on channel: any Channel) -> Attempt {
        var bytes = ByteBuffer(string: text)
        let hasSentAll = writes.send(&bytes, on: channel)
        return Attempt(hasSentAll: hasSentAll, left: String(buffer: bytes))
    }

    @Test("Nothing goes past what waits in the channel, whatever room the socket has")
    func order() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let channel = try await ClientBootstrap(group: group).connect(to: try #require(server.localAddress)).get()
        let attempts = try await channel.eventLoop.submit {
            var writes = DirectWrites()
            let first = Self.attempt(&writes, "first", on: channel)  // the socket is not looked for yet
            writes.wait()
            writes.wait()
            let behind = Self.attempt(&writes, "behind two", on: channel)
            writes.written()
            let still = Self.attempt(&writes, "behind one", on: channel)
            writes.written()
            return [first, behind, still, Self.attempt(&writes, "past", on: channel), Self.attempt(&writes, "", on: channel)]
        }.get()
        #expect(
            attempts == [
                Attempt(hasSentAll: false, left: "first"), Attempt(hasSentAll: false, left: "behind two"),
                Attempt(hasSentAll: false, left: "behind one"), Attempt(hasSentAll: true, left: ""), Attempt(hasSentAll: true, left: ""),
            ])
        try await channel.close()
        try await server.close()
    }

    @Test("What a full socket does not take is left, in storage of its own")
    func fullSocket() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        let channel = try await ClientBootstrap(group: group).connect(to: try #require(server.localAddress)).get()
        try await channel.eventLoop.submit {
            var writes = DirectWrites()
            _ = Self.attempt(&writes, "first", on: channel)
            // Storage comes in powers of two: the rest needs half of it once a megabyte has left.
            let bytes = ByteBuffer(repeating: 0x78, count: 65 << 20)
            var rest = bytes
            #expect(!writes.send(&rest, on: channel))
            #expect(rest.readableBytes > 0 && rest.readableBytes < bytes.readableBytes)
            #expect(rest.storageCapacity < bytes.storageCapacity)
        }.get()
        try await channel.close()
        try await server.close()
    }
}
