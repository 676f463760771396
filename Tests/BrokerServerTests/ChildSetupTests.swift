import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import BrokerServer

/// Accepted connections are set up without the bootstrap's way over three event loops.
@Suite struct ChildSetupTests {
    private struct Refusal: Error {}

    private final class Tally: Sendable {
        let bootstrapped = Mutex(0)
        let loops = Mutex<[ObjectIdentifier]>([])
    }

    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
        }
    }

    /// Tells what comes, and at the end that nothing more will.
    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let answer: EventLoopPromise<ByteBuffer?>
        init(_ answer: EventLoopPromise<ByteBuffer?>) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { answer.succeed(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { answer.succeed(nil) }
    }

    private let clients = MultiThreadedEventLoopGroup.singleton

    private func listen(
        on group: MultiThreadedEventLoopGroup = .singleton, tally: Tally = Tally(),
        prepare: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ChildSetup(prepare: prepare))
                }
            }
            .childChannelInitializer { channel in
                tally.bootstrapped.withLock { $0 += 1 }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private func ask(_ server: any Channel) async throws -> ByteBuffer? {
        let address = try #require(server.localAddress)
        let answer = clients.any().makePromise(of: ByteBuffer?.self)
        let client = try await ClientBootstrap(group: clients)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Reader(answer)) }
            }
            .connect(to: address).get()
        client.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        let answered = try await answer.futureResult.get()
        try? await client.close()
        return answered
    }

    @Test("Each connection is set up once, on its own event loop, before a byte of it is read")
    func onceOnItsLoop() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let tally = Tally()
        let server = try await listen(on: group, tally: tally) { channel in
            tally.loops.withLock { $0.append(ObjectIdentifier(channel.eventLoop)) }
            try channel.pipeline.syncOperations.addHandler(Echo())
        }
        // By turns on the listener's own loop and on the other.
        for _ in 0..<4 { #expect(try await ask(server) == ByteBuffer(string: "hello")) }
        try await group.shutdownGracefully()
        #expect(tally.bootstrapped.withLock { $0 } == 0)
        let loops = tally.loops.withLock { $0 }
        #expect(loops.count == 4)
        #expect(Set(loops).count == 2)
    }

    @Test("A connection that cannot be set up is closed")
    func refused() async throws {
        let server = try await listen { _ in throw Refusal() }
        #expect(try await ask(server) == nil)
        try await server.close()
    }

    @Test("Where the bootstrap's handler has another name the connection is left to it")
    func unknownBootstrap() throws {
        let server = EmbeddedChannel(handler: ChildSetup { _ in Issue.record("it is not to be set up here") })
        let accepted = EmbeddedChannel()
        try server.writeInbound(accepted as any Channel)
        let passed = try server.readInbound(as: (any Channel).self)
        #expect(passed as? EmbeddedChannel === accepted)
    }
}
