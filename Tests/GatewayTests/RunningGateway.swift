import Gateway
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A gateway that listens on a port of its own.
struct RunningGateway {
    let fixture: GatewayFixture
    let port: Int
    let group: ServiceGroup

    static func with(
        limits: GatewayLimits = GatewayLimits(), _ body: @Sendable (RunningGateway) async throws -> Void
    ) async throws {
        let (addresses, bound) = AsyncStream<SocketAddress>.makeStream()
        let fixture = try GatewayFixture(limits: limits) { bound.yield($0) }
        var log = Logger(label: "test")
        log.logLevel = .critical
        let group = ServiceGroup(configuration: .init(services: [fixture.server], logger: log))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { bound.finish() }
                try await group.run()
            }
            for await address in addresses {
                guard let port = address.port else { break }
                try await body(RunningGateway(fixture: fixture, port: port, group: group))
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    /// Sends bytes, and answers with what comes back up to the end of the first answer's head, or the connection's end.
    func exchange(_ bytes: [UInt8]) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            var answer = ""
            do {
                for try await piece in inbound {
                    answer += String(buffer: piece)
                    if answer.contains("\r\n\r\n") { break }
                }
            } catch let error as IOError where error.errnoCode == ECONNRESET {
                // Closed with bytes of ours unread.
            }
            return answer
        }
    }
}
